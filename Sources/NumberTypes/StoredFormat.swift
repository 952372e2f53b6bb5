/// How numbers are stored: one by one, or in blocks.
@frozen public enum StoredFormat: Hashable, Sendable {
    case plain(DType)
    case blocks(BlockFormat)

    public static let float32 = plain(.float32)
    public static let float16 = plain(.float16)
    public static let bfloat16 = plain(.bfloat16)
    public static let q80 = blocks(.q80)

    /// The formats in which a tensor keeps its elements in memory.
    public static let computed: [StoredFormat] = [.float32, .bfloat16, .float16, .q80]

    /// Whether a tensor keeps elements of this format without conversion.
    @inlinable public var isComputed: Bool {
        switch self {
        case .plain(let type): type.isComputed
        case .blocks(let format): format == .q80
        }
    }

    /// The type's name, or the block format's name in ggml.
    public var name: String {
        switch self {
        case .plain(let type): type.rawValue
        case .blocks(let format): format.rawValue
        }
    }

    public init?(name: String) {
        if let type = DType(rawValue: name) {
            self = .plain(type)
        } else if let format = BlockFormat(rawValue: name) {
            self = .blocks(format)
        } else {
            return nil
        }
    }

    /// The type of the same numbers one by one: bfloat16 for those in blocks, which are rounded
    /// more coarsely than it.
    public var plainType: DType {
        switch self {
        case .plain(let type): type
        case .blocks: .bfloat16
        }
    }

    /// Numbers that are stored together. A row holds a whole number of such groups.
    @inlinable public var group: Int {
        switch self {
        case .plain: 1
        case .blocks(let format): format.count
        }
    }

    /// Bytes of a group.
    @inlinable public var groupBytes: Int {
        switch self {
        case .plain(let type): type.size
        case .blocks(let format): format.bytes
        }
    }

    /// Bytes of so many numbers, or of those before a place; a whole number of groups.
    @inlinable public func bytes(_ count: Int) -> Int { count / group * groupBytes }

    /// The bytes of an array in row-major order; nil if a row is no whole number of groups, a
    /// dimension is negative, or the product overflows.
    public func byteCount(of shape: [Int]) -> Int? {
        guard let last = shape.last, last >= 0, last % group == 0 else { return nil }
        var total = last / group
        for factor in shape.dropLast() + [groupBytes] {
            guard factor >= 0 else { return nil }
            let (product, overflow) = total.multipliedReportingOverflow(by: factor)
            if overflow { return nil }
            total = product
        }
        return total
    }
}
