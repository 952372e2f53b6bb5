import TestSupport
import Testing

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import ShippedWorld
@testable import Values

/// The verbs that look inside, with the words of the shipped model.
@Suite(.enabled(if: Workbench.hasShippedModel, "models/tiny is not here"))
struct InsideTextTests {
    private func prepared() throws -> Workbench {
        let bench = try Workbench(seed: 1)
        try bench.output(
            """
            load model default; load queries summaries split=test count=3
            load principles trained; compose count=2 principles_each=2; rollout; score; contrast
            """)
        return bench
    }

    private func number(_ bench: Workbench, _ source: String) throws -> Double {
        try #require(try bench.output(source).value?.asNumber)
    }

    @Test func `next quotes tokens, so that their blanks are visible`() throws {
        let bench = try prepared()
        let text = try bench.text("next \"Principles for\" count=2")
        #expect(text.hasPrefix("next token after \"Principles for\"\nrank  token"))
        #expect(text.contains("1  \" summaries\""))
        #expect(text.contains("entropy "))
        #expect(try bench.text("_.tokens[0]") == " summaries")
        let rollout = try bench.text("next rollouts[1][1] count=3")
        #expect(rollout.contains("under 1  log-prob"))
        #expect(rollout.contains("> the response has "))
    }

    @Test func `explain adds up: tokens to the difference, rows and columns to the loss`() throws {
        let bench = try prepared()
        for source in ["explain loss[1]", "explain rollouts[1]", "explain loss.ids[1]"] {
            try bench.output("e = \(source)")
            #expect(try bench.text("e.query == loss[1].query") == "true", "\(source)")
            let loss = try number(bench, "loss[1].value")
            let parts = try number(
                bench, "(mean(e.row_losses) + mean(e.column_losses)) / 2")
            #expect(abs(loss - parts) < 1e-6)
            let difference = try number(bench, "e.S[e.own, e.worst] - e.S[e.rival, e.worst]")
            #expect(abs(try number(bench, "sum(e.tokens.adds)") - difference) < 1e-5)
        }
        let worst = try bench.text("explain")
        let kept = try bench.text("score per_token=true; explain")
        #expect(worst == kept)
        #expect(worst.contains("\nloss = ½ (mean of rows "))
        #expect(worst.contains("\nExplained worst is y"))
        // Without tokens it says what keeps them.
        #expect(
            try bench.text("score; rm rollouts; explain").hasSuffix(
                "score per_token=true keeps the tokens that this difference comes from."))
        #expect(bench.complaint("explain 3").contains("an item of `loss`"))
        #expect(bench.complaint("explain \"no\"").contains("no item of `logprobs` has the id"))
    }

    @Test func `a loss of other scores is not explained in silence`() throws {
        let bench = try prepared()
        try bench.output("old = loss; backward; update learning_rate=1e-3; score")
        #expect(
            try bench.output("explain old[0]").notes.first?.contains("from other scores than")
                == true)
    }

    @Test func `scores keep their tokens' texts, on disk too`() throws {
        let bench = try Workbench(access: .readWrite, seed: 1)
        try bench.output(
            """
            load model default; load queries summaries split=test count=2
            load principles trained; compose count=2 principles_each=2; rollout
            score per_token=true
            """)
        let texts = try bench.text("join(logprobs.token_texts[0][0], \"\")")
        #expect(try texts == " " + bench.text("rollouts[0][0].response"))
        #expect(
            try bench.text("len(logprobs.token_texts[1][2]) == len(logprobs.tokens[1][2])")
                == "true")
        bench.session.close()
        let again = try bench.reopened()
        let found = again.outcomes(of: "join(logprobs.token_texts[0][0], \"\")").last
        #expect(try found?.result.get().text.plain == texts)
        again.close()
    }

    @Test func `alternatives stand where the constitution acts most`() throws {
        let bench = try prepared()
        let text = try bench.text("show rollouts[0][0] alternatives=3")
        let lines = text.split(separator: "\n").map(String.init)
        let table = try #require(lines.firstIndex { $0.hasPrefix("at  token") })
        // Five places, each with its token and three others.
        #expect(lines.count == table + 1 + 5 * 4)
        #expect(lines[(table + 1)...].count { $0.contains("> \"") } == 5)
        #expect(text.contains("Computed with `model`, default."))
        #expect(text.contains("\n  against\n"))
        let own = try bench.text("show rollouts[0]")
        #expect(own.components(separatedBy: "The whole response: ").count == 3)
    }

    @Test func `two models are compared by layer, kind and text`() throws {
        let bench = try prepared()
        #expect(try bench.text("compare model base") == "the same weights, every bit")
        try bench.output("backward; update learning_rate=1e-3; c = compare model base")
        #expect(try bench.text("len(c.layers)") == "7")
        #expect(try bench.text("c.kinds.kind").contains("\"self_attn.q_proj\""))
        let change = try number(bench, "norm(c.layers.change)")
        #expect(abs(change - (try number(bench, "c.change"))) < 1e-4 * change)
        let direct = try number(
            bench,
            """
            norm(model.tensors["model.norm.weight"] - base.tensors["model.norm.weight"])
            """)
        #expect(abs(direct - (try number(bench, "c.layers[-1].change"))) < 1e-5)

        try bench.output("t = compare model base on=(queries.text)")
        try bench.output(
            "ids = tokenize queries[0].text; l = logits ids; b = logits ids model=base")
        try bench.output("n = len(ids); p = log_softmax(l)[0:n-1]; q = log_softmax(b)[0:n-1]")
        let kl = try number(bench, "sum(exp(p) * (p - q)) / (n - 1)")
        #expect(abs(kl - (try number(bench, "t.texts[0].kl"))) < 1e-4 * max(kl, 0.01))
        try bench.output("s = compare model base on=(queries[0].text)")
        #expect(try bench.text("s.tokens == n - 1") == "true")
        #expect(
            abs(try number(bench, "s.logprob") - (try number(bench, "t.texts[0].logprob"))) < 1e-5)
        #expect(
            try abs(number(bench, "t.perplexity") - number(bench, "exp(-t.logprob)")) < 1e-6)
        #expect(
            bench.complaint("compare 1 2 on=\"x\"").contains("`on` is for two models"))
        #expect(
            bench.complaint("compare model base on=x.jsonl").contains(
                "on=x.jsonl field=text"))
    }

    @Test func `continuations of two models stand side by side, from the same keys`() throws {
        let bench = try prepared()
        let text = try bench.text("generate \"Post:\" max_tokens=8 seed=1 compare=base")
        let lines = text.split(separator: "\n").map(String.init)
        #expect(lines[0] == "Post:")
        #expect(lines[1].hasPrefix("model ") && lines[1].hasSuffix(" | base"))
        #expect(try bench.text("_.text == _.other") == "true")
        try bench.output("pair = generate \"Post:\" max_tokens=8 seed=1 compare=base")
        try bench.output("one = generate \"Post:\" max_tokens=8 seed=1")
        #expect(try bench.text("pair.other == one") == "true")
        #expect(bench.complaint("generate \"a\" compare=3").contains("a model or a server"))
    }
}
