import Foundation
import JSON
import TestSupport
import Testing

/// `sami serve` as its clients see it: another `sami`, and the openai package.
@Suite(.enabled(if: Program.path != nil, "the program is not built"))
struct ServeProgramTests {
    /// Serves the shipped model in a process of its own while `body` runs. Its standard error goes
    /// to `errors` in the folder.
    ///
    /// - Parameter command: of the shell, before the program starts.
    private func serving(
        _ arguments: [String] = ["serve", "default", "--port", "0"], in folder: String,
        after command: String = "true", _ body: (_ url: String) throws -> Void
    ) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments =
            ["-c", command + #" && exec "$0" "$@" 2>errors"#, try #require(Program.path)]
            + arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        // The child inherits the signals that the test program blocks, so it may not hear SIGTERM.
        defer {
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        var line = ""
        while !line.hasSuffix("\n") {
            let part = output.fileHandleForReading.availableData
            guard !part.isEmpty else { break }
            line += String(decoding: part, as: UTF8.self)
        }
        #expect(line.hasPrefix("`model`, `base` at http://127.0.0.1:"), "\(line)")
        let url = try #require(line.firstMatch(of: #/http:\S+/v1/#)).0
        try body(String(url))
    }

    @Test func `another sami asks the model that this one serves`() throws {
        let folder = try TemporaryFolder()
        try serving(in: folder.path) { url in
            let script = """
                load model default;
                server trained url="\(url)" model="model" api=completions concurrency=2;
                load principles trained about=summaries;
                load queries summaries count=3;
                compose principles_each=2;
                rollout engine=trained temperature=0 unfinished=keep;
                """
            let result = try Program.run(
                ["--ephemeral", "-c", script], in: folder.path)
            let told = result.output + result.errors
            #expect(told.contains("asked `trained` 6 times; "), "\(result)")
            let probe = """
                server trained url="\(url)" model="model" api=completions;
                p = probe trained;
                words = [p.max_tokens, p.stop, p.seed, p.n, p.logprobs, p.prompt_logprobs];
                all([w == "yes" for w in words])
                """
            let probed = try Program.run(["--ephemeral", "-c", probe], in: folder.path)
            #expect(probed.output.contains("\ntrue"), "\(probed)")
            // The port is taken now.
            let port = try port(of: url)
            let second = try Program.run(
                ["serve", "default", "--port", String(port)], in: folder.path)
            #expect(second.code == 1)
            #expect(second.errors.hasPrefix("sami: port \(port): "), "\(second.errors)")
        }
    }

    @Test func `a workspace is only read, and one without a model is said`() throws {
        let folder = try TemporaryFolder()
        _ = try Program.run(
            ["-w", "a.samiws", "-c", "load model default;"], in: folder.path)
        let journal = folder.path + "/a.samiws/journal.jsonl"
        let before = try Data(contentsOf: URL(fileURLWithPath: journal))
        try serving(["serve", "-w", "a.samiws", "--port", "0"], in: folder.path) { _ in
            // Another process works in it meanwhile.
            let result = try Program.run(
                ["-w", "a.samiws", "-c", "x = 1"], in: folder.path)
            #expect(result.code == 0)
        }
        let after = try Data(contentsOf: URL(fileURLWithPath: journal))
        #expect(after.starts(with: before) && after.count > before.count)
        for (arguments, code, sentence) in [
            (["serve", "-w", "none.samiws"], 3, "There is no workspace at"),
            (["serve", "nothing-here"], 1, "nothing-here"),
            (["serve", "default", "-w", "a.samiws"], 2, "give one of both"),
            (["serve", "--ephemeral"], 2, "--ephemeral opens no workspace: name a model"),
        ] {
            let result = try Program.run(arguments, in: folder.path)
            #expect(Int(result.code) == code && result.errors.contains(sentence), "\(result)")
        }
    }

    private func port(of url: String) throws -> UInt16 {
        try #require(url.firstMatch(of: #/:(\d+)/#).flatMap { UInt16($0.1) })
    }

    /// Whether a new client gets an answer, perhaps not at once.
    private func isAnswering(_ port: UInt16) -> Bool {
        (0..<600).contains { _ in
            let connection = try? RawConnection(port: port)
            try? connection?.send("GET", "/health")
            if (try? connection?.receive())?.status == 200 { return true }
            usleep(100_000)
            return false
        }
    }

    @Test func `clients beyond the soft limit of descriptors are served`() throws {
        let folder = try TemporaryFolder()
        try serving(in: folder.path, after: "ulimit -S -n 64") { url in
            let port = try port(of: url)
            let clients = try (0..<80).map { _ in try RawConnection(port: port) }
            for client in clients {
                try client.send("GET", "/health")
                #expect(try client.receive().status == 200)
            }
        }
    }

    @Test func `clients beyond the hard limit of descriptors do not end the server`() throws {
        let folder = try TemporaryFolder()
        try serving(in: folder.path, after: "ulimit -n 64") { url in
            let port = try port(of: url)
            for _ in 0..<3 {
                let clients = (0..<80).map { _ in try? RawConnection(port: port) }
                withExtendedLifetime(clients) { #expect(isAnswering(port)) }
            }
        }
    }

    @Test func `a client forges no lines of the log`() throws {
        let folder = try TemporaryFolder()
        try serving(
            ["serve", "default", "--port", "0", "--verbose"], in: folder.path
        ) { url in
            let connection = try RawConnection(port: port(of: url))
            try connection.send("GET", "/\u{1B}[2J")
            #expect(try connection.receive().status == 404)
            try connection.send(
                "POST", "/v1/completions", body: #"{"model": "x\nsami: forged\u001b[2J\u0085"}"#)
            #expect(try connection.receive().status == 404)
        }
        let log = try String(contentsOfFile: folder.path + "/errors", encoding: .utf8)
        let lines = log.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.contains { $0.contains(": there is nothing at ") }, "\(log)")
        #expect(lines.contains { $0.contains(#"`x\nsami: forged\x1b[2J\x85`"#) }, "\(log)")
        #expect(!log.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" || $0.value == 0x85 })
    }

    /// The log-probs of an echoed text, its likeliest tokens, seeds, streams and refusals.
    @Test(.enabled(if: Python.withOpenAI != nil, "no Python with the openai package"))
    func `the openai package reads every answer`() throws {
        let python = try #require(Python.withOpenAI)
        let folder = try TemporaryFolder()
        try serving(in: folder.path) { url in
            let text = try python.run(Self.client, [url])
            let found = try JSON.read(Array(text.utf8))
            #expect(found["models"] == ["model", "base"])
            for key in ["echo", "same", "stream"] { #expect(found[key] == true, "\(key)") }
            #expect(found["usage"] == 12 && found["two"] == 2)
            #expect(found["chat"] == "messages" && found["refused"] == "frequency_penalty")
            #expect(found["absent"] == "model")
            let logProbs = try #require(found["logprobs"]?.elements)
            #expect(logProbs.first == .null && logProbs.count > 8)
            #expect(found["top"]?.elements?.dropFirst().allSatisfy { $0 == 2 } == true)
            // Equal to those of `score` for the same text.
            let script = """
                load model default;
                rollouts = [{"query": 0, "constitution": 0, "prompt": "Principles", "response": " for summaries:\\nPrinciple: Be concise."}, {"query": 0, "constitution": 1, "prompt": "Principles", "response": " for"}]
                score normalize=sum;
                logprobs[0][0, 0]
                """
            let scored = try Program.run(
                ["--ephemeral", "--json", "-c", script], in: folder.path)
            let last = try #require(scored.output.split(separator: "\n").last)
            let sum = try #require(try JSON.read(Array(last.utf8))["value"]?.double)
            let served = logProbs.dropFirst(2).reduce(0.0) { $0 + ($1.double ?? .nan) }
            #expect(abs(sum - served) < 1e-3, "\(sum) and \(served)")
        }
    }

    private static let client = """
        import json, sys, openai
        client = openai.OpenAI(base_url=sys.argv[1], api_key="none", max_retries=0)
        found = {"models": [m.id for m in client.models.list()]}
        text = "Principles for summaries:\\nPrinciple: Be concise."
        echo = client.completions.create(
            model="model", prompt=text, max_tokens=0, echo=True, logprobs=2)
        found["echo"] = echo.choices[0].text == text
        found["logprobs"] = echo.choices[0].logprobs.token_logprobs
        found["top"] = [len(t or {}) for t in echo.choices[0].logprobs.top_logprobs]
        def write(**more):
            return client.completions.create(
                model="model", prompt="Principles for summaries:\\n", max_tokens=12, seed=5, **more)
        one = write()
        found["same"] = one.choices[0].text == write().choices[0].text
        found["usage"] = one.usage.completion_tokens
        found["two"] = len({c.text for c in write(n=2).choices})
        found["stream"] = "".join(e.choices[0].text for e in write(stream=True)) == one.choices[0].text
        try:
            client.chat.completions.create(
                model="model", messages=[{"role": "user", "content": "x"}])
        except openai.BadRequestError as error:
            found["chat"] = error.body["param"]
        try:
            write(frequency_penalty=1)
        except openai.BadRequestError as error:
            found["refused"] = error.body["param"]
        try:
            client.completions.create(model="nobody", prompt="x")
        except openai.NotFoundError as error:
            found["absent"] = error.body["param"]
        print(json.dumps(found))
        """
}
