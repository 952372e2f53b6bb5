import Foundation
import LongWork
import Tensors
import Testing
import TextModels
import Tokenizers
import Transformers

@testable import Alignment

/// A model whose next token depends on the last token alone, according to a table: its residual
/// stream is the axis of the last token, its blocks add nothing, and its head is the table. So its
/// output is known in advance.
struct Babbler {
    let model: LanguageModel
    let tokenizer: Tokenizer

    /// Another model in its place.
    init(model: LanguageModel, tokenizer: Tokenizer) {
        (self.model, self.tokenizer) = (model, tokenizer)
    }

    /// - Parameter table: for each character, the possible next characters with their weights; "$"
    ///   ends the text.
    init(
        _ table: [Character: [(Character, Double)]], context: Int = 200,
        tokenizer: Tokenizer? = nil
    ) throws {
        let tokenizer = try tokenizer ?? BytePairTrainer(vocabularySize: 259).train(["a"])
        self.tokenizer = tokenizer
        let vocabulary = tokenizer.idLimit
        let width = (vocabulary + 1) / 2 * 2
        let end = try #require(tokenizer.eos)
        let random = try LanguageModel(
            ModelConfiguration(
                hiddenSize: width, layers: 1, heads: 1, feedForwardSize: 2,
                vocabularySize: vocabulary, contextLength: context, tiedHead: false,
                beginToken: tokenizer.bos, endTokens: [end]), key: RandomKey(seed: 1))
        var weights = random.parameters
        for name in ["self_attn.o_proj", "mlp.down_proj"] {
            let name = "model.layers.0.\(name).weight"
            let shape = try #require(weights[name]).shape
            weights[name] = Tensor(zeros: shape)
        }
        var embedding = Tensor(zeros: [vocabulary, width])
        for token in 0..<vocabulary { embedding[token, token] = 1 }
        weights["model.embed_tokens.weight"] = embedding

        func id(_ character: Character) throws -> Int {
            if character == "$" { return Int(end) }
            let tokens = tokenizer.encode(String(character), special: false)
            return Int(try #require(tokens.count == 1 ? tokens.first : nil))
        }
        // The norm makes the axis √D long; e⁻²⁰ is never drawn.
        let scale = Double(width).squareRoot()
        var head = Tensor(repeating: Float(-20 / scale), shape: [vocabulary, width])
        for (last, nexts) in table {
            for (next, weight) in nexts {
                head[try id(next), try id(last)] = Float(log(weight) / scale)
            }
        }
        weights["lm_head.weight"] = head
        model = random.with(weights)
    }

    /// Words over a–h after the prompt's last character, with a full stop at the end.
    static func words(cue: Character = ":", tokenizer: Tokenizer? = nil) throws -> Babbler {
        let letters = "abcdefgh".map { ($0, 0.1) }
        var table: [Character: [(Character, Double)]] = [
            cue: [(" ", 1)], " ": letters, ".": [("$", 1)],
        ]
        for (letter, _) in letters { table[letter] = letters + [(".", 0.2)] }
        return try Babbler(table, tokenizer: tokenizer)
    }

    static let queries = (0..<12).map { Query(id: "q\($0)", form: .post, text: "P\($0)") }
    static let pairs = [
        PrinciplePair(principle: "Do x.", antithesis: "Avoid x."),
        PrinciplePair(principle: "Do y.", antithesis: "Avoid y."),
    ]

    func text(_ prompts: Prompts = .tiny) -> TextModel {
        TextModel(model: model, tokenizer: tokenizer, prompts: prompts)
    }

    func rollOut(
        _ settings: RolloutSettings, count: Int = 2, queries: [Query] = Babbler.queries,
        prompts: Prompts = .tiny, isMalformed: (@Sendable (String, Query) -> Bool)? = nil,
        progress: (WorkProgress) -> Continuation = { _ in .more }
    ) throws -> Rollouts {
        let groups = try Composer(count: count).compose(
            queries, from: Babbler.pairs, key: RandomKey(seed: 5))
        return try RolloutSampler(settings, isMalformed: isMalformed).sample(
            queries, groups, with: text(prompts), key: RandomKey(seed: 6), progress: progress)
    }
}
