import Foundation
import Tensors
import Testing
import TextModels
import Tokenizers
import Transformers

/// A text model whose next token follows from the last one alone, as a table says: the residual
/// stream is the last token's own axis, the block adds nothing, and the head is the table.
func tableModel(
    _ next: [Int32: Int32], tokenizer: Tokenizer, context: Int = 128, prompts: Prompts = .tiny
) throws -> TextModel {
    let vocabulary = tokenizer.idLimit
    let width = (vocabulary + 1) / 2 * 2
    let random = try LanguageModel(
        ModelConfiguration(
            hiddenSize: width, layers: 1, heads: 1, feedForwardSize: 2,
            vocabularySize: vocabulary, contextLength: context, tiedHead: false),
        key: RandomKey(seed: 1))
    var weights = random.parameters
    for name in ["self_attn.o_proj", "mlp.down_proj"] {
        let name = "model.layers.0.\(name).weight"
        weights[name] = Tensor(zeros: try #require(weights[name]).shape)
    }
    var embedding = Tensor(zeros: [vocabulary, width])
    for token in 0..<vocabulary { embedding[token, token] = 1 }
    weights["model.embed_tokens.weight"] = embedding
    var head = Tensor(zeros: [vocabulary, width])
    for (last, following) in next { head[Int(following), Int(last)] = 2 }
    weights["lm_head.weight"] = head
    return TextModel(
        model: random.with(weights), tokenizer: tokenizer, prompts: prompts)
}

extension Tokenizer {
    /// As conversions from SentencePiece look: a blank is part of the word after it, and decoding
    /// drops the blank before the first word.
    static func sentencePiece() throws -> Tokenizer {
        try Tokenizer(
            json: """
                {"added_tokens": [
                  {"id": 1, "content": "<s>", "single_word": false, "lstrip": false,
                   "rstrip": false, "normalized": false, "special": true},
                  {"id": 2, "content": "</s>", "single_word": false, "lstrip": false,
                   "rstrip": false, "normalized": false, "special": true}],
                 "normalizer": {"type": "Sequence", "normalizers": [
                   {"type": "Prepend", "prepend": "▁"},
                   {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
                 "decoder": {"type": "Sequence", "decoders": [
                   {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
                   {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
                 "model": {"type": "BPE", "unk_token": "<unk>", "fuse_unk": true,
                   "vocab": {"<unk>": 0, "<s>": 1, "</s>": 2, "▁": 3, "a": 4, "b": 5, "▁a": 6,
                     "▁b": 7, "\\n": 8, "\\r": 9},
                   "merges": ["▁ a", "▁ b"]}}
                """)
    }
}
