import Tokenizers
import Workspaces

struct TokenizerNoun: StoredNoun {
    static let kind = "tokenizer"

    var tokenizer: Tokenizer
    var origin: String

    static let fields: [Field<TokenizerNoun>] = [
        Field("vocabulary", "how many tokens it has") { Value($0.tokenizer.vocabularySize) },
        Field("begin", "the token that starts a text") { noun in
            Value(noun.tokenizer.bos.flatMap { noun.tokenizer.token($0) })
        },
        Field("end", "the token that ends a text") { noun in
            Value(noun.tokenizer.eos.flatMap { noun.tokenizer.token($0) })
        },
        Field("origin", "where it came from") { .text($0.origin) },
        Field("tokens", "every token by its number") { noun in
            .list(
                (0..<noun.tokenizer.idLimit).map { id in
                    Value(noun.tokenizer.token(Int32(clamping: id)))
                })
        },
    ]

    var summary: String {
        "\(NumberText.grouped(tokenizer.vocabularySize)) tokens, \(origin)"
    }

    func drawn(_ appearance: Appearance) -> StyledText { StyledText("tokenizer: " + summary) }

    var exported: Value {
        var record = fieldRecord
        record["tokens"] = nil
        return .record(record)
    }

    func stored() throws -> StoredValue {
        .record(StoredRecord([("json", .text(tokenizer.json)), ("origin", .text(origin))]))
    }

    static func restored(_ value: StoredValue) throws -> TokenizerNoun {
        guard let json = value["json"]?.textValue else {
            throw StorageError(kind: kind, problem: "its tokenizer.json is missing")
        }
        return TokenizerNoun(
            tokenizer: try Tokenizer(json: json),
            origin: value["origin"]?.textValue ?? "the workspace")
    }
}
