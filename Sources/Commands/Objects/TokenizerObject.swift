import HDF5Objects
import Rendering
import Tokenizers
import Values

struct TokenizerObject: StorableObject {
    static let kind = "tokenizer"

    var tokenizer: Tokenizer
    var origin: String
    /// The folder that it was read from; nil for a tokenizer.json alone or a trained one.
    var directory: TokenizerDirectory?

    init(tokenizer: Tokenizer, origin: String) {
        (self.tokenizer, self.origin) = (tokenizer, origin)
    }

    init(directory: TokenizerDirectory, origin: String) {
        (tokenizer, self.origin) = (directory.tokenizer, origin)
        self.directory = directory
    }

    static let fields: [Field<TokenizerObject>] = [
        Field("vocabulary", "number of tokens") { Value($0.tokenizer.vocabularySize) },
        Field("begin", "the token that starts a text") { object in
            Value(object.tokenizer.bos.flatMap { object.tokenizer.token($0) })
        },
        Field("end", "the token that ends a text") { object in
            Value(object.tokenizer.eos.flatMap { object.tokenizer.token($0) })
        },
        Field("origin", "its origin") { .text($0.origin) },
        Field("tokens", "every token by its number; Ġ or ▁ stands for a blank", isLarge: true) {
            object in
            .list(
                (0..<object.tokenizer.idLimit).map { id in
                    Value(object.tokenizer.token(Int32(clamping: id)))
                })
        },
    ]

    var summary: String {
        "\(NumberText.grouped(tokenizer.vocabularySize)) tokens, \(origin)"
    }

    func document(_ appearance: Appearance) -> Document { Document("tokenizer: " + summary) }

    func display(_ appearance: Appearance) -> Display { textDisplay(appearance) }

    var jsonValue: Value { .record(fieldRecord) }

    func stored() throws -> StoredValue {
        .record(
            StoredRecord([
                ("json", .text(tokenizer.json)), ("origin", .text(origin)),
                ("files", try StoredValue(files: directory?.files ?? [:])),
            ]))
    }

    static func restored(_ value: StoredValue) throws -> TokenizerObject {
        guard let json = value["json"]?.textValue else {
            throw StorageError(kind: kind, problem: "its tokenizer.json is missing")
        }
        let origin = value["origin"]?.textValue ?? "the workspace"
        let files = try value["files"]?.files(kind: kind) ?? [:]
        if !files.isEmpty {
            return TokenizerObject(
                directory: try TokenizerDirectory(files: files, isAccepted: true), origin: origin)
        }
        return TokenizerObject(tokenizer: try Tokenizer(json: json), origin: origin)
    }
}
