/// The number types of tensors, checkpoints and workspaces. The raw value is the type's name in
/// numpy, in PyTorch, and in a workspace's files.
///
/// Arithmetic is float32, whatever the type in memory or on disk.
@frozen public enum DType: String, Sendable, CaseIterable {
    case float64, float32, float16, bfloat16
    case int64, int32, int16, int8
    case uint64, uint32, uint16, uint8
    case bool

    /// The types in which a tensor stores its elements one by one in memory. A tensor made from
    /// bytes of any other type stores them as float32.
    public static let computed: [DType] = [.float32, .bfloat16, .float16]

    /// Whether a tensor stores elements of this type without conversion.
    @inlinable public var isComputed: Bool {
        self == .float32 || self == .bfloat16 || self == .float16
    }

    /// Bytes of one element.
    @inlinable public var size: Int {
        switch self {
        case .float64, .int64, .uint64: 8
        case .float32, .int32, .uint32: 4
        case .float16, .bfloat16, .int16, .uint16: 2
        case .int8, .uint8, .bool: 1
        }
    }

    /// The bytes of an array in row-major order; nil if a dimension is negative or the product
    /// overflows.
    public func byteCount(of shape: [Int]) -> Int? {
        var total = size
        for side in shape {
            guard side >= 0 else { return nil }
            let (product, overflow) = total.multipliedReportingOverflow(by: side)
            // A later zero would make an overflowing shape empty, but HDF5 multiplies in order too.
            if overflow { return nil }
            total = product
        }
        return total
    }
}
