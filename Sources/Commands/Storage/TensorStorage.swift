import HDF5Objects
import NumberTypes
import Tensors

extension StoredBytes {
    /// The elements of a tensor in their stored format. The owner shares the tensor's memory, so
    /// that whoever changes the tensor changes a copy.
    fileprivate convenience init(_ tensor: Tensor) {
        final class Owner {
            let tensor: Tensor
            init(_ tensor: Tensor) { self.tensor = tensor }
        }
        let owner = Owner(tensor)
        let bytes = tensor.withUnsafeBytes { $0 }
        self.init(borrowing: bytes, of: owner)
    }
}

extension StoredArray {
    /// The elements one by one: those in blocks become bfloat16.
    package init(_ tensor: Tensor) throws {
        let plain = tensor.plain
        self = try StoredArray(
            type: plain.format.plainType, shape: plain.shape, memory: StoredBytes(plain))
    }
}

extension StoredValue {
    private static let blocksKey = "sami.blocks"

    /// A tensor as it is: an array, or a record of its bytes for elements in blocks.
    init(_ tensor: Tensor) throws {
        guard case .blocks(let format) = tensor.format else {
            self = .array(try StoredArray(tensor))
            return
        }
        let memory = StoredBytes(tensor)
        self = .record(
            StoredRecord([
                (Self.blocksKey, .text(format.rawValue)),
                ("shape", .list(tensor.shape.map { .number(Double($0)) })),
                (
                    "bytes",
                    .array(try StoredArray(type: .uint8, shape: [memory.count], memory: memory))
                ),
            ]))
    }

    /// The format of the tensor that a record describes; nil for any other value.
    fileprivate var blockFormat: BlockFormat? {
        self[Self.blocksKey]?.textValue.flatMap(BlockFormat.init)
    }
}

extension Tensor {
    /// 16-bit numbers keep their type; whole numbers and double precision become float32. Large
    /// arrays are not copied: they stay in the mapped file.
    init(_ array: StoredArray) throws {
        self.init(
            borrowing: array.memory.base, .plain(array.type), shape: array.shape,
            of: array.memory)
    }

    /// A tensor in blocks; nil for a value that describes none.
    ///
    /// - Throws: `StorageError` if its parts do not fit together.
    init?(blocks stored: StoredValue) throws {
        guard let blocks = stored.blockFormat else { return nil }
        let format = StoredFormat.blocks(blocks)
        let shape = stored["shape"]?.listValue?.compactMap {
            $0.numberValue.flatMap(Int.init(exactly:))
        }
        guard let shape, !shape.isEmpty, let array = stored["bytes"]?.arrayValue,
            array.type == .uint8, format.byteCount(of: shape) == array.byteCount
        else {
            throw StorageError(kind: "tensor", problem: "its blocks do not fit its shape")
        }
        self.init(borrowing: array.memory.base, format, shape: shape, of: array.memory)
    }
}
