import Transformers

/// The model shapes of the PyTorch script that runs beside these benchmarks.
enum Shapes {
    static let names = ["S", "M", "L", "7B", "T", "LAYERSxWIDTH"]

    /// S 8 x 256, vocabulary 4,096; M 6 x 288, 32,000; L 30 x 576, 49,152 (SmolLM2-135M's);
    /// 7B four layers of mistral-7b's 32; T the shipped model's; 8x512 eight layers of that width
    /// (a multiple of 64), vocabulary 4,096.
    static func configuration(_ name: String) -> ModelConfiguration? {
        switch name {
        case "S":
            ModelConfiguration(
                hiddenSize: 256, layers: 8, heads: 8, feedForwardSize: 688, vocabularySize: 4096)
        case "M":
            ModelConfiguration(
                hiddenSize: 288, layers: 6, heads: 6, feedForwardSize: 768, vocabularySize: 32_000)
        case "L":
            ModelConfiguration(
                hiddenSize: 576, layers: 30, heads: 9, keyValueHeads: 3, feedForwardSize: 1536,
                vocabularySize: 49_152)
        case "7B":
            ModelConfiguration(
                hiddenSize: 4096, layers: 4, heads: 32, keyValueHeads: 8, feedForwardSize: 14_336,
                vocabularySize: 32_000, tiedHead: false)
        case "T":
            ModelConfiguration(
                hiddenSize: 128, layers: 5, heads: 4, feedForwardSize: 384, vocabularySize: 768)
        default: uniform(name)
        }
    }

    private static func uniform(_ name: String) -> ModelConfiguration? {
        let sides = name.split(separator: "x").compactMap { Int($0) }
        guard sides.count == 2, (1...100).contains(sides[0]), (64...8192).contains(sides[1]),
            sides[1] % 64 == 0
        else { return nil }
        return ModelConfiguration(
            hiddenSize: sides[1], layers: sides[0], heads: sides[1] / 64,
            feedForwardSize: 3 * sides[1], vocabularySize: 4096)
    }
}

/// The least number of operations that a piece of work needs.
struct Work {
    /// Multiplications and additions, each counted as one.
    var operations = 0.0

    /// `rows` tokens through the blocks, once forward. The last block needs only the rows in
    /// `read`, and the keys and values of all rows.
    mutating func blocks(_ c: ModelConfiguration, rows: Int, read: Int, attended: Int) {
        let queries = c.heads * c.headSize
        let keys = 2 * c.hiddenSize * c.keyValueHeads * c.headSize
        let others = 2 * c.hiddenSize * queries + 3 * c.hiddenSize * c.feedForwardSize
        let (all, asked) = (Double(c.layers * rows), Double((c.layers - 1) * rows + read))
        operations += 2 * (all * Double(keys) + asked * Double(others))
        // On average queries see the same number of keys, whether their rows are read or not.
        operations += 4 * asked / Double(max(1, rows)) * Double(attended) * Double(queries)
    }

    /// `rows` rows through the head, once forward.
    mutating func head(_ c: ModelConfiguration, rows: Int) {
        operations += 2.0 * Double(rows) * Double(c.hiddenSize) * Double(c.vocabularySize)
    }

    /// The backward pass of a frozen model forms the gradients of its inputs alone.
    func withFrozenBackward() -> Work { Work(operations: 2 * operations) }

    /// A backward pass costs two forward passes.
    func withBackward() -> Work { Work(operations: 3 * operations) }
}
