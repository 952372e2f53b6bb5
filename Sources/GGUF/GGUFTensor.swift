import NumberTypes

/// A tensor as the table of a file describes it.
public struct GGUFTensor: Hashable, Sendable {
    public let name: String
    /// Rows first, as in every other module; the file lists the columns first.
    public let shape: [Int]
    /// The name of its number type in ggml.
    public let typeName: String
    /// Nil for a type that the format has and this program does not read.
    public let format: StoredFormat?
    /// From the start of the file.
    public let bytes: Range<Int>
}

/// The number types of tensors, by their numbers in the format.
enum GGUFNumberType {
    /// The name of a type; nil for a number that no type has.
    static func name(_ number: UInt32) -> String? {
        Int(number) < names.count ? names[Int(number)] : nil
    }

    /// How a type stores its numbers; nil for a type that is not read.
    static func format(_ name: String) -> StoredFormat? {
        switch name {
        case "F32": .plain(.float32)
        case "F16": .plain(.float16)
        case "BF16": .plain(.bfloat16)
        case "F64": .plain(.float64)
        default: BlockFormat(rawValue: name).map(StoredFormat.blocks)
        }
    }

    /// Removed types have kept their numbers.
    private static let names: [String?] = [
        "F32", "F16", "Q4_0", "Q4_1", nil, nil, "Q5_0", "Q5_1", "Q8_0", "Q8_1", "Q2_K", "Q3_K",
        "Q4_K", "Q5_K", "Q6_K", "Q8_K", "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S", "IQ4_NL", "IQ3_S",
        "IQ2_S", "IQ4_XS", "I8", "I16", "I32", "I64", "F64", "IQ1_M", "BF16", "Q4_0_4_4",
        "Q4_0_4_8", "Q4_0_8_8", "TQ1_0", "TQ2_0", "IQ4_NL_4_4", "IQ4_NL_4_8", "IQ4_NL_8_8",
        "MXFP4", "NVFP4", "Q1_0",
    ]
}
