import Tensors
import TestSupport
import Testing
import Transformers

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import Values

/// The verbs that look into a model, on the fixture `llama`. `ObservationTests` compares the
/// numbers below them with transformers.
@Suite struct InsideTests {
    private func loaded() throws -> (bench: Workbench, oracle: ModelOracle) {
        let oracle = try ModelOracle("llama")
        let bench = try Workbench()
        try oracle.write(to: bench.folder + "/fixture")
        try bench.output("load model fixture; load rollouts fixture/rollouts.jsonl")
        return (bench, oracle)
    }

    private func close(
        _ bench: Workbench, _ one: String, _ two: String,
        _ location: SourceLocation = #_sourceLocation
    ) throws {
        let found = try #require(try bench.output(one).value?.asTensor, sourceLocation: location)
        let wanted = try #require(try bench.output(two).value?.asTensor, sourceLocation: location)
        #expect(
            relativeError(found.values, wanted.values) < 1e-4, "\(one) and \(two)",
            sourceLocation: location)
    }

    @Test func `tensors of a look have the shapes and relations that help states`() throws {
        let (bench, oracle) = try loaded()
        let ids = oracle.prompts[0]
        try bench.output("ids = \(ids); n = \(ids.count)")
        try bench.output("l = logits ids; h = hidden ids; a = attention ids layer=1")
        #expect(try bench.text("l.shape") == "[\(ids.count), 300]")
        #expect(try bench.text("h.shape") == "[\(ids.count), 40]")
        #expect(try bench.text("a.shape") == "[4, \(ids.count), \(ids.count)]")
        try bench.output("last = logits ids last=true; one = attention ids layer=1 head=2")
        try close(bench, "last", "l[-1]")
        try close(bench, "one", "a[2]")
        try bench.output("same = attention ids layer=-1 head=-2; e = hidden ids layer=0")
        try close(bench, "same", "one")
        // The embeddings are the rows of the table; the last hidden states are the head's input.
        try close(bench, "e", "model.tensors[\"model.embed_tokens.weight\"][ids]")
        try close(bench, "l", "h @ model.tensors[\"lm_head.weight\"].T")
        // A row of attention sums to one and does not look ahead.
        try close(bench, "sum(a, axis=2)", "ones(4, n)")
        #expect(try bench.text("max(a[:, 0, 1:n])") == "0")
    }

    @Test func `next gives probabilities that softmax gives, and their entropy`() throws {
        let (bench, oracle) = try loaded()
        try bench.output("ids = \(oracle.prompts[1]); n = next ids count=300")
        try bench.output("l = logits ids last=true; p = softmax(l)")
        #expect(try bench.text("len(n)") == "300")
        try close(bench, "n.probabilities", "p[n.ids]")
        try close(bench, "n.logprobs", "log(p)[n.ids]")
        try close(bench, "tensor([n.entropy])", "tensor([-sum(p * log(p))])")
        #expect(try bench.text("n.ranks == range(1, 301)") != "false")
        #expect(try bench.output("n[0].rank").value?.asInteger == 1)
        #expect(
            try bench.output("n[0].id").value?.asInteger
                == bench.output("n.ids[0]").value?.asInteger)
    }

    @Test func `next inside a response agrees with the scores of its tokens`() throws {
        let (bench, oracle) = try loaded()
        try bench.output("score per_token=true")
        let length = oracle.responses[1].count
        for place in [0, 3, length - 1] {
            let own = try bench.output("next rollouts[0][1] at=\(place) count=3").value
            let object = try #require(own?.object(NextTokensObject.self))
            let chosen = try #require(object.content.chosen)
            #expect(object.content.ids[chosen] == oracle.responses[1][place])
            // Sequence of constitution i and response j has place 3 i + j.
            let scored = try [4, 1].map {
                try #require(
                    try bench.output("logprobs.tokens[0][\($0)][\(place)]").value?.asNumber)
            }
            #expect(abs(object.content.own.logProbs[chosen] - scored[0]) < 1e-4)
            let other = try #require(object.content.other)
            #expect(other.constitution == 0)
            #expect(abs(other.logProbs[chosen] - scored[1]) < 1e-4)
        }
        let end = try bench.output("next rollouts[0][1] at=\(length)").value
        #expect(end?.object(NextTokensObject.self)?.content.chosen == nil)
        #expect(try bench.text("next rollouts[0][1] at=-1").contains("at token \(length - 1) of"))
        // The first response stands for its query.
        #expect(
            try bench.text("next rollouts[0] at=2") == bench.text("next rollouts[0][0] at=2"))
    }

    @Test func `the lens ends in the model's own answer`() throws {
        let (bench, oracle) = try loaded()
        try bench.output("ids = \(oracle.prompts[2]); x = lens ids; n = next ids")
        #expect(try bench.text("len(x)") == "3")
        #expect(try bench.text("x[-1].id == n.ids[0]") == "true")
        try close(bench, "tensor([x[-1].probability])", "n.probabilities[0:1]")
        try bench.output("y = lens ids at=3; m = next ids[0:4]")
        #expect(try bench.text("y[-1].id == m.ids[0]") == "true")
    }

    @Test func `a look refuses with the way out`() throws {
        let (bench, _) = try loaded()
        try bench.output("set tensor_limit=4000")
        #expect(
            bench.complaint("logits range(3, 23)") == """
                error: shape (20, 300) is larger than the limit for a tensor, 1,000 values (`set \
                tensor_limit=`)
                  logits range(3, 23)
                         ^~~~~~~~~~~~
                  last=true gives the logits after the last token alone
                """)
        #expect(bench.complaint("attention range(3, 23)").contains("head=0 gives one head"))
        #expect(
            bench.complaint("hidden [3, 4] layer=3") == """
                error: `layer` must be at most 2, not 3
                  hidden [3, 4] layer=3
                                      ^
                """)
        #expect(
            bench.complaint("next [3, 300]") == """
                error: a token id must be 0 to 299, not 300
                  next [3, 300]
                       ^~~~~~~~
                """)
        #expect(
            bench.complaint("next [3] at=1") == """
                error: `at` is for one of the rollouts, and this is a list
                  next [3] at=1
                              ^
                  next rollouts[0][0] at=1
                """)
        #expect(
            bench.complaint("next rollouts[0][0] at=6").contains(
                "index 6 is out of range: the response with its end has 6 items, 0 to 5"))
        #expect(bench.complaint("next \"text\"").contains("needs a tokenizer"))
        #expect(bench.complaint("lens []").contains("must be text, token ids"))
        #expect(bench.complaint("next 3").contains("not a number"))
    }

    @Test func `an index is a query, then a response, or the id of a query`() throws {
        let (bench, _) = try loaded()
        try bench.output("score; contrast")
        #expect(try bench.text("len(rollouts)") == "1")
        #expect(try bench.text("len(rollouts[0])") == "3")
        #expect(try bench.text("rollouts[0][1].constitution") == "1")
        #expect(try bench.text("rollouts[0, 2].constitution") == "2")
        #expect(try bench.text("rollouts.all[2].constitution") == "2")
        #expect(try bench.text("rollouts.constitution") == "[0, 1, 2]")
        let id = try bench.text("rollouts.ids[0]")
        for name in ["rollouts", "logprobs", "loss"] {
            #expect(
                try bench.text("\(name)[\"\(id)\"]") == bench.text("\(name)[0]"), "\(name)")
        }
        #expect(try bench.text("rollouts[\"\(id)\", 1].constitution") == "1")
        #expect(try bench.text("logprobs[\"\(id)\", 1, 1]") == bench.text("logprobs[0, 1, 1]"))
        #expect(
            bench.complaint("loss[\"else\"]") == """
                error: no item of `loss` has the id "else"
                  loss["else"]
                       ^~~~~~
                  an id is like "\(id)"; `loss.ids` lists them
                """)
        #expect(
            bench.complaint("[1, 2][\"a\"]") == """
                error: an index must be a whole number, not text
                  [1, 2]["a"]
                         ^~~
                """)
    }
}
