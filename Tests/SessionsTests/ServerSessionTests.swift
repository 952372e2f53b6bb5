import Foundation
import TestSupport
import Testing
import Workspaces

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import ShippedWorld
@testable import Values

/// Servers that write, answer and judge in a session.
@Suite(.enabled(if: Workbench.hasShippedModel)) struct ServerSessionTests {
    /// Answers by the kind of the question.
    private func server(
        judging verdict: @escaping @Sendable (String) -> String = { _ in "Better: A" }
    ) throws -> FakeServer {
        try FakeServer { request in
            if request.body.contains("Response A:") {
                return .body(FakeServer.chat(verdict(request.body)))
            }
            if request.body.contains("principles for") {
                return .body(
                    FakeServer.chat(
                        "Principle: Use number \(request.number).\n"
                            + "Antithesis: Avoid number \(request.number)."))
            }
            return .body(FakeServer.chat("Answer \(request.number)."))
        }
    }

    private let start = """
        load model default
        load queries summaries split=test count=3
        principles = load principles trained
        compose count=2 principles_each=2
        """

    @Test func `a server writes principles and responses, once`() throws {
        let fake = try server()
        defer { fake.stop() }
        let bench = try Workbench(access: .readWrite)
        try bench.output("server teacher url=\"\(fake.url)\" model=\"m\" concurrency=1")
        #expect(try bench.text("teacher.model") == "m")
        try bench.output(start)
        #expect(
            try bench.text("mine = propose writer=teacher about=summaries count=3").contains(
                "Use number 0."))
        #expect(try bench.text("mine.count") == "3")
        let rollout = try bench.output("rollout engine=teacher samples=2")
        #expect(rollout.notes.contains { $0.hasPrefix("asked `teacher` 12 times; ") })
        // Responses are told apart from those of the model, and are scored by it.
        #expect(try bench.text("score; logprobs.shape") == "[3, 2, 4]")
        let asked = fake.requests.count
        let again = try bench.output("again = rollout engine=teacher samples=2")
        #expect(again.notes.contains("12 answers of `teacher` were kept from before"))
        #expect(try bench.text("again.response == rollouts.response") == "true")
        #expect(fake.requests.count == asked)
        #expect(
            try bench.output("rollout engine=teacher samples=2 seed=5").notes.contains {
                $0.hasPrefix("asked `teacher` 12 times")
            })
    }

    @Test func `a replay of the session needs no server, also from a packed file`() throws {
        let fake = try server()
        let bench = try Workbench(access: .readWrite)
        try bench.output("server teacher url=\"\(fake.url)\" model=\"m\"")
        try bench.output(start)
        try bench.output("rollout engine=teacher")
        try bench.output("judge judge=teacher controls=1 principles_each=1 max_tokens=20")
        fake.stop()
        try bench.output("pack moved.h5")
        try bench.output("unpack moved.h5 moved.samiws")
        bench.session.close()
        var options = ReplayOptions()
        options.check = true
        var configuration = Session.Configuration()
        configuration.directory = bench.folder
        for path in ["test.samiws", "moved.samiws"] {
            let result = try Session.replay(path, options, configuration: configuration)
            #expect(result.isWell, "\(path): \(result)")
        }
        // A missing answer is told and not asked for.
        try FileManager.default.removeItem(atPath: bench.folder + "/moved.samiws/answers")
        let result = try Session.replay("moved.samiws", options, configuration: configuration)
        #expect(!result.isWell && result.summary.contains("a replay asks no server"))
    }

    @Test func `answers travel in a file`() throws {
        let fake = try server()
        let bench = try Workbench(access: .readWrite, seed: 7)
        let script = """
            server teacher url="\(fake.url)" model="m"
            \(start)
            rollout engine=teacher seed=3
            """
        try bench.output(script)
        #expect(try bench.text("export answers lesson.jsonl") == "wrote lesson.jsonl, 6 answers")
        fake.stop()
        let other = try Workbench(seed: 7)
        try other.write(
            "lesson.jsonl", String(decoding: try bench.read("lesson.jsonl"), as: UTF8.self))
        let notes = other.run(script.replacing("\"m\"", with: "\"m\" answers=lesson.jsonl"))
            .flatMap { (try? $0.result.get().notes) ?? [] }
        #expect(notes.contains("6 answers of lesson.jsonl kept"))
        #expect(notes.contains("6 answers of `teacher` were kept from before"))
        #expect(
            try other.text("rollouts.response") == bench.text("rollouts.response"))
        for (content, words) in [
            ("", "is empty"), ("\n\n", "no answer"), ("{}", "line 1: `request`"),
            ("\n\n{", "line 3: it is not JSON"),
            (#"{"request":{"url":"x","body":{}}}"#, "line 1: `answer`"),
        ] {
            try other.write("bad.jsonl", content)
            #expect(
                other.complaint(
                    "server x url=http://a model=\"m\" answers=bad.jsonl"
                ).contains(words))
        }
        #expect(
            try Workbench().complaint("export answers x.jsonl").contains("keeps no answer"))
    }

    @Test func `a damaged answer is found, and asked for again once it is removed`() throws {
        let fake = try server()
        defer { fake.stop() }
        let bench = try Workbench(access: .readWrite)
        try bench.output("server teacher url=\"\(fake.url)\" model=\"m\"")
        try bench.output(start)
        try bench.output("rollout engine=teacher")
        #expect(try bench.text("verify").contains("sound"))
        let folder = bench.session.workspace.path + "/answers"
        let names = try FileManager.default.subpathsOfDirectory(atPath: folder)
        let file = folder + "/" + (try #require(names.first { $0.hasSuffix(".jsonl") }))
        var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
        bytes[bytes.count - 4] ^= 1
        try bytes.write(to: URL(fileURLWithPath: file))
        let report = try bench.text("verify")
        #expect(report.contains("damaged") && report.contains(file))
        #expect(bench.complaint("rollout engine=teacher").contains("is damaged. Remove it"))
        try FileManager.default.removeItem(atPath: file)
        #expect(
            try bench.output("rollout engine=teacher").notes.contains {
                $0.hasPrefix("asked `teacher` once; 5 answers of `teacher` were kept")
            })
    }

    /// A fault in the middle keeps the answers, and the statement again asks only for the others.
    @Test func `after a fault nothing is asked twice`() throws {
        let fake = try FakeServer { request in
            request.number == 3
                ? .status(400, body: #"{"error":"no"}"#)
                : .body(FakeServer.chat("Answer \(request.number)."))
        }
        defer { fake.stop() }
        let bench = try Workbench(access: .readWrite)
        try bench.output("server teacher url=\"\(fake.url)\" model=\"m\" concurrency=1")
        try bench.output(start)
        let complaint = bench.complaint("rollout engine=teacher")
        #expect(complaint.contains("refuses the request with status 400 (\"no\")"))
        #expect(complaint.contains("^"))
        try bench.output("rollout engine=teacher")
        #expect(fake.requests.count == 7 && Set(fake.requests.map(\.body)).count == 6)
    }

    // MARK: Judges

    /// A judge that names the same place in both orders ties every pair.
    @Test func `a judge that looks at the place alone gives ties, and is found out`() throws {
        let fake = try server()
        defer { fake.stop() }
        let bench = try Workbench()
        try bench.output("server j url=\"\(fake.url)\" model=\"m\"\n" + start)
        let text = try bench.text(
            "judge queries judge=j against=j principles_each=1 max_tokens=20 controls=2")
        #expect(text.contains("0 wins, 3 ties, 0 losses"))
        #expect(text.contains("same verdict: 0.0 % of 3 pairs; other winner: 3, which are ties"))
        #expect(text.contains("shown first is named in 100.0 % of 6 verdicts"))
        #expect(text.contains("of 2 responses beside itself: first 2, second 0, tie 0"))
    }

    @Test func `a judge that looks at the response decides in both orders`() throws {
        // The server's own answers begin with "Answer".
        let fake = try server { body in
            let second = body.components(separatedBy: "Response B:").last ?? ""
            return second.contains(/Answer [0-9]/) ? "I think so.\n**Better: B**" : "better: a."
        }
        defer { fake.stop() }
        let bench = try Workbench()
        try bench.output("server j url=\"\(fake.url)\" model=\"m\"\n" + start)
        let output = try bench.output("judge judge=j against=j principles_each=1 max_tokens=20")
        #expect(output.text.plain.contains("0 wins, 0 ties, 3 losses"))
        #expect(output.text.plain.contains("same verdict: 100.0 % of 3 pairs"))
        let itself = "itself, and models prefer what they wrote"
        #expect(output.notes.contains("the judge is `j` \(itself)"))
        // By another name it is the same model.
        try bench.output("server same url=\"\(fake.url)\" model=\"m\"")
        let renamed = try bench.output("judge judge=j against=same principles_each=1 max_tokens=20")
        #expect(renamed.notes.contains("the judge is `same` \(itself)"))
        try bench.output("server third url=\"\(fake.url)\" model=\"n\"")
        let other = try bench.output("judge judge=j against=third principles_each=1 max_tokens=20")
        #expect(!other.notes.contains { $0.contains(itself) })
        #expect(try bench.text("verdicts.comparisons[0].orders") == #"["loss", "loss"]"#)
        #expect(try bench.text("verdicts.orders.flips") == "0")
    }

    @Test func `another judge reads the same responses, and the judges are compared`() throws {
        let fake = try server { _ in "Better: tie" }
        defer { fake.stop() }
        let bench = try Workbench()
        try bench.output("server j url=\"\(fake.url)\" model=\"m\"\n" + start)
        try bench.output("a = judge against=j principles_each=2 max_tokens=20")
        let asked = fake.requests.count
        try bench.output("b = judge pairs=a judge=j controls=0")
        #expect(fake.requests.count == asked + 6)
        #expect(
            try bench.text("[c.first for c in a.comparisons] == [c.first for c in b.comparisons]")
                == "true")
        let text = try bench.text("compare a b")
        #expect(text.contains("measured and j: the same verdict in") && text.contains("of 3 pairs"))
        #expect(try bench.text("k = compare a b; k.count") == "3")
        #expect(bench.complaint("judge pairs=a judge=j max_tokens=3").contains("for new responses"))
        #expect(bench.complaint("judge pairs=a overflow=error").contains("for new responses"))
        #expect(bench.complaint("judge pairs=queries").contains("verdicts"))
        try bench.output("c = judge against=j principles_each=1 max_tokens=9 seed=9")
        #expect(bench.complaint("compare a c").contains("judge pairs=a judge="))
    }

    @Test func `texts without a verdict leave their pairs out, and are counted`() throws {
        let fake = try server { body in
            body.contains("Answer 0") ? "Both are nice." : "Better: tie"
        }
        defer { fake.stop() }
        let bench = try Workbench()
        try bench.output("server j url=\"\(fake.url)\" model=\"m\" concurrency=1\n" + start)
        let output = try bench.output("judge judge=j against=j principles_each=1 max_tokens=20")
        #expect(output.text.plain.contains("0 wins, 2 ties, 0 losses"))
        #expect(output.text.plain.contains("without a verdict: 1"))
        #expect(output.notes.contains("1 comparison left out: the judge's text names no winner"))
    }

    @Test func `the question to a judge is a file of one's own`() throws {
        let fake = try FakeServer { .body(FakeServer.chat($0.body.contains("MINE") ? "B" : "?")) }
        defer { fake.stop() }
        let bench = try Workbench()
        try bench.output("server j url=\"\(fake.url)\" model=\"m\"\n" + start)
        try bench.write("q.txt", "MINE {constitution} | {query} | {first} | {second}\n")
        try bench.output(
            "judge judge=j against=j question=q.txt principles_each=1 max_tokens=20 controls=0")
        #expect(try bench.text("verdicts.orders.unparsed") == "0")
        #expect(try bench.text("verdicts.control") == "null")
        try bench.write("q.txt", "{constitution} {first} {secnd}")
        #expect(
            bench.complaint("judge judge=j question=q.txt").contains("unknown placeholder {secnd}"))
        #expect(bench.complaint("judge question=q.txt").contains("for a judge that reads"))
    }

    /// The statements of docs/SERVERS.md and of docs/JUDGING.md.
    @Test func `the statements of the pages run`() throws {
        let fake = try server { _ in "Better: B" }
        defer { fake.stop() }
        for page in ["SERVERS", "JUDGING"] {
            let text = try String(
                contentsOfFile: Repository.path("docs/\(page).md"), encoding: .utf8)
            let parts = text.components(separatedBy: "```\n")
            let verbs = ["server ", "probe ", "propose ", "principle ", "a = judge "]
            let blocks = parts.filter { part in verbs.contains { part.hasPrefix($0) } }
            #expect(!blocks.isEmpty)
            let bench = try Workbench()
            try bench.output(start + "\nset width=100")
            for block in blocks {
                try bench.output(
                    block.replacing("http://127.0.0.1:8000/v1", with: fake.url))
            }
        }
    }

    // MARK: Bad input

    @Test func `bad input gets a sentence at its place`() throws {
        let bench = try Workbench()
        for (source, words) in [
            ("server", "a server needs a name"),
            ("server x", "`server` needs `url=`"),
            ("server x url=http://a/v1", "`server` needs `model=`"),
            ("server x url=ftp://a model=\"m\"", "begins with http:// or https://"),
            ("server x url=\"http://me:pw@a\" model=\"m\"", "may not have a user name"),
            ("server x url=http://a model=\"m\" concurrency=0", "at least 1"),
            ("server x url=http://a model=\"m\" timeout=0", "from 1 to 86,400"),
            ("server x url=http://a model=\"m\" key=\"sk-abc def\"", "not the key"),
            ("server x url=http://a model=\"m\" api=grpc", "api"),
            ("server x url=http://a model=\"m\" price=3", "a list of numbers"),
            ("server x url=http://a model=\"m\" price=[1]", "`price` is two numbers"),
            ("server x url=http://a model=\"m\" price=[1, 2, 3]", "`price` is two numbers"),
            ("server x url=http://a model=\"m\" price=[1, -2]", "`price` is two numbers"),
            ("server x url=http://a model=\"m\" price=[1, \"a\"]", "a number"),
            ("server rollout url=http://a model=\"m\"", "rollout"),
            ("load model default; propose writer=3", "a model or a server"),
            ("load model default; propose writer=nobody", "nobody"),
            (
                "y = server x2 url=http://127.0.0.1:9 model=\"m\"; propose writer=y",
                "no server answers"
            ),
            (
                "server k url=https://a.invalid model=\"m\" key=NOT_SET_ANYWHERE; propose writer=k",
                "NOT_SET_ANYWHERE is not set"
            ),
        ] {
            let complaint = bench.complaint(source)
            #expect(complaint.contains(words), "\(source): \(complaint)")
            #expect(!complaint.prefix { $0 != "\n" }.contains("pw"))
        }
        #expect(bench.session.isBound("x") == false)
    }
}
