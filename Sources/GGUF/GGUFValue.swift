/// A value of a file's metadata. The widths of numbers are not kept.
public enum GGUFValue: Hashable, Sendable {
    case integer(Int)
    case number(Double)
    case bool(Bool)
    case text(String)
    case integers([Int])
    case numbers([Double])
    case bools([Bool])
    case texts([String])

    /// The kind in a sentence.
    public var kind: String {
        switch self {
        case .integer: "a whole number"
        case .number: "a number"
        case .bool: "true or false"
        case .text: "a text"
        case .integers: "a list of whole numbers"
        case .numbers: "a list of numbers"
        case .bools: "a list of true and false"
        case .texts: "a list of texts"
        }
    }
}

/// The types of metadata values, by their numbers in the format.
enum GGUFValueType: UInt32 {
    case uint8, int8, uint16, int16, uint32, int32, float32, bool, text, array, uint64, int64
    case float64

    /// Bytes of a value; the least bytes of a text, which has its length in front.
    var size: Int {
        switch self {
        case .uint8, .int8, .bool: 1
        case .uint16, .int16: 2
        case .uint32, .int32, .float32: 4
        case .text, .uint64, .int64, .float64: 8
        // The type and the count of its elements.
        case .array: 12
        }
    }
}
