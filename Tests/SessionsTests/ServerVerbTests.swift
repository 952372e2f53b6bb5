import Foundation
import TestSupport
import Testing

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import Values

/// `probe`, `generate engine=` and `price=` in a session.
@Suite struct ServerVerbTests {
    private func server(_ fake: FakeServer, _ options: String = "") -> String {
        "server teacher url=\"\(fake.url)\" model=\"m\" retries=0 \(options)\n"
    }

    private func replay(_ bench: Workbench) throws -> (isWell: Bool, summary: String) {
        bench.session.close()
        var options = ReplayOptions()
        options.check = true
        var configuration = Session.Configuration()
        configuration.directory = bench.folder
        return try Session.replay("test.samiws", options, configuration: configuration)
    }

    // MARK: probe

    @Test func `a probe shows a table, and scripts test its record`() throws {
        let fake = try FakeServer(
            CountingServer(ignores: ["seed"], refuses: ["n": 400], hasCompletions: false).reply)
        defer { fake.stop() }
        let bench = try Workbench()
        let output = try bench.output(server(fake) + "p = probe teacher")
        #expect(
            output.text.plain == """
                m at \(fake.url), by chat
                wish              honored  seen
                max_tokens        yes      4 tokens of 4, finish_reason "length"
                stop              yes      it ends before "5,"
                seed              no       two texts for one seed
                n                 refused  status 400: "no n here"
                logprobs          yes      of 4 tokens
                prompt log-probs  no       there is no /completions (status 404: "Not Found")
                asked `teacher` 8 times; 66 tokens read, 45 written
                """)
        #expect(try bench.text("p.seed == \"yes\"") == "false")
        #expect(try bench.text("p.stop == \"yes\" and p.n == \"refused\"") == "true")
        #expect(try bench.text("p.seen.n") == "status 400: \"no n here\"")
        // A name is not needed.
        try bench.output("probe teacher")
        #expect(try bench.text("_.max_tokens") == "yes")
    }

    @Test func `a probe asks anew, and its replay asks nothing, also in a loop`() throws {
        let fake = try FakeServer(CountingServer(refuses: ["logprobs": 400]).reply)
        let bench = try Workbench(access: .readWrite)
        try bench.output(server(fake) + "p = probe teacher")
        let once = fake.requests.count
        try bench.output("q = probe teacher\nprobe teacher\nundo\nr = probe teacher")
        #expect(fake.requests.count == 4 * once)
        try bench.output("for i in [1, 2] {\n  s = probe teacher\n}")
        #expect(fake.requests.count == 6 * once)
        try bench.output("export answers lesson.jsonl")
        fake.stop()
        let result = try replay(bench)
        #expect(result.isWell, "\(result)")
    }

    @Test func `a probe of a workspace that is only read keeps nothing`() throws {
        let fake = try FakeServer(CountingServer().reply)
        defer { fake.stop() }
        let bench = try Workbench(access: .readWrite)
        try bench.output(server(fake))
        let session = try bench.reopened(.readOnly)
        defer { session.close() }
        for statement in ["probe teacher", "generate \"Go.\" engine=teacher"] {
            let outcomes = session.outcomes(of: statement, keepGoing: false)
            for outcome in outcomes { _ = try outcome.result.get() }
            #expect(!outcomes.isEmpty)
        }
        #expect(fake.requests.count == 9)
        #expect(
            !FileManager.default.fileExists(atPath: bench.folder + "/test.samiws/answers"))
    }

    @Test func `a probe of nothing and of no server is an error at its place`() throws {
        let gone = try FakeServer { _ in .silence }
        let bench = try Workbench()
        try bench.output(server(gone) + "x = 3")
        gone.stop()
        for (source, words) in [
            ("probe", "SERVER"), ("probe x", "must be a server, not a number"),
            ("probe nobody", "nobody"), ("probe teacher", "no server answers at"),
        ] {
            let complaint = bench.complaint(source)
            #expect(complaint.contains(words) && complaint.contains("^"), "\(complaint)")
        }
    }

    // MARK: generate

    @Test func `a server continues a text, once`() throws {
        let fake = try FakeServer { request in
            .body(FakeServer.chat("Answer \(request.number)."))
        }
        let bench = try Workbench(access: .readWrite)
        try bench.output(server(fake, "concurrency=1"))
        let output = try bench.output("a = generate \"Why?\" engine=teacher samples=2 max_tokens=9")
        #expect(
            output.text.plain == """
                [0]
                Why?
                Answer 0.
                [1]
                Why?
                Answer 1.
                asked `teacher` 2 times; 14 tokens read, 6 written
                """)
        #expect(fake.requests[0].body.contains(#""content":"Why?""#))
        #expect(fake.requests[0].body.contains(#""max_tokens":9"#))
        // The same seed is the same request; another draws anew.
        let again = try bench.output("b = generate \"Why?\" engine=teacher samples=2 max_tokens=9")
        #expect(again.notes == ["2 answers of `teacher` were kept from before"])
        #expect(try bench.text("a == b") == "true")
        try bench.output("generate \"Why?\" engine=teacher max_tokens=9 seed=8")
        #expect(fake.requests.count == 3)
        fake.stop()
        let result = try replay(bench)
        #expect(result.isWell, "\(result)")
    }

    @Test(.enabled(if: Workbench.hasShippedModel))
    func `a server's text stands beside a model's`() throws {
        let fake = try FakeServer(CountingServer().reply)
        defer { fake.stop() }
        let bench = try Workbench()
        try bench.output(
            "load model default\n" + server(fake, "api=completions")
                + "pair = generate \"Post:\" max_tokens=6 temperature=0 compare=teacher")
        #expect(try bench.text("pair.other") == " 4, 5, 6,")
        #expect(try bench.text("len(pair.text) > 0") == "true")
        let other = try bench.output(
            "swapped = generate \"Post:\" max_tokens=6 temperature=0 engine=teacher compare=model")
        #expect(other.notes == ["1 answer of `teacher` was kept from before"])
        #expect(try bench.text("swapped.other == pair.text") == "true")
        // A loaded model is an engine too.
        #expect(
            try bench.text("m = generate \"Post:\" max_tokens=6 temperature=0 engine=base; m")
                .contains(try bench.text("pair.text")))
        for (source, words) in [
            ("generate \"a\" engine=3", "a model or a server"),
            ("generate \"a\" engine=teacher model=base", "both name who continues"),
            ("generate \"a\" engine=teacher chat=true", "takes text and no messages"),
        ] {
            #expect(bench.complaint(source).contains(words), "\(source)")
        }
    }

    // MARK: price

    @Test func `answers that were asked for now are said with their cost`() throws {
        let fake = try FakeServer { request in
            request.body.contains("uncounted")
                ? .body(#"{"choices":[{"message":{"content":"x"}}]}"#)
                : .body(FakeServer.chat("Yes.", tokens: 50))
        }
        defer { fake.stop() }
        let bench = try Workbench()
        try bench.output(server(fake, "price=[1000, 2000.5]"))
        #expect(try bench.text("teacher.price") == "[1000, 2000.5]")
        #expect(
            try bench.text("teacher").contains(
                "a million tokens cost 1000 to read and 2000.5 to write"))
        let ask = "generate \"Why?\" engine=teacher"
        #expect(
            try bench.output(ask).notes == [
                "asked `teacher` once; 7 tokens read, 50 written; 0.107 at the given prices"
            ])
        #expect(
            try bench.output(ask).notes == ["1 answer of `teacher` was kept from before"])
        #expect(
            try bench.output("generate \"uncounted\" engine=teacher").notes == [
                "asked `teacher` once; no cost: it counts no tokens"
            ])
        for (price, words) in [("1", "0.000057"), ("0.001", "less than 0.000001")] {
            try bench.output(server(fake, "price=[\(price), \(price)]"))
            #expect(
                try bench.output(ask + " seed=\(price == "1" ? 2 : 3)").notes[0].hasSuffix(
                    "; \(words) at the given prices"))
        }
        try bench.output(server(fake, "price=[0, 0]"))
        #expect(
            try bench.output(ask + " seed=4").notes[0].hasSuffix("; 0 at the given prices"))
        try bench.output(server(fake, "price=null"))
        #expect(try bench.text("teacher.price") == "null")
        #expect(
            try bench.output(ask + " seed=5").notes == [
                "asked `teacher` once; 7 tokens read, 50 written"
            ])
    }

    @Test(.enabled(if: Workbench.hasShippedModel))
    func `a judge and a writer say their cost`() throws {
        let fake = try FakeServer { request in
            .body(
                FakeServer.chat(
                    request.body.contains("Response A:")
                        ? "Better: A" : "Answer \(request.number)."))
        }
        defer { fake.stop() }
        let bench = try Workbench()
        try bench.output(
            server(fake, "price=[100, 100]") + """
                load model default
                load queries summaries split=test count=2
                principles = load principles trained
                compose count=2 principles_each=1
                """)
        #expect(
            try bench.output("rollout engine=teacher").notes.contains(
                "asked `teacher` 4 times; 28 tokens read, 12 written; 0.004 at the given prices"))
        let judged = try bench.output(
            "judge judge=teacher against=teacher principles_each=1 max_tokens=20 controls=0")
        #expect(
            judged.notes.count {
                $0.hasPrefix("asked `teacher` ") && $0.hasSuffix(" at the given prices")
            } == 2)
    }
}
