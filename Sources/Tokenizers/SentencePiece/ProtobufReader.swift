/// Reads the fields of a protobuf message one by one. Lengths are checked before use. Only code
/// that knows the type of an inner message reads into it.
struct ProtobufReader {
    enum Value {
        case number(UInt64)
        case bits32(UInt32)
        case bits64(UInt64)
        /// Text, bytes or a message: the range of its bytes.
        case bytes(Range<Int>)
    }

    private let bytes: [UInt8]
    private var place: Int
    private let end: Int

    init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        place = range.lowerBound
        end = range.upperBound
    }

    /// The number and value of the next field; nil at the end.
    mutating func next() throws -> (field: Int, value: Value)? {
        guard place < end else { return nil }
        let key = try varint()
        guard key >> 3 != 0, key >> 3 < 1 << 29 else { throw broken("a field without a number") }
        let field = Int(key >> 3)
        switch key & 7 {
        case 0: return (field, .number(try varint()))
        case 1: return (field, .bits64(try fixed(8)))
        case 2:
            let length = try varint()
            guard length <= UInt64(end - place) else {
                throw broken("a field of \(length) bytes where \(end - place) are left")
            }
            let range = place..<place + Int(length)
            place = range.upperBound
            return (field, .bytes(range))
        case 5: return (field, .bits32(UInt32(truncatingIfNeeded: try fixed(4))))
        default: throw broken("a field of an unknown kind")
        }
    }

    private mutating func varint() throws -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: 0, to: 64, by: 7) {
            guard place < end else { throw broken("it ends inside a number") }
            let byte = bytes[place]
            place += 1
            value |= UInt64(byte & 0x7F) << UInt64(shift)
            if byte < 0x80 { return value }
        }
        throw broken("a number of more than ten bytes")
    }

    private mutating func fixed(_ count: Int) throws -> UInt64 {
        guard end - place >= count else { throw broken("it ends inside a number") }
        var value: UInt64 = 0
        for offset in 0..<count { value |= UInt64(bytes[place + offset]) << UInt64(8 * offset) }
        place += count
        return value
    }

    private func broken(_ problem: String) -> TokenizerError {
        .badSentencePiece(problem: "\(problem), at byte \(place)")
    }
}
