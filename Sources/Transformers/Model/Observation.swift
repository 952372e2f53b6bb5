import Layers
import LongWork
import Tensors

/// The values that a model computes on the way to its log-probs, for one plain sequence of T
/// tokens. The numbers and their places are those of Hugging Face transformers
/// (`output_hidden_states`, `output_attentions` with eager attention).
///
/// Scoring, training and generation do not pass through here: they keep none of these values.
extension LanguageModel {
    /// The hidden states of layer 0 to `configuration.layers`, (T, D) each.
    ///
    /// Layer 0 is the embeddings (with positions where they are learned). Layer l is the residual
    /// stream after block l; the last layer is also normed, and is the input of the head.
    ///
    /// - Parameter watch: asked before every block.
    /// - Throws: `ModelError` if the sequence is empty, longer than the context, or has a token
    ///   outside the vocabulary; `Canceled`.
    public func hiddenState(
        _ tokens: [Int32], layer: Int, watch: Watch = { _ in .more }
    ) throws -> Tensor {
        precondition((0...configuration.layers).contains(layer), "a layer of the model")
        return try hiddenState(family, tokens, layer, watch)
    }

    /// The attention probabilities inside block `layer`, counted from 0, which reads the hidden
    /// states of the same number: (heads, T, T). A row belongs to the token that looks, a column
    /// to the token that it looks at.
    ///
    /// - Throws: as `hiddenState`.
    public func attention(
        _ tokens: [Int32], layer: Int, heads: [Int], watch: Watch = { _ in .more }
    ) throws -> Tensor {
        precondition((0..<configuration.layers).contains(layer), "a block of the model")
        return try attention(family, tokens, layer, heads, watch)
    }

    /// The logits after some of the tokens: (rows, V). Their log-softmax are log-probs.
    ///
    /// - Throws: as `hiddenState`.
    public func logits(
        _ tokens: [Int32], rows: [Int], watch: Watch = { _ in .more }
    ) throws -> Tensor {
        try logits(family, tokens, rows, watch)
    }

    /// The logit lens (nostalgebraist, 2020): the hidden state of each layer at one token, through
    /// the last norm and the head. (layers + 1, V); the last row is the model's own answer.
    ///
    /// - Throws: as `hiddenState`.
    public func lens(
        _ tokens: [Int32], row: Int, watch: Watch = { _ in .more }
    ) throws -> Tensor {
        try lens(family, tokens, row, watch)
    }
}

extension LanguageModel {
    /// Runs the blocks one by one. `visit` sees the residual stream before each block, (T, D), and
    /// the activations that the block's attention keeps.
    private func run<F: Family>(
        _ family: F, _ tokens: [Int32], blocks: Int, _ watch: Watch,
        _ visit: (Int, Tensor, F.SelfAttention.Activations) -> Void
    ) throws -> Tensor {
        var forest = TokenForest()
        forest.append(tokens)
        try check(forest)
        let context = BlockContext(
            positions: forest.positions, plan: forest.plan(window: nil), cache: nil)
        var x = family.embed(forest.tokens, context.positions, parameters)
        for block in 0..<blocks {
            try Canceled.check(watch, Double(block) / Double(blocks))
            let (out, activations) = family.blocks[block].forward(x, context, parameters)
            visit(block, x, activations.attention)
            x = out
        }
        return x
    }

    private func hiddenState(
        _ family: some Family, _ tokens: [Int32], _ layer: Int, _ watch: Watch
    ) throws -> Tensor {
        let x = try run(family, tokens, blocks: layer, watch) { _, _, _ in }
        return layer == configuration.layers ? family.applyFinalNorm(x, parameters) : x
    }

    private func attention(
        _ family: some Family, _ tokens: [Int32], _ layer: Int, _ heads: [Int],
        _ watch: Watch
    ) throws -> Tensor {
        let sublayer = family.blocks[layer].attention
        var found = Tensor(zeros: [0])
        _ = try run(family, tokens, blocks: layer + 1, watch) { block, _, kept in
            guard block == layer else { return }
            found = sublayer.attention.probabilities(
                kept.query, kept.key, window: sublayer.window, heads: heads)
        }
        return found
    }

    private func logits(
        _ family: some Family, _ tokens: [Int32], _ rows: [Int], _ watch: Watch
    ) throws -> Tensor {
        var forest = TokenForest()
        forest.append(tokens)
        try check(forest)
        precondition(rows.allSatisfy(tokens.indices.contains), "rows of the sequence")
        let hidden = try hiddenRows(forest, rows, watch)
        return headLogits(family, hidden)
    }

    private func lens(
        _ family: some Family, _ tokens: [Int32], _ row: Int, _ watch: Watch
    ) throws -> Tensor {
        precondition(tokens.isEmpty || tokens.indices.contains(row), "a row of the sequence")
        let width = configuration.hiddenSize
        var states: [Float] = []
        let last = try run(family, tokens, blocks: configuration.layers, watch) { _, x, _ in
            states += x.gatheringRows([row]).values
        }
        states += last.gatheringRows([row]).values
        let stacked = Tensor(states, shape: [configuration.layers + 1, width])
        return headLogits(family, family.applyFinalNorm(stacked, parameters))
    }

    func headLogits(_ hidden: Tensor) -> Tensor { headLogits(family, hidden) }

    /// h (M, D) after the last norm → (M, V)
    private func headLogits(_ family: some Family, _ hidden: Tensor) -> Tensor {
        let head = parameters[family.head]
        var logits = Tensor(uninitialized: [hidden.rows, head.rows])
        parameters.arithmetic.product(hidden, head, into: &logits)
        return logits
    }
}
