import Foundation
import TestSupport
import Testing

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import Values

/// llama-cpp-python's server with SmolLM2, where a Python has the one and the cache the other:
/// `pip install "llama-cpp-python[server]"` and SAMI_PYTHON; `scripts/get-smollm2`.
@Suite(
    .enabled(
        if: Workbench.hasShippedModel && SmolLM2.file != nil && Python.withLlamaServer != nil,
        "there is no llama-cpp-python server, or no SmolLM2"))
struct RealServerTests {
    /// Starts the server and waits until it answers.
    private func withServer(_ body: (_ port: Int) throws -> Void) throws {
        let python = try #require(Python.withLlamaServer)
        let port = Int.random(in: 20_000..<30_000)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python.path)
        process.arguments = [
            "-m", "llama_cpp.server", "--model", try #require(SmolLM2.file), "--host", "127.0.0.1",
            "--port", "\(port)", "--n_ctx", "2048",
        ]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        // The child inherits the signals that the test program blocks, so it may not hear SIGTERM.
        defer {
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        let isUp = """
            import sys, time, urllib.request
            for _ in range(300):
                try:
                    urllib.request.urlopen("http://127.0.0.1:" + sys.argv[1] + "/v1/models")
                    sys.exit(0)
                except OSError:
                    time.sleep(0.2)
            sys.exit(1)
            """
        _ = try python.run(isUp, ["\(port)"])
        try body(port)
    }

    @Test func `a real server writes, responds and judges, by messages and by text`() throws {
        try withServer { port in
            let bench = try Workbench(access: .readWrite, seed: 3)
            let url = "http://127.0.0.1:\(port)/v1"
            try bench.output(
                """
                load model default
                server chat1 url="\(url)" model="smollm2" concurrency=2
                server text1 url="\(url)" model="smollm2" api=completions
                load queries summaries split=test count=2
                principles = load principles trained
                compose principles_each=1
                """)
            // A small model writes few good pairs; that it is read at all is enough.
            _ = bench.run("propose writer=chat1 about=summaries count=1")
            for name in ["chat1", "text1"] {
                let output = try bench.output(
                    "rollout engine=\(name) max_tokens=24 unfinished=keep")
                #expect(output.notes.contains { $0.hasPrefix("asked `\(name)` 4 times; ") })
                // A response may be rejected, and its query with it.
                #expect(try bench.text("score; logprobs.shape").hasSuffix(", 2, 2]"))
            }
            let judged = bench.run(
                "judge judge=chat1 against=text1 max_tokens=24 principles_each=1 controls=1")
            let notes = judged.flatMap { (try? $0.result.get().notes) ?? [] }
            // All of its verdicts may be unreadable; then the sentence says so.
            if case .failure(let failure)? = judged.first?.result {
                #expect(failure.message.contains("names no winner"))
            } else {
                #expect(notes.contains { $0.hasPrefix("asked `chat1` ") })
            }
        }
    }
}
