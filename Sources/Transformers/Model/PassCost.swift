/// The costs of the parts of a pass, so that the share of finished work grows evenly.
///
/// The unit is the forward pass of one block. A backward pass costs two forward passes.
struct PassCost {
    let layers: Int
    /// The forward pass of the head for the scored rows.
    let head: Double

    /// - Parameters:
    ///   - rows: N, the rows that go through the blocks.
    ///   - scored: M, the rows that go through the head.
    init(_ model: LanguageModel, rows: Int, scored: Int) {
        let c = model.configuration
        let table = c.vocabularySize * c.hiddenSize
        let tables = c.tiedHead ? table : 2 * table
        let block = Double(max(1, model.parameterCount - tables)) / Double(max(1, c.layers))
        layers = c.layers
        head = Double(scored) * Double(table) / (Double(max(1, rows)) * block)
    }

    /// The cost of a forward pass.
    var forward: Double { Double(layers) + head }
}
