/// A dense float32 array in row-major order, with value semantics: copies share memory until one
/// of them is written.
///
/// Matrices are `(rows, columns)`; `rows` is the product of all but the last side. The element
/// accessors check nothing in release builds; whoever passes indexes that a person typed checks
/// them first.
public struct Tensor: Sendable {
    public private(set) var shape: [Int]
    private var storage: Storage

    public init(zeros shape: [Int]) {
        self.shape = shape
        storage = Storage(zeros: shape.reduce(1, *))
    }

    /// Memory that the caller overwrites before it reads.
    public init(uninitialized shape: [Int]) {
        self.shape = shape
        storage = Storage(uninitialized: shape.reduce(1, *))
    }

    public init(repeating value: Float, shape: [Int]) {
        self.init(uninitialized: shape)
        storage.pointer.initialize(repeating: value, count: count)
    }

    /// `values` in row-major order; missing ones are zero, surplus ones are dropped.
    public init(_ values: [Float], shape: [Int]) {
        self.init(zeros: shape)
        values.withUnsafeBufferPointer { source in
            if let base = source.baseAddress {
                storage.pointer.update(from: base, count: min(count, source.count))
            }
        }
    }

    public var count: Int { storage.count }
    public var columns: Int { shape.last ?? 1 }
    public var rows: Int { columns == 0 ? 0 : count / columns }

    /// The elements, copied out in row-major order.
    public var values: [Float] {
        Array(UnsafeBufferPointer(start: storage.pointer, count: count))
    }

    public subscript(index: Int) -> Float {
        get { storage.pointer[index] }
        set { mutablePointer()[index] = newValue }
    }

    public subscript(row: Int, column: Int) -> Float {
        get { storage.pointer[row * columns + column] }
        set { mutablePointer()[row * columns + column] = newValue }
    }

    public func withUnsafeBufferPointer<Result>(
        _ body: (UnsafeBufferPointer<Float>) throws -> Result
    ) rethrows -> Result {
        try withExtendedLifetime(storage) {
            try body(UnsafeBufferPointer(start: storage.pointer, count: count))
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

    /// The same elements under another shape of equal count.
    public func reshaped(_ shape: [Int]) -> Tensor {
        assert(shape.reduce(1, *) == count)
        var result = self
        result.shape = shape
        return result
    }

    // Kernels take tensors as parameters, which keeps them alive for the call, and work on these.

    package var pointer: UnsafePointer<Float> { UnsafePointer(storage.pointer) }

    package mutating func mutablePointer() -> UnsafeMutablePointer<Float> {
        if !isKnownUniquelyReferenced(&storage) {
            let copy = Storage(uninitialized: storage.count)
            copy.pointer.update(from: storage.pointer, count: storage.count)
            storage = copy
        }
        return storage.pointer
    }
}

extension Tensor: Equatable {
    /// Equal shapes and equal elements; a NaN equals nothing.
    public static func == (left: Tensor, right: Tensor) -> Bool {
        guard left.shape == right.shape else { return false }
        for i in 0..<left.count where left[i] != right[i] { return false }
        return true
    }
}
