"""The model shapes of the benchmarks, as Shapes.swift has them: width, layers, heads, key heads, feed-forward, vocabulary."""

SHAPES = {
    "S": (256, 8, 8, 8, 688, 4096),
    "M": (288, 6, 6, 6, 768, 32000),
    "L": (576, 30, 9, 3, 1536, 49152),
}


def torch_model(shape, dtype):
    """A Llama of this shape with random weights."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    width, layers, heads, key_heads, inner, vocabulary = SHAPES[shape]
    torch.manual_seed(0)
    return LlamaForCausalLM(
        LlamaConfig(
            hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads,
            num_key_value_heads=key_heads, intermediate_size=inner, vocab_size=vocabulary,
            max_position_embeddings=2048, tie_word_embeddings=True,
        )
    ).to(getattr(torch, dtype))
