/// The names of tensors in GGUF files for those of Hugging Face's.
enum GGUFNames {
    /// Where a tensor of a model lies in a file.
    struct Source: Equatable {
        var name: String
        /// The place in a tensor that holds a matrix for each expert.
        var expert: Int?
    }

    /// The sources of a tensor, the usual one first: files of 2023 have a tensor for each expert.
    static func sources(_ name: String) -> [Source] {
        let parts = name.split(separator: ".").map(String.init)
        guard let kind = parts.last else { return [] }
        let stem = parts.dropLast().joined(separator: ".")
        if let fixed = outside[stem] { return [Source(name: "\(fixed).\(kind)")] }
        // model.layers.N.… and transformer.h.N.…
        guard parts.count > 4, Int(parts[2]) != nil else { return [] }
        let block = "blk.\(parts[2])."
        let rest = parts[3..<parts.count - 1]
        if let found = inBlock[rest.joined(separator: ".")] {
            return [Source(name: block + "\(found).\(kind)")]
        }
        // block_sparse_moe.experts.E.w1
        guard rest.count == 4, let expert = Int(rest[rest.startIndex + 2]),
            let matrix = rest.last.flatMap({ experts[$0] })
        else { return [] }
        return [
            Source(name: block + "\(matrix)_exps.\(kind)", expert: expert),
            Source(name: block + "\(matrix).\(expert).\(kind)"),
        ]
    }

    private static let outside = [
        "model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output",
        "transformer.wte": "token_embd", "transformer.wpe": "position_embd",
        "transformer.ln_f": "output_norm",
    ]

    private static let inBlock = [
        "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
        "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
        "self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm",
        "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate",
        "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
        "block_sparse_moe.gate": "ffn_gate_inp",
        "ln_1": "attn_norm", "attn.c_attn": "attn_qkv", "attn.c_proj": "attn_output",
        "ln_2": "ffn_norm", "mlp.c_fc": "ffn_up", "mlp.c_proj": "ffn_down",
    ]

    private static let experts = ["w1": "ffn_gate", "w2": "ffn_down", "w3": "ffn_up"]
}
