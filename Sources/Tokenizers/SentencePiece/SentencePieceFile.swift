/// The content of a SentencePiece `tokenizer.model`, as far as byte-pair models need it.
struct SentencePieceFile: Sendable {
    enum Kind: UInt64, Sendable {
        case normal = 1
        case unknown = 2
        case control = 3
        case userDefined = 4
        case unused = 5
        case byte = 6
    }

    struct Piece: Sendable {
        var text = ""
        var score: Float = 0
        var kind = Kind.normal
    }

    /// Every way to split a piece in two is looked up, which takes the square of its length, so the
    /// length is limited.
    private static let longestPiece = 256

    private(set) var pieces: [Piece] = []
    private(set) var hasByteFallback = false
    private(set) var bos: Int64 = 1
    private(set) var eos: Int64 = 2
    private(set) var unknownSurface = " \u{2047} "
    private(set) var addsDummyPrefix = true
    private(set) var removesExtraBlanks = true
    private(set) var escapesBlanks = true

    /// Throws unless the file is a byte-pair model without a table of character normalizations.
    init(_ bytes: [UInt8]) throws {
        var reader = ProtobufReader(bytes, 0..<bytes.count)
        // A file that does not name one has SentencePiece's own, Unigram.
        var algorithm: UInt64 = 1
        while let (field, value) = try reader.next() {
            guard case .bytes(let range) = value else { continue }
            switch field {
            case 1: pieces.append(try Self.piece(bytes, range))
            case 2: algorithm = try readTrainer(bytes, range)
            case 3: try readNormalizer(bytes, range)
            case 5: try Self.checkDenormalizer(bytes, range)
            default: break
            }
        }
        guard !pieces.isEmpty else { throw Self.unusable("it holds no pieces") }
        guard algorithm == 2 else {
            let names: [UInt64: String] = [1: "Unigram", 3: "words", 4: "characters"]
            throw Self.unusable(
                "its algorithm is \(names[algorithm] ?? "unknown"), and byte-pair "
                    + "encoding is the one supported")
        }
        guard pieces.count <= Vocabulary.largestID else {
            throw Self.unusable("it holds \(pieces.count) pieces")
        }
        if let piece = pieces.first(where: { $0.kind == .unused }) {
            throw Self.unusable(
                "unused pieces such as “\(piece.text.prefix(40))” are not supported")
        }
    }

    private static func piece(_ bytes: [UInt8], _ range: Range<Int>) throws -> Piece {
        var piece = Piece()
        var reader = ProtobufReader(bytes, range)
        while let (field, value) = try reader.next() {
            switch (field, value) {
            case (1, .bytes(let text)): piece.text = try Self.text(bytes, text)
            case (2, .bits32(let bits)): piece.score = Float(bitPattern: bits)
            case (3, .number(let number)):
                guard let kind = Kind(rawValue: number) else {
                    throw unusable("piece “\(piece.text.prefix(40))” is of unknown type \(number)")
                }
                piece.kind = kind
            default: break
            }
        }
        guard !piece.text.isEmpty, piece.score.isFinite else {
            throw unusable("a piece is empty, or its score is not a number")
        }
        guard piece.text.utf8.count <= longestPiece else {
            throw unusable(
                "piece “\(piece.text.prefix(40))…” is longer than \(longestPiece) bytes")
        }
        return piece
    }

    /// Returns the number of the algorithm.
    private mutating func readTrainer(_ bytes: [UInt8], _ range: Range<Int>) throws -> UInt64 {
        var algorithm: UInt64 = 1
        var reader = ProtobufReader(bytes, range)
        while let (field, value) = try reader.next() {
            switch (field, value) {
            case (3, .number(let type)): algorithm = type
            case (24, .number(1)):
                throw Self.unusable("treat_whitespace_as_suffix is not supported")
            case (35, .number(let flag)): hasByteFallback = flag != 0
            case (41, .number(let id)): bos = Int64(bitPattern: id)
            case (42, .number(let id)): eos = Int64(bitPattern: id)
            case (44, .bytes(let text)): unknownSurface = try Self.text(bytes, text)
            default: break
            }
        }
        return algorithm
    }

    private mutating func readNormalizer(_ bytes: [UInt8], _ range: Range<Int>) throws {
        var reader = ProtobufReader(bytes, range)
        var name = ""
        while let (field, value) = try reader.next() {
            switch (field, value) {
            case (1, .bytes(let text)): name = try Self.text(bytes, text)
            case (2, .bytes(let table)) where !table.isEmpty:
                throw Self.unusable(
                    "its normalization “\(name.prefix(40))”, a table of character rewritings, is "
                        + "not supported; identity is")
            case (3, .number(let flag)): addsDummyPrefix = flag != 0
            case (4, .number(let flag)): removesExtraBlanks = flag != 0
            case (5, .number(let flag)): escapesBlanks = flag != 0
            default: break
            }
        }
    }

    private static func checkDenormalizer(_ bytes: [UInt8], _ range: Range<Int>) throws {
        var reader = ProtobufReader(bytes, range)
        while let (field, value) = try reader.next() {
            if field == 2, case .bytes(let table) = value, !table.isEmpty {
                throw unusable("its table of character rewritings for decoding is not supported")
            }
        }
    }

    private static func text(_ bytes: [UInt8], _ range: Range<Int>) throws -> String {
        guard let text = String(validating: bytes[range], as: UTF8.self) else {
            throw unusable("a piece is not UTF-8 text")
        }
        return text
    }

    private static func unusable(_ problem: String) -> TokenizerError {
        .badSentencePiece(problem: problem)
    }
}
