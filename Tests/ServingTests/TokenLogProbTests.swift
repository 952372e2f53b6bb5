import JSON
import TestSupport
import Testing
import Tokenizers

/// The names, bytes and places of tokens that are a part of a character.
@Suite struct TokenLogProbTests {
    @Test func `an echoed character in two tokens has one place, and its halves are named`()
        async throws
    {
        try await ServedModel.serving { port in
            let answer = try RawConnection(port: port).write(
                #""prompt": "a🙂b", "echo": true, "max_tokens": 0, "logprobs": 20"#)
            let choice = try #require(answer["choices"]?.elements?[0])
            let found = try #require(choice["logprobs"])
            #expect(choice["text"] == "a🙂b")
            #expect(found["tokens"] == ["a", #"bytes:\xf0\x9f"#, #"bytes:\x99\x82"#, "b"])
            #expect(found["text_offset"] == [0, 1, 1, 2])
            for place in found["top_logprobs"]?.elements?.dropFirst() ?? [] {
                let names = try #require(place.members).map(\.key)
                // Of 259 tokens 130 are a part of a character, and each has a name of its own.
                #expect(Set(names).count == 20 && names.count == 20, "\(names)")
                #expect(names.contains { $0.hasPrefix(#"bytes:\x"#) }, "\(names)")
            }
        }
    }

    @Test func `a text that goes on in the middle of a character keeps its places`() async throws {
        try await ServedModel.serving { port in
            let ids = ServedModel.halves
            let answer = try RawConnection(port: port).write(
                #""prompt": [97, \#(ids[0]), \#(ids[1]), 98], "echo": true, "#
                    + #""max_tokens": 0, "logprobs": 0"#)
            let found = try #require(answer["choices"]?.elements?[0]["logprobs"])
            #expect(found["text_offset"] == [0, 1, 1, 2])
        }
    }

    @Test func `bytes in a chat's log-probs are the token's`() async throws {
        let tokenizer = try ServedModel.tokenizer()
        try await ServedModel.serving { port in
            let answer = try RawConnection(port: port).write(
                #""messages": [{"role": "user", "content": "a"}], "max_tokens": 16, "#
                    + #""logprobs": true, "top_logprobs": 20"#, to: "/v1/chat/completions")
            let places = try #require(
                answer["choices"]?.elements?[0]["logprobs"]?["content"]?.elements)
            let tokens = places.flatMap { $0["top_logprobs"]?.elements ?? [] }
            var parts = 0
            for token in tokens {
                let bytes = try #require(token["bytes"]?.elements).compactMap(\.integer)
                    .map { UInt8($0) }
                if let text = String(validating: bytes, as: UTF8.self) {
                    #expect(token["token"]?.string == text)
                } else {
                    parts += 1
                    #expect(token["token"]?.string?.hasPrefix("bytes:") == true)
                }
            }
            #expect(parts > 0)
        }
        #expect(tokenizer.bytes(of: ServedModel.halves[1]) == [0x99, 0x82])
        #expect(tokenizer.bytes(of: 97) == Array("a".utf8))
        #expect(tokenizer.bytes(of: 256) == Array("<s>".utf8))
    }
}
