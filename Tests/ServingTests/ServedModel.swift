import ChatTemplates
import Foundation
import JSON
import Serving
import TestSupport
import Testing
import TextModels
import Tokenizers

/// A model of random weights that knows every byte, and `🙂` in two tokens, as a server in this
/// process.
enum ServedModel {
    /// The first and the second half of `🙂`, which is F0 9F 99 82.
    static let halves: [Int32] = [257, 258]

    static func tokenizer() throws -> Tokenizer {
        let spellings = (UInt8.min...UInt8.max).map(spelling)
        let halves = [[0xF0, 0x9F], [0x99, 0x82]] as [[UInt8]]
        let tokens = spellings + ["<s>"] + halves.map { $0.map(spelling).joined() }
        let vocabulary = JSON.object(
            tokens.enumerated().map { .init($0.element, .integer($0.offset)) })
        let merges = JSON.array(
            halves.map { .string($0.map(spelling).joined(separator: " ")) })
        return try Tokenizer(
            json: """
                {"added_tokens": [
                  {"id": 256, "content": "<s>", "single_word": false, "lstrip": false,
                   "rstrip": false, "normalized": false, "special": true}],
                 "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false,
                   "trim_offsets": true, "use_regex": false},
                 "decoder": {"type": "ByteLevel", "add_prefix_space": false,
                   "trim_offsets": true, "use_regex": false},
                 "model": {"type": "BPE", "vocab": \(vocabulary.compact),
                   "merges": \(merges.compact)}}
                """)
    }

    /// The character of a byte in GPT-2's alphabet.
    private static func spelling(_ byte: UInt8) -> String {
        let isOwn = { (byte: UInt8) in
            (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || byte >= 0xAE
        }
        if isOwn(byte) { return String(Unicode.Scalar(byte)) }
        let before = (0..<byte).count { !isOwn($0) }
        return Unicode.Scalar(0x100 + UInt32(before)).map { String($0) } ?? ""
    }

    static func text(context: Int = 64) throws -> TextModel {
        let tokenizer = try tokenizer()
        var configuration = TinyModels.configuration(
            "llama", vocabulary: tokenizer.idLimit, context: context)
        // It writes as many tokens as it may.
        configuration.endTokens = []
        return TextModel(
            model: try TinyModels.model(configuration, seed: 1), tokenizer: tokenizer,
            chat: try ChatFormat(tokenizer) { messages, _ in
                messages.map(\.content).joined()
            })
    }

    /// Serves while `body` runs.
    @discardableResult
    static func serving<Value: Sendable>(
        context: Int = 64, seed: UInt64 = 0, patience: Duration = .seconds(75),
        _ body: @escaping @Sendable (_ port: UInt16) throws -> Value
    ) async throws -> Value {
        let server = try ModelServer(
            [(name: "model", text: text(context: context))], port: 0, seed: seed,
            patience: patience)
        let running = Task { try await server.run() }
        let port = try #require(try await server.listeningPort(within: 60))
        // Sockets of the test block their thread, which may not be one that the server needs.
        let result: Result<Value, any Error> = await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: Result { try body(port) }) }
        }
        await server.stop()
        try await running.value
        return try result.get()
    }
}

extension RawConnection {
    /// Asks for texts; the JSON of the answer.
    func write(_ fields: String, to path: String = "/v1/completions") throws -> JSON {
        try send("POST", path, body: "{\(fields)}")
        return try JSON.read(Array(receive().body.utf8))
    }
}
