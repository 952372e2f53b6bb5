import JSON
import TextModels
import Tokenizers
import Transformers

/// Log-probs in the two forms of OpenAI's API.
extension TextWriter {
    /// `tokens`, `token_logprobs`, `top_logprobs` and `text_offset`. With `echo` the first token of
    /// the prompt has no log-prob.
    func logProbs(_ places: [TokenPlace], _ choice: Choice) -> JSON {
        let lead = request.echoes ? choice.prompt.tokens.prefix(1) : []
        let ids = Array(lead) + places.map(\.token)
        let nothing = lead.map { _ in JSON.null }
        return [
            "tokens": .array(ids.map { .string(name($0)) }),
            "token_logprobs": .array(nothing + places.map { .double(Double($0.logProb)) }),
            "top_logprobs": request.likeliest == 0
                ? .null : .array(nothing + places.map { .object(likeliest($0)) }),
            "text_offset": .array(offsets(of: ids, choice.prompt).map { .integer($0) }),
        ]
    }

    func chatLogProbs(_ places: [TokenPlace]) -> JSON {
        func entry(_ token: Int32, _ logProb: Float) -> [JSON.Member] {
            [
                .init("token", .string(name(token))), .init("logprob", .double(Double(logProb))),
                .init(
                    "bytes", .array(text.tokenizer.bytes(of: token).map { .integer(Int($0)) })),
            ]
        }
        return .array(
            places.map { place in
                .object(
                    entry(place.token, place.logProb) + [
                        .init(
                            "top_logprobs",
                            .array(
                                place.likeliest.map { .object(entry($0.token, $0.logProb)) }))
                    ])
            })
    }

    /// The text of a token. As with OpenAI, a part of a character is named by its bytes:
    /// `bytes:\xf0\x9f`.
    private func name(_ token: Int32) -> String {
        let bytes = text.tokenizer.bytes(of: token)
        return String(validating: bytes, as: UTF8.self)
            ?? "bytes:"
            + bytes.map { "\\x" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// Two tokens may have one name; the likelier keeps it.
    private func likeliest(_ place: TokenPlace) -> [JSON.Member] {
        var names: Set<String> = []
        return place.likeliest.compactMap { token, logProb in
            let name = name(token)
            return names.insert(name).inserted ? JSON.Member(name, .double(Double(logProb))) : nil
        }
    }

    /// Where each token begins in the text: after the whole characters before it. A special token
    /// has no place in the text.
    private func offsets(of ids: [Int32], _ prompt: TextPrompt) -> [Int] {
        var decoder = text.tokenizer.streamingDecoder()
        var offset = 0
        if !request.echoes {
            for token in prompt.tokens { _ = decoder.append(token) }
            offset = prompt.text.unicodeScalars.count
        }
        return ids.map { token in
            defer { offset += decoder.append(token).unicodeScalars.count }
            return offset
        }
    }
}
