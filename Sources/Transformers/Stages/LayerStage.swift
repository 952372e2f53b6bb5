/// The blocks of a model that one of several processes computes, in a line: rows of hidden states
/// go from stage to stage. The first stage embeds tokens too, and the last one has the head.
public struct LayerStage: Sendable, Hashable {
    /// From 0.
    public let number: Int
    public let count: Int
    public let blocks: Range<Int>

    /// All of a model.
    init(whole layers: Int) {
        (number, count, blocks) = (0, 1, 0..<layers)
    }

    private init(_ number: Int, of count: Int, _ blocks: Range<Int>) {
        (self.number, self.count, self.blocks) = (number, count, blocks)
    }

    public var isFirst: Bool { number == 0 }
    public var isLast: Bool { number == count - 1 }

    /// A model's blocks in stages with about as many weights in each, one block at least. The same
    /// for equal shapes, so that every process finds the same division by itself.
    ///
    /// - Parameter count: if the model has fewer layers, there is a stage for each of them.
    /// - Throws: `ModelError.unknownFamily`.
    public static func division(
        of configuration: ModelConfiguration, into count: Int
    ) throws -> [LayerStage] {
        let layers = configuration.layers
        let count = min(max(1, count), max(1, layers))
        // Elements before the blocks, in each of them, and after them.
        var sizes = [Double](repeating: 0, count: layers + 2)
        let family = try Families.family(configuration)
        for (index, entry) in family.layout.entries.enumerated() {
            let size = Double(entry.shape.reduce(1, *))
            sizes[min(layers, max(-1, entry.depth)) + 1] += size
            if index == family.head.index, entry.depth < layers { sizes[layers + 1] += size }
        }
        let whole = sizes.reduce(0, +)
        var bounds = [0]
        var (sum, block) = (sizes[0], 0)
        for number in 1..<max(1, count) {
            // A block that is not whole goes to the later stage, which has fewer rows on their way.
            let wanted = whole * Double(number) / Double(count)
            let most = layers - (count - number)
            while block < most,
                block == bounds[number - 1] || sum + 0.75 * sizes[block + 1] <= wanted
            {
                sum += sizes[block + 1]
                block += 1
            }
            bounds.append(block)
        }
        bounds.append(layers)
        return (0..<count).map { LayerStage($0, of: count, bounds[$0]..<bounds[$0 + 1]) }
    }

    /// The places of the tensors that the stage needs, in layout order. A head that is the
    /// embedding's own matrix belongs to the first stage and to the last.
    func places(_ family: some Family) -> [Int] {
        let layers = family.blocks.count
        return family.layout.entries.enumerated().filter { index, entry in
            blocks.contains(entry.depth) || (isFirst && entry.depth < 0)
                || (isLast && (entry.depth >= layers || index == family.head.index))
        }.map(\.offset)
    }

    /// The same for a model of this configuration.
    ///
    /// - Throws: `ModelError.unknownFamily`.
    public func places(_ configuration: ModelConfiguration) throws -> [Int] {
        places(try Families.family(configuration))
    }
}
