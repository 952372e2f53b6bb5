import Foundation
import NumberTypes

/// A dense array of numbers in row-major order, with value semantics: copies share memory until one
/// of them is written.
///
/// Reading and writing elements uses float32. Weights may be stored in a 16-bit type or in blocks
/// of 8-bit integers, and may lie in a mapped file. Writing to a tensor converts it to float32 in
/// memory of its own.
///
/// A tensor is used as a matrix `(rows, columns)`; `rows` is the product of all dimensions but the
/// last. The element accessors check nothing in release builds. Code that passes indexes from a
/// user's input checks them first.
public struct Tensor: Sendable {
    public private(set) var shape: [Int]
    private(set) var storage: Storage

    public init(zeros shape: [Int]) {
        self.shape = shape
        storage = Storage(zeros: shape.reduce(1, *))
    }

    /// A tensor with arbitrary contents, for a caller that writes every element before it reads.
    public init(uninitialized shape: [Int]) {
        self.shape = shape
        storage = Storage(uninitialized: shape.reduce(1, *))
    }

    public init(repeating value: Float, shape: [Int]) {
        self.init(uninitialized: shape)
        storage.floats.initialize(repeating: value, count: count)
    }

    /// Stored elements, copied: as many bytes as shape and type take. Those of a type that no
    /// tensor keeps (`DType.computed`) become float32.
    public init(bytes: UnsafeRawBufferPointer, _ type: DType, shape: [Int]) {
        self.shape = shape
        guard type.isComputed else {
            storage = Storage(zeros: shape.reduce(1, *))
            let length = min(storage.count, bytes.count / type.size)
            if let base = bytes.baseAddress { widen(base, type, length, into: storage.floats) }
            return
        }
        storage = Storage(uninitialized: shape.reduce(1, *), .plain(type))
        let target = UnsafeMutableRawBufferPointer(
            start: storage.address, count: storage.count * type.size)
        require(bytes.count == target.count, "\(bytes.count) bytes for shape \(shape)")
        target.copyMemory(from: bytes)
    }

    /// Elements that lie in memory which `owner` keeps as long as it lives and nobody writes, as of
    /// a mapped file: nothing is copied, unless they are not aligned to their own size or of a
    /// format that no tensor keeps (`StoredFormat.computed`).
    ///
    /// - Parameter address: `format.byteCount(of: shape)` bytes.
    public init(
        borrowing address: UnsafeRawPointer, _ format: StoredFormat, shape: [Int],
        of owner: AnyObject
    ) {
        let count = shape.reduce(1, *)
        self.shape = shape
        // Blocks are read byte by byte.
        let alignment = format.group == 1 ? format.groupBytes : 1
        if !format.isComputed {
            storage = Storage(uninitialized: count)
            widen(address, format, count, into: storage.floats)
        } else if UInt(bitPattern: address) % UInt(alignment) == 0 {
            storage = Storage(borrowing: address, count, format, of: owner)
        } else {
            storage = Storage(uninitialized: count, format)
            storage.address.copyMemory(from: address, byteCount: format.bytes(count))
        }
    }

    /// Elements that `body` writes in their stored format, one of `StoredFormat.computed`.
    package init(
        uninitialized shape: [Int], _ format: StoredFormat,
        writing body: (UnsafeMutableRawPointer) -> Void
    ) {
        self.shape = shape
        storage = Storage(uninitialized: shape.reduce(1, *), format)
        body(storage.address)
    }

    /// `values` in row-major order, as many as the shape has.
    public init(_ values: [Float], shape: [Int]) {
        self.init(uninitialized: shape)
        require(values.count == count, "\(values.count) values for shape \(shape)")
        values.withUnsafeBufferPointer { source in
            if let base = source.baseAddress {
                storage.floats.update(from: base, count: min(count, source.count))
            }
        }
    }

    /// Whether two tensors are the same memory, so that neither has been changed since one was
    /// copied from the other.
    public func sharesMemory(with other: Tensor) -> Bool { storage === other.storage }

    public var count: Int { storage.count }
    /// How the elements are stored: one of `StoredFormat.computed`.
    public var format: StoredFormat { storage.format }
    public var columns: Int { shape.last ?? 1 }
    public var rows: Int { columns == 0 ? 0 : count / columns }

    /// The elements, copied in row-major order.
    public var values: [Float] {
        Array(unsafeUninitializedCapacity: count) { target, initialized in
            if let base = target.baseAddress { widen(storage.address, format, count, into: base) }
            initialized = count
        }
    }

    public subscript(index: Int) -> Float {
        get {
            switch format {
            case .float32: storage.floats[index]
            case .bfloat16: float(fromBFloat16: bits[index])
            case .float16: float(fromFloat16: bits[index])
            default: element(inBlocks: index)
            }
        }
        set { mutablePointer()[index] = newValue }
    }

    private var bits: UnsafeMutablePointer<UInt16> {
        storage.address.assumingMemoryBound(to: UInt16.self)
    }

    /// An element of a block, whose other elements are converted too.
    private func element(inBlocks index: Int) -> Float {
        let format = format
        let first = index / format.group * format.group
        return withUnsafeTemporaryAllocation(of: Float.self, capacity: format.group) { block in
            guard let base = block.baseAddress else { return .nan }
            widen(storage.address + format.bytes(first), format, format.group, into: base)
            return base[index - first]
        }
    }

    public subscript(row: Int, column: Int) -> Float {
        get { self[row * columns + column] }
        set { mutablePointer()[row * columns + column] = newValue }
    }

    /// The elements as float32: in place, or a copy for the duration of the call if they are stored
    /// differently.
    public func withUnsafeBufferPointer<Result>(
        _ body: (UnsafeBufferPointer<Float>) throws -> Result
    ) rethrows -> Result {
        if format != .float32 { return try converted(to: .float32).withUnsafeBufferPointer(body) }
        return try withExtendedLifetime(storage) {
            try body(UnsafeBufferPointer(start: storage.floats, count: count))
        }
    }

    /// The elements in their stored format.
    public func withUnsafeBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        try withExtendedLifetime(storage) {
            try body(UnsafeRawBufferPointer(start: storage.address, count: format.bytes(count)))
        }
    }

    /// The same elements in another of `StoredFormat.computed`, rounded to nearest. A tensor that
    /// does not fit into blocks stays as it is.
    public func converted(to format: StoredFormat) -> Tensor {
        guard format != self.format, format.isComputed else { return self }
        switch format {
        case .plain(let type): return recoded(as: type)
        case .blocks: return quantized() ?? self
        }
    }

    private func recoded(as type: DType) -> Tensor {
        var result = self
        result.storage = Storage(uninitialized: count, .plain(type))
        let (source, target) = (storage, result.storage)
        // Every range but the last is a whole number of blocks of any format.
        Workers.split(count, grain: 1 << 15) { range in
            let from = source.address + source.format.bytes(range.lowerBound)
            let to = target.address + range.lowerBound * type.size
            if type == .float32 {
                widen(
                    from, source.format, range.count, into: to.assumingMemoryBound(to: Float.self))
            } else {
                Tensor.recode(from, source.format, range.count, type, into: to)
            }
        }
        return result
    }

    /// The same elements one by one, for files that have no blocks.
    public var plain: Tensor { converted(to: .plain(format.plainType)) }

    private static func recode(
        _ source: UnsafeRawPointer, _ from: StoredFormat, _ count: Int, _ type: DType,
        into target: UnsafeMutableRawPointer
    ) {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 1024) { scratch in
            guard let base = scratch.baseAddress else { return }
            var first = 0
            while first < count {
                let length = min(1024, count - first)
                widen(source + from.bytes(first), from, length, into: base)
                narrow(base, length, type, into: target + first * type.size)
                first += length
            }
        }
    }

    /// The elements as float32, in order. If the elements must be converted, the runs are short.
    func forEachRun(_ body: (UnsafePointer<Float>, Int) -> Void) {
        let format = format
        if format == .float32 { return body(UnsafePointer(storage.floats), count) }
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 4096) { scratch in
            guard let base = scratch.baseAddress else { return }
            var first = 0
            while first < count {
                let length = min(4096, count - first)
                widen(storage.address + format.bytes(first), format, length, into: base)
                body(base, length)
                first += length
            }
        }
    }

    public mutating func withUnsafeMutableBufferPointer<Result>(
        _ body: (UnsafeMutableBufferPointer<Float>) throws -> Result
    ) rethrows -> Result {
        let pointer = mutablePointer()
        return try withExtendedLifetime(storage) {
            try body(UnsafeMutableBufferPointer(start: pointer, count: count))
        }
    }

    /// The same elements with another shape of equal count. Blocks whose rows would cross them
    /// become float32.
    public func reshaped(_ shape: [Int]) -> Tensor {
        require(shape.reduce(1, *) == count, "\(self.shape) reshaped to \(shape)")
        let hasWholeBlocks = (shape.last ?? 1) % format.group == 0
        var result = hasWholeBlocks ? self : converted(to: .float32)
        result.shape = shape
        return result
    }

    // Kernels take tensors as parameters, which keeps the tensors alive for the call, and use these
    // pointers.

    package var pointer: UnsafePointer<Float> { storage.readable }
    /// The elements in their stored format.
    package var address: UnsafeRawPointer { UnsafeRawPointer(storage.address) }

    package mutating func mutablePointer() -> UnsafeMutablePointer<Float> {
        if !isKnownUniquelyReferenced(&storage) || !storage.isWritable {
            let copy = Storage(uninitialized: storage.count)
            widen(storage.address, storage.format, storage.count, into: copy.floats)
            storage = copy
        }
        storage.version &+= 1
        return storage.floats
    }
}

extension Tensor: Equatable {
    /// Equal shapes and equal elements; a NaN equals nothing.
    public static func == (left: Tensor, right: Tensor) -> Bool {
        guard left.shape == right.shape else { return false }
        for i in 0..<left.count where left[i] != right[i] { return false }
        return true
    }

    /// Whether both hold the same numbers in the same order; a NaN equals nothing. Of one stored
    /// format they are compared byte for byte, without a copy.
    package func hasElements(of other: Tensor) -> Bool {
        guard shape == other.shape else { return false }
        if format == other.format {
            return memcmp(storage.address, other.storage.address, format.bytes(count)) == 0
        }
        return converted(to: .float32) == other.converted(to: .float32)
    }
}
