/// The quantized number formats of ggml, the library under llama.cpp. A block holds a few scales
/// and many small integers; the raw value is the format's name in ggml.
@frozen public enum BlockFormat: String, Sendable, CaseIterable {
    /// 32 integers of 4, 5 or 8 bits and a scale; those that end in 1 have an offset too.
    case q40 = "Q4_0"
    case q41 = "Q4_1"
    case q50 = "Q5_0"
    case q51 = "Q5_1"
    case q80 = "Q8_0"
    /// 256 integers in sub-blocks, whose scales are quantized themselves.
    case q2K = "Q2_K"
    case q3K = "Q3_K"
    case q4K = "Q4_K"
    case q5K = "Q5_K"
    case q6K = "Q6_K"

    /// Numbers in a block.
    @inlinable public var count: Int {
        switch self {
        case .q40, .q41, .q50, .q51, .q80: 32
        case .q2K, .q3K, .q4K, .q5K, .q6K: 256
        }
    }

    /// Bytes of a block.
    @inlinable public var bytes: Int {
        switch self {
        case .q40: 18
        case .q41: 20
        case .q50: 22
        case .q51: 24
        case .q80: 34
        case .q2K: 84
        case .q3K: 110
        case .q4K: 144
        case .q5K: 176
        case .q6K: 210
        }
    }
}
