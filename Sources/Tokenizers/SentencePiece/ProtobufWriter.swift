/// Writes the fields of a protobuf message one by one.
struct ProtobufWriter {
    private(set) var bytes: [UInt8] = []

    mutating func add(_ field: Int, number: UInt64) {
        varint(UInt64(field) << 3)
        varint(number)
    }

    mutating func add(_ field: Int, float number: Float) {
        varint(UInt64(field) << 3 | 5)
        withUnsafeBytes(of: number.bitPattern.littleEndian) { bytes += $0 }
    }

    /// A text, bytes or a message.
    mutating func add(_ field: Int, bytes content: [UInt8]) {
        varint(UInt64(field) << 3 | 2)
        varint(UInt64(content.count))
        bytes += content
    }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }
}
