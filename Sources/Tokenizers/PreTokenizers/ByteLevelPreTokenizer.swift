/// GPT-2's pre-tokenizer: words with their leading space, numbers, runs of punctuation and blanks;
/// then every byte becomes a printable character.
struct ByteLevelPreTokenizer: PreTokenizer {
    /// Whether a space is added before a text without one.
    var addsPrefixSpace: Bool
    var addsPrefix: Bool { addsPrefixSpace }
    let pattern: Pattern?

    static let gpt2 =
        #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

    init(addsPrefixSpace: Bool, usesPattern: Bool, field: String = "pre_tokenizer") throws {
        self.addsPrefixSpace = addsPrefixSpace
        pattern = usesPattern ? try Pattern(Self.gpt2, field: field) : nil
    }

    init(_ field: Field) throws {
        // This module keeps no offsets, so trim_offsets changes nothing.
        try field.allow("type", "add_prefix_space", "trim_offsets", "use_regex")
        _ = try field.bool("trim_offsets", default: true)
        try self.init(
            addsPrefixSpace: field.bool("add_prefix_space", default: true),
            usesPattern: field.bool("use_regex", default: true), field: field.path)
    }

    func apply(_ pieces: Pieces) -> Pieces {
        let spaced = addsPrefixSpace ? prefixed(pieces) : pieces
        let cut = pattern.map { spaced.split($0, .isolated) } ?? spaced
        return mapped(cut)
    }

    private func prefixed(_ pieces: Pieces) -> Pieces {
        let space = UInt8(ascii: " ")
        return pieces.rewriting { piece in piece.first == space ? nil : [space] + piece }
    }

    private func mapped(_ pieces: Pieces) -> Pieces {
        var mapped = pieces
        mapped.bytes = []
        mapped.bytes.reserveCapacity(pieces.bytes.count + pieces.bytes.count / 4)
        for place in mapped.ranges.indices {
            let start = mapped.bytes.count
            for byte in pieces.bytes[pieces.ranges[place]] {
                if (0x21...0x7E).contains(byte) {
                    mapped.bytes.append(byte)
                } else {
                    mapped.bytes.append(contentsOf: ByteAlphabet.encodings[Int(byte)])
                }
            }
            mapped.ranges[place] = start..<mapped.bytes.count
        }
        return mapped
    }
}

extension Pieces {
    /// The pieces with replaced bytes; nil keeps a piece.
    func rewriting(_ body: (ArraySlice<UInt8>) -> [UInt8]?) -> Pieces {
        var rewritten = self
        rewritten.bytes = []
        rewritten.ranges = []
        rewritten.bytes.reserveCapacity(bytes.count + ranges.count)
        for range in ranges {
            let start = rewritten.bytes.count
            if let replaced = body(bytes[range]) {
                rewritten.bytes += replaced
            } else {
                rewritten.bytes += bytes[range]
            }
            if start < rewritten.bytes.count {
                rewritten.ranges.append(start..<rewritten.bytes.count)
            }
        }
        return rewritten
    }
}
