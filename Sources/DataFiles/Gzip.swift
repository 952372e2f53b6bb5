import CZlib
import Foundation

/// gzip (RFC 1952): one compressed member, or several one after the other.
///
/// ```swift
/// if Gzip.isCompressed(data) { text = try Gzip.decompressed(data, limit: 1 << 30) }
/// ```
public enum Gzip {
    /// The reason why a file cannot be decompressed.
    public enum Fault: Error, Equatable, Sendable {
        /// The file ends before its content does.
        case cut
        /// The file is no gzip file, or its content does not agree with its checksum.
        case damaged
        /// The content has more bytes than the limit.
        case tooLarge(limit: Int)
    }

    /// Whether the bytes begin as a gzip file does.
    public static func isCompressed(_ data: Data) -> Bool { data.starts(with: [0x1F, 0x8B]) }

    /// The content, of at most `limit` bytes: a small file may stand for any number of bytes.
    public static func decompressed(_ data: Data, limit: Int) throws(Fault) -> Data {
        var inflater = try Inflater(limit: limit)
        defer { inflater.end() }
        let result = data.withUnsafeBytes { bytes in
            Result { () throws(Fault) in try inflater.inflate(bytes) }
        }
        try result.get()
        return inflater.content
    }
}

private struct Inflater {
    /// zlib's state points back to the stream, which must not move.
    private let stream: UnsafeMutablePointer<z_stream>
    private let limit: Int
    private(set) var content = Data()
    /// zlib's counts have 32 bits.
    private static let longestInput = 1 << 30
    private static let chunk = 1 << 18

    init(limit: Int) throws(Gzip.Fault) {
        self.limit = limit
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // 15 bits of window; 16 more say that the form is gzip's.
        let status = inflateInit2_(
            stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else {
            stream.deallocate()
            throw .damaged
        }
    }

    func end() {
        inflateEnd(stream)
        stream.deallocate()
    }

    mutating func inflate(_ bytes: UnsafeRawBufferPointer) throws(Gzip.Fault) {
        let chunk = UnsafeMutablePointer<UInt8>.allocate(capacity: Self.chunk)
        defer { chunk.deallocate() }
        var rest = UnsafeRawBufferPointer(rebasing: bytes[...])
        while true {
            let given = min(rest.count, Self.longestInput)
            stream.pointee.next_in = UnsafeMutablePointer(
                mutating: rest.baseAddress?.assumingMemoryBound(to: UInt8.self))
            stream.pointee.avail_in = UInt32(given)
            stream.pointee.next_out = chunk
            stream.pointee.avail_out = UInt32(Self.chunk)
            let status = CZlib.inflate(stream, Z_NO_FLUSH)
            content.append(chunk, count: Self.chunk - Int(stream.pointee.avail_out))
            guard content.count <= limit else { throw .tooLarge(limit: limit) }
            rest = UnsafeRawBufferPointer(rebasing: rest[(given - Int(stream.pointee.avail_in))...])
            switch status {
            case Z_STREAM_END:
                // Zeros may fill the file up to a block of a tape.
                guard rest.contains(where: { $0 != 0 }) else { return }
                guard inflateReset(stream) == Z_OK else { throw .damaged }
            case Z_OK: continue
            case Z_BUF_ERROR: throw .cut
            default: throw .damaged
            }
        }
    }
}
