import Foundation
import JSON
import TestSupport
import Testing

@testable import Commands
@testable import Rendering
@testable import Serving
@testable import Sessions
@testable import Values

/// `sami serve` as its clients see it: another session of ours, and the openai package.
@Suite(.enabled(if: Workbench.hasShippedModel, "models/tiny is not here"))
struct ServingTests {
    /// Serves the models of a session while `body` runs, which blocks a thread of its own.
    private func serving(
        _ bench: Workbench, _ body: @escaping @Sendable (_ url: String) throws -> Void
    ) async throws {
        let server = try ModelServer(try bench.session.servedModels().models, port: 0)
        let running = Task { try await server.run() }
        let port = try #require(try await server.listeningPort())
        defer { running.cancel() }
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Result { try body("http://127.0.0.1:\(port)/v1") })
            }
        }
        await server.stop()
    }

    @Test func `another session asks what this one has loaded`() async throws {
        let bench = try Workbench(seed: 1)
        try bench.output("load model default")
        try await serving(bench) { url in
            let other = try Workbench(seed: 4)
            try other.output(
                """
                load model default
                server trained url="\(url)" model="model" api=completions concurrency=2
                load principles trained about=summaries
                load queries summaries count=3
                compose principles_each=2
                """)
            let notes = try other.output("rollout engine=trained temperature=0").notes
            #expect(notes.contains { $0.hasPrefix("asked `trained` 6 times; ") }, "\(notes)")
        }
    }

    @Test func `a port that is taken is said`() async throws {
        let bench = try Workbench()
        try bench.output("load model default")
        let models = try bench.session.servedModels().models
        #expect(models.map(\.name) == ["model", "base"])
        let first = try ModelServer(models, port: 0)
        let running = Task { try await first.run() }
        let port = try #require(try await first.listeningPort())
        let second = try ModelServer(models, port: port)
        await #expect(throws: (any Error).self) { try await second.run() }
        await first.stop()
        running.cancel()
    }

    /// The log-probs of an echoed text, its likeliest tokens, seeds, streams and refusals.
    @Test(.enabled(if: Python.withOpenAI != nil, "no Python with the openai package"))
    func `the openai package reads every answer`() async throws {
        let bench = try Workbench(seed: 1)
        try bench.output("load model default")
        let python = try #require(Python.withOpenAI)
        try await serving(bench) { url in
            let text = try python.run(
                """
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
                    client.chat.completions.create(model="model", messages=[{"role": "user", "content": "x"}])
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
                """, [url])
            let found = try JSON.read(Array(text.utf8))
            #expect(found["models"] == ["model", "base"])
            for key in ["echo", "same", "stream"] { #expect(found[key] == true, "\(key)") }
            #expect(found["usage"] == 12 && found["two"] == 2)
            #expect(found["chat"] == "messages" && found["refused"] == "frequency_penalty")
            #expect(found["absent"] == "model")
            // Equal to what `score` computes for the same text.
            let logProbs = try #require(found["logprobs"]?.elements)
            #expect(logProbs.first == .null && logProbs.count > 8)
            #expect(found["top"]?.elements?.dropFirst().allSatisfy { $0 == 2 } == true)
            let other = try Workbench()
            try other.output(
                """
                load model default
                rollouts = [{"query": 0, "constitution": 0, "prompt": "Principles", "response": " for summaries:\\nPrinciple: Be concise."}, {"query": 0, "constitution": 1, "prompt": "Principles", "response": " for"}]
                score normalize=sum
                """)
            let sum = try #require(try other.output("logprobs[0][0, 0]").value?.asNumber)
            let served = logProbs.dropFirst(2).reduce(0.0) { $0 + ($1.double ?? .nan) }
            #expect(abs(sum - served) < 1e-3)
        }
    }
}
