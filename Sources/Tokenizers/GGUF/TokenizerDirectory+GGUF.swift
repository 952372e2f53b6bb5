import Foundation
import GGUF
import JSON

extension TokenizerDirectory {
    /// The tokenizer of a GGUF file, with its chat template; nil if it has none. `files` are those
    /// that a directory of the same model would have, so that an export holds a tokenizer that
    /// other programs read.
    ///
    /// Added tokens are found in text with their exact spelling alone: a GGUF file does not say
    /// which of them take the blanks beside them.
    ///
    /// Throws `GGUFError` or `TokenizerError`.
    public init?(gguf file: GGUFFile) throws {
        guard let vocabulary = try GGUFVocabulary(file) else { return nil }
        try self.init(files: vocabulary.files, path: file.file)
    }
}

extension GGUFVocabulary {
    /// The same tokenizer in the files of a Hugging Face directory.
    var files: [String: Data] {
        var files = ["tokenizer_config.json": data(configuration)]
        switch model {
        case .byteLevel(let merges, let splitting):
            files["tokenizer.json"] = data(byteLevel(merges, splitting))
        case .sentencePiece(let scores, let addsPrefix):
            files["tokenizer.model"] = sentencePiece(scores, addsPrefix: addsPrefix)
        }
        if !ends.isEmpty {
            let ids = ends.map { JSON.integer($0) }
            files["generation_config.json"] = data(
                .object([.init("eos_token_id", ids.count == 1 ? ids[0] : .array(ids))]))
        }
        return files
    }

    private func data(_ json: JSON) -> Data { Data((json.pretty + "\n").utf8) }

    private var configuration: JSON {
        var members: [JSON.Member] = []
        if case .sentencePiece = model {
            members = [
                .init("tokenizer_class", "LlamaTokenizer"), .init("legacy", true),
                .init("add_bos_token", .bool(addsBOS)), .init("add_eos_token", .bool(addsEOS)),
            ]
        } else {
            members = [.init("tokenizer_class", "PreTrainedTokenizerFast")]
        }
        members.append(.init("clean_up_tokenization_spaces", false))
        members += special.map { .init($0.name, .string(tokens[$0.id])) }
        if templates.count == 1, templates[0].name == "default" {
            members.append(.init("chat_template", .string(templates[0].text)))
        } else if !templates.isEmpty {
            let list = templates.map { name, text in
                JSON.object([.init("name", .string(name)), .init("template", .string(text))])
            }
            members.append(.init("chat_template", .array(list)))
        }
        return .object(members)
    }

    // MARK: - tokenizer.json

    private func byteLevel(
        _ merges: [(left: String, right: String)], _ splitting: GGUFPreTokenizer
    ) -> JSON {
        let model = typed(
            "BPE", .init("dropout", .null), .init("unk_token", .null),
            .init("fuse_unk", false), .init("byte_fallback", false),
            .init("ignore_merges", .bool(splitting.ignoresMerges)),
            .init(
                "vocab",
                .object(tokens.enumerated().map { .init($0.element, .integer($0.offset)) })),
            .init("merges", .array(merges.map { .array([.string($0.left), .string($0.right)]) })))
        return .object([
            .init("version", "1.0"), .init("truncation", .null), .init("padding", .null),
            .init("added_tokens", .array(addedTokens)),
            .init("normalizer", splitting.composes ? typed("NFC") : .null),
            .init("pre_tokenizer", preTokenizer(splitting.patterns)),
            .init("post_processor", postProcessor),
            .init(
                "decoder",
                typed(
                    "ByteLevel", .init("add_prefix_space", false), .init("trim_offsets", true),
                    .init("use_regex", false))),
            .init("model", model),
        ])
    }

    private var addedTokens: [JSON] {
        zip(tokens, kinds).enumerated().compactMap { id, token in
            guard [.unknown, .control, .userDefined].contains(token.1) else { return nil }
            return .object([
                .init("id", .integer(id)), .init("content", .string(token.0)),
                .init("single_word", false), .init("lstrip", false), .init("rstrip", false),
                .init("normalized", false), .init("special", .bool(token.1 != .userDefined)),
            ])
        }
    }

    private func preTokenizer(_ patterns: [String]) -> JSON {
        let splits = patterns.map { pattern in
            typed(
                "Split", .init("pattern", .object([.init("Regex", .string(pattern))])),
                .init("behavior", "Isolated"), .init("invert", false))
        }
        let bytes = typed(
            "ByteLevel", .init("add_prefix_space", false), .init("trim_offsets", true),
            .init("use_regex", false))
        return typed("Sequence", .init("pretokenizers", .array(splits + [bytes])))
    }

    /// The tokens around a text.
    private var postProcessor: JSON {
        func token(_ isAdded: Bool, _ name: String) -> [Int] {
            isAdded ? special.filter { $0.name == name }.map(\.id) : []
        }
        let (before, after) = (token(addsBOS, "bos_token"), token(addsEOS, "eos_token"))
        guard !(before + after).isEmpty else { return .null }
        func part(_ kind: String, _ id: String, _ type: Int) -> JSON {
            .object([
                .init(
                    kind,
                    .object([.init("id", .string(id)), .init("type_id", .integer(type))]))
            ])
        }
        func text(_ id: String, _ type: Int) -> [JSON] {
            before.map { part("SpecialToken", tokens[$0], type) } + [part("Sequence", id, type)]
                + after.map { part("SpecialToken", tokens[$0], type) }
        }
        let described = Set(before + after).sorted().map { id in
            JSON.Member(
                tokens[id],
                .object([
                    .init("id", .string(tokens[id])), .init("ids", .array([.integer(id)])),
                    .init("tokens", .array([.string(tokens[id])])),
                ]))
        }
        return typed(
            "TemplateProcessing", .init("single", .array(text("A", 0))),
            .init("pair", .array(text("A", 0) + text("B", 1))),
            .init("special_tokens", .object(described)))
    }

    private func typed(_ type: String, _ members: JSON.Member...) -> JSON {
        .object([.init("type", .string(type))] + members)
    }

    // MARK: - tokenizer.model

    /// SentencePiece's model file, whose types of pieces have the same numbers.
    private func sentencePiece(_ scores: [Float], addsPrefix: Bool) -> Data {
        var file = ProtobufWriter()
        for ((token, kind), score) in zip(zip(tokens, kinds), scores) {
            var piece = ProtobufWriter()
            piece.add(1, bytes: Array(token.utf8))
            piece.add(2, float: score)
            // An unused piece only fills a row of the embedding; texts never become one.
            piece.add(3, number: UInt64((kind == .unused ? .control : kind).rawValue))
            file.add(1, bytes: piece.bytes)
        }
        var trainer = ProtobufWriter()
        trainer.add(3, number: 2)  // byte-pair encoding
        trainer.add(35, number: kinds.contains(.byte) ? 1 : 0)
        for (name, field) in [("unk_token", 40), ("bos_token", 41), ("eos_token", 42)] {
            let id = special.first { $0.name == name }?.id
            trainer.add(field, number: UInt64(bitPattern: Int64(id ?? -1)))
        }
        file.add(2, bytes: trainer.bytes)
        var normalizer = ProtobufWriter()
        normalizer.add(1, bytes: Array("identity".utf8))
        normalizer.add(3, number: addsPrefix ? 1 : 0)
        normalizer.add(4, number: 0)  // blanks stay
        normalizer.add(5, number: 1)  // and are spelled ▁
        file.add(3, bytes: normalizer.bytes)
        return Data(file.bytes)
    }
}
