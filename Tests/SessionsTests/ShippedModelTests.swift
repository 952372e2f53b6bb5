import Foundation
import TestSupport
import Testing

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import ShippedWorld
@testable import Values
@testable import Workspaces

/// The verbs of the method on the model that ships.
@Suite(
    .enabled(if: Workbench.hasShippedModel, "needs models/tiny: `make demo` or SAMI_MODELS"),
    .serialized)
struct ShippedModelTests {
    /// The values that examples may rely on: one of every kind, small enough to be quick.
    static let preamble = """
        load model default
        load queries summaries split=test count=4
        load principles trained
        compose count=2 principles_each=2
        rollout
        score
        contrast
        backward
        """

    private func prepared() throws -> Workbench {
        let bench = try Workbench(seed: 1)
        try bench.output(Self.preamble)
        return bench
    }

    @Test func `every verb's example runs`() throws {
        let bench = try Workbench(seed: 1)
        try bench.output(Self.preamble)
        try bench.write(
            "constitutions.jsonl",
            "{\"positive\": \"1. Be brief.\", \"negative\": \"1. Be long.\"}\n")
        try bench.write(
            "rollouts.jsonl",
            """
            {"query": 0, "constitution": 0, "prompt": "A", "response": " b"}
            {"query": 0, "constitution": 1, "prompt": "B", "response": " a"}
            """)
        for name in ["after", "before"] {
            let lines = try (0..<4).map { index in
                let id = try bench.text("queries[\(index)].id")
                return "{\"id\": \"\(id)\", \"response\": \"\(name) \(index)\"}"
            }
            try bench.write("\(name).jsonl", lines.joined(separator: "\n"))
        }
        try bench.output("export model m")
        try bench.output("a = adapt rank=2; export adapter adapter model=a; rm a")
        try FileManager.default.copyItem(
            atPath: bench.folder + "/m/tokenizer.json", toPath: bench.folder + "/tokenizer.json")
        try bench.write("script.sami", "x = 1\n")
        try bench.write("verdicts.csv", "query,judgement\na,win\n")
        try bench.write("notes.txt", "a note\n")
        try bench.output("export [1, 2] x.npy")
        for name in ["one", "two"] {
            let path = bench.folder + "/\(name).samiws"
            let workspace = try Workspace.open(path)
            workspace.close()
        }
        try bench.session.workspace.answers.keep(#"{"text":"yes"}"#, to: "{}")
        let fake = try FakeServer(CountingServer().reply)
        defer { fake.stop() }
        // These verbs change the workspace or the session, run everything again, or need an
        // instruct model; they have tests of their own.
        let apart = ["quit", "edit", "open", "unpack", "resume", "replay", "chat"]
        for command in CommandTable.commands where !apart.contains(command.name) {
            for form in command.forms {
                if form.example == "redo" { try bench.output("undo") }
                if command.name == "probe" {
                    try bench.output("server teacher url=\"\(fake.url)\" model=\"m\"")
                }
                if ["merge", "export adapter adapter"].contains(form.example) {
                    try bench.output("adapt rank=2")
                }
                let outcomes = bench.run(form.example)
                for outcome in outcomes {
                    if case .failure(let failure) = outcome.result {
                        Issue.record("\(failure.rendered())")
                    }
                }
                // Values that an example made must not affect the next example.
                if command.group == .data || command.group == .models || form.example == "undo" {
                    bench.run(Self.preamble)
                }
            }
        }
    }

    @Test func `rollouts have a response for each query and constitution, or a reason`() throws {
        let bench = try prepared()
        let output = try bench.output(
            "load queries summaries split=test count=20; compose principles_each=2; rollout")
        let object = try #require(output.value?.object(RolloutsObject.self))
        #expect(object.rollouts.groups.count + object.rollouts.rejected.count == 20)
        #expect(
            try bench.output("len(rollouts) + 0").value?.asInteger == object.rollouts.groups.count)
        #expect(
            try bench.output("len(rollouts.all)").value?.asInteger == 2
                * object.rollouts.groups.count)
        let count = object.rollouts.groups.count
        #expect(
            try bench.text("rollouts").hasPrefix("rollouts: \(2 * count) responses to \(count) "))
        let shown = try bench.text("show rollouts[0][0]")
        #expect(shown.hasPrefix("rollout of summaries-test-"))
        #expect(shown.contains("The whole response: "))
        let plain = try bench.text("rollouts[0][0].response")
        let strip = shown.replacing(/\{[+-][0-9.]+\}/, with: "").replacing("\n", with: "")
        #expect(strip.contains(plain.prefix(12)))
    }

    @Test func `the same seed gives the same responses, whatever else is asked`() throws {
        let bench = try prepared()
        let all = try bench.output("rollout seed=5").value?.object(RolloutsObject.self)
        let some = try bench.output("rollout queries[0:1] seed=5").value?.object(
            RolloutsObject.self)
        let first = all?.rollouts.groups.first?.responses.map(\.text)
        #expect(some?.rollouts.groups.first?.responses.map(\.text) == first)
    }

    @Test func `proposed principles are the world's, with their opposites`() throws {
        let bench = try prepared()
        let output = try bench.output("propose about=answers count=4")
        let object = try #require(output.value?.object(PrinciplesObject.self))
        #expect(object.pairs.count == 4)
        #expect(object.pairs.allSatisfy { $0.form == .question })
    }

    @Test func `train and iterate change the model and log what they did`() throws {
        let bench = try prepared()
        try bench.output("train steps=2 accumulate=2 beta=0.1")
        #expect(try bench.text("len(log)") == "2")
        #expect(try bench.text("compare model base").hasPrefix("weights differ by "))
        try bench.output("iterate 1 queries=8 steps=2 accumulate=4 seed=3")
        #expect(try bench.text("log.iteration") == "[1, 1]")
        #expect(try bench.output("model.origin").text.plain == "default, after 1 iteration")
        let plot = try bench.text("plot log")
        #expect(plot.hasPrefix("iterate: loss"))
    }

    @Test func `judging a model against itself ties everywhere`() throws {
        let bench = try prepared()
        let output = try bench.output("judge judge=measured")
        let object = try #require(output.value?.object(VerdictsObject.self))
        #expect(object.verdicts.ties == object.verdicts.count)
        #expect(try bench.text("judge").hasPrefix("win rate 50.0 % (95 %: "))
        let likelihood = try bench.output("judge judge=likelihood").value?.object(
            VerdictsObject.self)
        #expect(likelihood?.verdicts.winRate == 0.5)
    }

    @Test func `a principle that the world does not know is said and left out`() throws {
        let bench = try prepared()
        try bench.output(
            """
            own = [{"principle": "Be kind to geese.", "antithesis": "Be cruel to geese."}]
            load principles trained
            """)
        let output = try bench.output("judge principles=own+principles[0:2] principles_each=2")
        #expect(
            output.notes.first?.hasPrefix("not known to the measured judge and left out: \"Be ")
                == true)
        #expect(
            bench.complaint("judge principles=own") == """
                error: the measured judge knows the shipped world and principles with a check, and \
                none of these are
                  judge principles=own
                  ^~~~~
                  judge=likelihood asks the base model; principle … check= names a program
                """)
    }

    @Test func `posts that do not fit are reported by id and skipped, or refused`() throws {
        let bench = try prepared()
        let long = String(repeating: "My brother sold my bike again and again. ", count: 100)
        try bench.write(
            "q.jsonl",
            """
            {"id": "short", "post": "My sister lost my keys."}
            {"id": "long-1", "post": "\(long)"}
            """)
        try bench.output("load queries q.jsonl; compose principles_each=2")
        #expect(bench.complaint("rollout overflow=error").contains("long-1"))
        for outcome in bench.run("rollout") {
            switch outcome.result {
            case .success(let output):
                #expect(output.notes.first?.contains("long-1") == true)
            case .failure(let failure): #expect(failure.message.contains("long-1"))
            }
        }
    }

    @Test func `generate continues, tokenize splits, and both give values`() throws {
        let bench = try prepared()
        try bench.output("generate \"Principles for summaries:\\n\" temperature=0 max_tokens=8")
        #expect(try bench.output("len(_) > 0").text.plain == "true")
        let text = try bench.text("tokenize \"Summary: my sister\" special=false")
        #expect(text.contains("tokens"))
        #expect(try bench.text("sum(_) > 0") == "true")
        try bench.output("tokenize queries[0].text")
        try bench.write("t.jsonl", "{\"text\": \"a b\"}\n{\"text\": \"c\"}\n")
        #expect(try bench.text("tokenize t.jsonl field=text").hasPrefix("2 texts, "))
        #expect(
            bench.complaint("tokenize t.jsonl") == """
                error: there is no value called `t`
                  tokenize t.jsonl
                           ^
                """)
    }

    @Test func `an interrupted iteration keeps what is done and says so`() throws {
        let bench = try prepared()
        var seen = 0
        var outcomes: [Outcome] = []
        bench.session.evaluate(Session.parse("iterate 3 queries=64 steps=8 accumulate=8")) {
            event in
            switch event {
            case .progress:
                seen += 1
                bench.session.interruption.request()
            case .finished(let outcome): outcomes.append(outcome)
            case .started, .display: break
            }
        }
        guard seen > 0, let outcome = outcomes.first else { return }
        #expect(outcome.isInterrupted)
        switch outcome.result {
        case .success(let output):
            #expect(output.notes.first?.hasPrefix("stopped in iteration") == true)
        case .failure(let failure): #expect(failure.kind == .interrupted)
        }
    }
}
