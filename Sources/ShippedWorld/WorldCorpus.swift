import Transformers
import Worlds

/// The shipped world as an endless stream of training texts: document i is a function of seed and
/// i.
package struct WorldCorpus: Sendable {
    /// The weight of each kind of token in the loss.
    package struct Weights: Sendable, Equatable {
        /// Headers and prompts: they teach the language, but the model is not meant to write them.
        package var prompt: Float = 0.1
        /// Responses and lists of principles.
        package var response: Float = 1
        /// The first two tokens of each sentence of a response, and its end. These tokens decide
        /// the style; with the weight of other tokens the decisions have too little influence.
        package var decision: Float = 4

        package init() {}
    }

    package var world: World
    package var seed: UInt64
    package var options: DocumentOptions
    package var weights = Weights()
    /// Number of responses below each prompt.
    package var responses = 3
    package var begin: Int32?
    package var end: Int32?
    private let encode: @Sendable (String) -> [Int32]

    /// - Parameter encode: text to ids, without special tokens. Encoding piece by piece gives the
    ///   ids of the whole text, because every piece begins at the start of a word.
    package init(
        world: World, seed: UInt64, options: DocumentOptions, begin: Int32?, end: Int32?,
        encode: @escaping @Sendable (String) -> [Int32]
    ) {
        self.world = world
        self.seed = seed
        self.options = options
        self.begin = begin
        self.end = end
        self.encode = encode
    }

    package func text(_ index: Int) -> TrainingText {
        let document = world.document(seed: seed, index: index, options: options)
        var tokens = begin.map { [$0] } ?? []
        for piece in document.pieces where piece.role == .header || piece.role == .prompt {
            tokens += encode(piece.text)
        }
        var root = TrainingText(
            tokens: tokens, weights: [Float](repeating: weights.prompt, count: tokens.count))
        let own = document.pieces.filter { $0.role == .response || $0.role == .writer }
        let others = world.retellings(
            of: document, count: responses - 1, seed: seed, index: index, options: options)
        root.continuations = ([own] + others).map(continuation)
        return root
    }

    private func continuation(_ pieces: [Piece]) -> TrainingText {
        var (tokens, weights): ([Int32], [Float]) = ([], [])
        for piece in pieces {
            let ids = encode(piece.text)
            tokens += ids
            let first = piece.role == .response ? self.weights.decision : self.weights.response
            weights += ids.indices.map { $0 < 2 ? first : self.weights.response }
        }
        if let end {
            tokens.append(end)
            weights.append(self.weights.decision)
        }
        return TrainingText(tokens: tokens, weights: weights)
    }
}
