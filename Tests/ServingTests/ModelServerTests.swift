import JSON
import TestSupport
import Testing

/// The server as a client's bytes meet it.
@Suite struct ModelServerTests {
    /// A request as the body of another that is refused, longer than FlyingFox reads on its own.
    private static let hidden =
        "GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        + String(repeating: " ", count: 3 << 20)

    @Test(arguments: [
        ("POST", "/v1/completions", ["Origin: http://evil.example"], 403),
        ("POST", "/nowhere", [], 404), ("GET", "/v1/models", [], 200),
    ])
    func `a long body is never read as a request`(
        _ method: String, _ path: String, _ headers: [String], _ status: Int
    ) async throws {
        try await ServedModel.serving { port in
            let connection = try RawConnection(port: port)
            try connection.send(method, path, headers: headers, body: Self.hidden)
            #expect(try connection.receive().status == status)
            // The connection goes on, with the next request as the next answer.
            try connection.send("GET", "/after")
            #expect(try connection.receive().body.contains("there is nothing at /after"))
        }
    }

    @Test func `a body in broken chunks ends its connection`() async throws {
        try await ServedModel.serving { port in
            let connection = try RawConnection(port: port)
            try connection.send(
                "POST", "/v1/completions",
                headers: ["Transfer-Encoding: chunked", "Content-Type: application/json"])
            try connection.send("zz\r\n0\r\n\r\n" + Self.hidden.prefix(100))
            #expect(try connection.receive().status == 400)
            #expect(connection.isClosed())
        }
    }

    @Test func `a client that sends too much hears so`() async throws {
        try await ServedModel.serving { port in
            let connection = try RawConnection(port: port)
            let body = String(repeating: " ", count: (16 << 20) + 4096)
            try connection.send("POST", "/v1/completions", body: body)
            let reply = try connection.receive()
            #expect(reply.status == 413 && reply.body.contains("longer than 16 MB"))
            try connection.send("GET", "/health")
            #expect(try connection.receive().status == 200)
        }
    }

    @Test func `a connection that says nothing is closed`() async throws {
        try await ServedModel.serving(patience: .milliseconds(100)) { port in
            let silent = try RawConnection(port: port)
            #expect(silent.isClosed())
            let slow = try RawConnection(port: port)
            try slow.send("POST /v1/completions HTTP/1.1\r\nContent-Length: 5000\r\n\r\nabc")
            // It may be told that its body ends early.
            _ = try? slow.receive()
            #expect(slow.isClosed())
        }
    }

    @Test(arguments: [false, true])
    func `a client that leaves lets the next one in`(_ isStreamed: Bool) async throws {
        // So many tokens take much longer than a test waits for the next answer.
        try await ServedModel.serving(context: 1 << 17) { port in
            let work = #""prompt": "a", "max_tokens": 131000"#
            do {
                let leaving = try RawConnection(port: port)
                try leaving.send(
                    "POST", "/v1/completions",
                    body: "{\(work), \(isStreamed ? #""stream": true"# : #""n": 64"#)}")
            }
            let next = try RawConnection(port: port)
            let answer = try next.write(#""prompt": "a", "max_tokens": 1"#)
            #expect(answer["usage"]?["completion_tokens"]?.integer != nil, "\(answer)")
        }
    }

    @Test func `HEAD is answered as GET is, without a body`() async throws {
        try await ServedModel.serving { port in
            let connection = try RawConnection(port: port)
            for (path, status) in [("/v1/models", 200), ("/v1/completions", 405), ("/x", 404)] {
                try connection.send("GET", path)
                let whole = try connection.receive()
                try connection.send("HEAD", path)
                let head = try connection.receive(isHead: true)
                #expect(head.status == status && whole.status == status)
                #expect(head.head.contains { $0.hasPrefix("content-length: ") })
                if status != 405 { #expect(head.head == whole.head) }
            }
        }
    }

    @Test func `a stream is refused to a client that reads no chunks`() async throws {
        try await ServedModel.serving { port in
            let body = #"{"prompt": "a", "max_tokens": 2, "stream": true}"#
            for (version, isRefused) in [("HTTP/1.0", true), ("HTTP/1.1", false)] {
                let connection = try RawConnection(port: port)
                try connection.send("POST", "/v1/completions", version: version, body: body)
                let reply = try connection.receive()
                #expect(reply.status == (isRefused ? 400 : 200))
                #expect(reply.body.contains("a stream needs HTTP/1.1") == isRefused)
                #expect(reply.body.contains("[DONE]") != isRefused)
            }
        }
    }

    @Test func `texts without a seed follow from the server's`() async throws {
        func texts(seed: UInt64) async throws -> [String] {
            try await ServedModel.serving(seed: seed) { port in
                let connection = try RawConnection(port: port)
                return try (0..<3).map { _ in
                    let answer = try connection.write(#""prompt": "a", "max_tokens": 12"#)
                    return try #require(answer["choices"]?.elements?[0]["text"]?.string)
                }
            }
        }
        let first = try await texts(seed: 1)
        #expect(Set(first).count == 3)
        #expect(try await texts(seed: 1) == first)
        #expect(try await texts(seed: 2) != first)
    }

    @Test func `more texts than a server keeps are refused`() async throws {
        try await ServedModel.serving { port in
            let connection = try RawConnection(port: port)
            func prompts(_ count: Int) -> String {
                "[" + repeatElement(#""a""#, count: count).joined(separator: ",") + "]"
            }
            for (prompts, count, isRefused) in [
                (prompts(4097), 1, true), (prompts(33), 128, true), (prompts(32), 128, false),
            ] {
                let answer = try connection.write(
                    #""prompt": \#(prompts), "n": \#(count), "max_tokens": 1"#)
                let texts = answer["choices"]?.elements?.count
                #expect(texts == (isRefused ? nil : 4096))
                let sentence = answer["error"]?["message"]?.string ?? ""
                #expect(sentence.contains("at most 4096 texts") == isRefused, "\(sentence)")
            }
        }
    }

    @Test func `more log-probs than a server keeps are refused`() async throws {
        try await ServedModel.serving { port in
            let prompt = String(repeating: "a", count: 60)
            let prompts = repeatElement("\"\(prompt)\"", count: 32).joined(separator: ",")
            for (count, isRefused) in [(128, true), (1, false)] {
                let answer = try RawConnection(port: port).write(
                    #""prompt": [\#(prompts)], "n": \#(count), "max_tokens": 0, "echo": true, "#
                        + #""logprobs": 20"#)
                let sentence = answer["error"]?["message"]?.string ?? ""
                #expect(sentence.contains("245760 tokens with 20 others each") == isRefused)
                #expect(answer["choices"]?.elements?.count == (isRefused ? nil : 32))
            }
        }
    }

    @Test func `messages that give no token are refused`() async throws {
        try await ServedModel.serving { port in
            let connection = try RawConnection(port: port)
            try connection.send(
                "POST", "/v1/chat/completions",
                body: #"{"messages": [{"role": "user", "content": ""}]}"#)
            let reply = try connection.receive()
            #expect(reply.status == 400 && reply.body.contains("`messages` gives no token"))
        }
    }
}
