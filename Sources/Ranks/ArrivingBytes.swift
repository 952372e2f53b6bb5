import Foundation
import NumberTypes
import Tensors

/// The bytes of a thing that comes in pieces. They are joined where they belong, without a copy
/// before.
struct ArrivingBytes {
    private var pieces: [Data] = []
    private var count = 0

    /// All pieces, once they have as many bytes as the thing.
    ///
    /// - Throws: `RankError.badMessage` for a piece that does not follow the one before.
    mutating func add(_ piece: SentPiece, _ payload: Data) throws -> [Data]? {
        if piece.offset == 0 { self = ArrivingBytes() }
        guard count == piece.offset, count + payload.count <= piece.total else {
            self = ArrivingBytes()
            throw RankError.badMessage("a piece at byte \(piece.offset) of \(piece.total)")
        }
        pieces.append(payload)
        count += payload.count
        guard count == piece.total else { return nil }
        defer { self = ArrivingBytes() }
        return pieces
    }
}

extension Tensor {
    /// - Throws: `RankError.badMessage` if the bytes are not as many as the shape needs.
    init(sent pieces: [Data], _ shape: [Int], _ format: String) throws {
        var count = 1
        for side in shape {
            let (product, isTooLarge) = count.multipliedReportingOverflow(by: side)
            guard side >= 0, !isTooLarge else { throw RankError.badMessage("a shape of \(shape)") }
            count = product
        }
        let bytes = pieces.reduce(0) { $0 + $1.count }
        guard let format = StoredFormat(name: format), format.isComputed,
            count % format.group == 0, bytes == format.bytes(count)
        else { throw RankError.badMessage("\(bytes) bytes for a tensor of shape \(shape)") }
        self.init(uninitialized: shape, format) { target in
            var target = target
            for piece in pieces {
                piece.withUnsafeBytes { source in
                    guard let base = source.baseAddress else { return }
                    target.copyMemory(from: base, byteCount: source.count)
                    target += source.count
                }
            }
        }
    }
}
