import JSON

extension SentencePieceFile {
    /// The same tokenizer as a `tokenizer.json`, in the form into which transformers converts such
    /// models. On ordinary text its ids are equal; the package has its own rule for ties between
    /// merges.
    var json: String {
        let file = JSON.object([
            .init("version", .string("1.0")), .init("truncation", .null),
            .init("padding", .null), .init("added_tokens", .array(addedTokens)),
            .init("normalizer", normalizer), .init("pre_tokenizer", .null),
            .init("post_processor", postProcessor), .init("decoder", decoder),
            .init("model", model),
        ])
        return file.pretty
    }

    private func typed(_ type: String, _ members: JSON.Member...) -> JSON {
        .object([.init("type", .string(type))] + members)
    }

    private func replace(_ text: String, by content: String) -> JSON {
        typed(
            "Replace", .init("pattern", .object([.init("String", .string(text))])),
            .init("content", .string(content)))
    }

    private var addedTokens: [JSON] {
        pieces.enumerated().compactMap { id, piece in
            guard [.unknown, .control, .userDefined].contains(piece.kind) else { return nil }
            return .object([
                .init("id", .integer(id)), .init("content", .string(piece.text)),
                .init("single_word", .bool(false)), .init("lstrip", .bool(false)),
                .init("rstrip", .bool(false)), .init("normalized", .bool(false)),
                .init("special", .bool(piece.kind != .userDefined)),
            ])
        }
    }

    private var normalizer: JSON {
        var steps: [JSON] = []
        if addsDummyPrefix { steps.append(typed("Prepend", .init("prepend", .string("\u{2581}")))) }
        steps.append(replace(" ", by: "\u{2581}"))
        return typed("Sequence", .init("normalizers", .array(steps)))
    }

    private var decoder: JSON {
        var steps = [
            replace("\u{2581}", by: " "), typed("ByteFallback"), typed("Fuse"),
        ]
        if addsDummyPrefix {
            steps.append(
                typed(
                    "Strip", .init("content", .string(" ")), .init("start", .integer(1)),
                    .init("stop", .integer(0))))
        }
        return typed("Sequence", .init("decoders", .array(steps)))
    }

    private var postProcessor: JSON {
        guard bos >= 0, bos < pieces.count else { return .null }
        let name = JSON.string(pieces[Int(bos)].text)
        func part(_ kind: String, _ id: JSON, _ type: Int) -> JSON {
            let content: [JSON.Member] = [.init("id", id), .init("type_id", .integer(type))]
            return .object([.init(kind, .object(content))])
        }
        let prefix = part("SpecialToken", name, 0)
        let (first, second) = (JSON.string("A"), JSON.string("B"))
        let special: [JSON.Member] = [
            .init("id", name), .init("ids", .array([.integer(Int(bos))])),
            .init("tokens", .array([name])),
        ]
        return typed(
            "TemplateProcessing",
            .init("single", .array([prefix, part("Sequence", first, 0)])),
            .init(
                "pair",
                .array([
                    prefix, part("Sequence", first, 0), part("SpecialToken", name, 1),
                    part("Sequence", second, 1),
                ])),
            .init(
                "special_tokens",
                .object([.init(pieces[Int(bos)].text, .object(special))])))
    }

    private var model: JSON {
        let unknown = pieces.first { $0.kind == .unknown }
        return typed(
            "BPE", .init("dropout", .null),
            .init("unk_token", unknown.map { .string($0.text) } ?? .null),
            .init("continuing_subword_prefix", .null), .init("end_of_word_suffix", .null),
            .init("fuse_unk", .bool(true)), .init("byte_fallback", .bool(hasByteFallback)),
            .init("ignore_merges", .bool(false)),
            .init(
                "vocab",
                .object(
                    pieces.enumerated().map { .init($0.element.text, .integer($0.offset)) })),
            .init("merges", .array(mergeList)))
    }

    /// Every pair of pieces that forms a third piece, best score first; pairs for one piece are
    /// ordered by the id of the left part.
    private var mergeList: [JSON] {
        var ids = ByteTable(expecting: pieces.count)
        for piece in pieces { ids.insert(Array(piece.text.utf8)) }
        var merges: [(score: Float, piece: Int, left: Int, right: Int)] = []
        for (id, piece) in pieces.enumerated() where piece.kind == .normal {
            let bytes = Array(piece.text.utf8)
            var place = bytes.first.map(characterLength) ?? bytes.count
            while place < bytes.count {
                if let left = ids.find(bytes, 0..<place),
                    let right = ids.find(bytes, place..<bytes.count),
                    pieces[left].kind == .normal, pieces[right].kind == .normal
                {
                    merges.append((piece.score, id, left, right))
                }
                place += characterLength(bytes[place])
            }
        }
        merges.sort { ($1.score, $0.piece, $0.left) < ($0.score, $1.piece, $1.left) }
        return merges.map {
            .array([.string(pieces[$0.left].text), .string(pieces[$0.right].text)])
        }
    }
}
