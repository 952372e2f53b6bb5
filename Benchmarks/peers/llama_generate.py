"""Generation in llama.cpp, through llama-cpp-python's C interface: B random prompts of P tokens, R tokens each.

    peers/bin/pip install gguf; peers/bin/pip install --no-binary :all: llama-cpp-python   (builds for this processor)
    peers/bin/python llama_generate.py SHAPE B P R [--dtype float32|bfloat16|q8_0] [--threads 2]

The model is a file of random weights in the folder MODELS (the system's temporary one by default), made at the first call.
Tokens are random, not sampled, which favors llama.cpp a little. One line of JSON.
"""

import argparse
import json
import os
import resource
import tempfile
import time

import numpy as np

from shapes import SHAPES

MODELS = os.environ.get("MODELS", tempfile.gettempdir())


def make(path, shape, dtype):
    """Writes a GGUF file of this shape; vectors stay float32."""
    import gguf

    width, layers, heads, key_heads, inner, vocabulary = SHAPES[shape]
    out = gguf.GGUFWriter(path + ".part", "llama")
    draw = np.random.default_rng(0)
    out.add_block_count(layers)
    out.add_context_length(4096)
    out.add_embedding_length(width)
    out.add_feed_forward_length(inner)
    out.add_head_count(heads)
    out.add_head_count_kv(key_heads)
    out.add_layer_norm_rms_eps(1e-5)
    out.add_rope_dimension_count(width // heads)
    out.add_vocab_size(vocabulary)
    out.add_tokenizer_model("llama")
    out.add_token_list([b"<unk>", b"<s>", b"</s>"] + [b"t%d" % i for i in range(3, vocabulary)])
    out.add_token_scores([0.0] * vocabulary)
    out.add_token_types([2, 3, 3] + [1] * (vocabulary - 3))
    out.add_bos_token_id(1)
    out.add_eos_token_id(2)
    kind = {"float32": None, "bfloat16": gguf.GGMLQuantizationType.BF16,
            "q8_0": gguf.GGMLQuantizationType.Q8_0}[dtype]

    def matrix(name, *sides):
        values = draw.standard_normal(sides).astype(np.float32) * np.float32(0.02)
        if kind is None:
            out.add_tensor(name, values)
        else:
            out.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)

    ones = np.ones(width, np.float32)
    keys = width // heads * key_heads
    matrix("token_embd.weight", vocabulary, width)
    out.add_tensor("output_norm.weight", ones)
    for layer in range(layers):
        block = f"blk.{layer}."
        out.add_tensor(block + "attn_norm.weight", ones)
        out.add_tensor(block + "ffn_norm.weight", ones)
        for name, rows, columns in [
            ("attn_q", width, width), ("attn_k", keys, width), ("attn_v", keys, width),
            ("attn_output", width, width), ("ffn_gate", inner, width), ("ffn_up", inner, width),
            ("ffn_down", width, inner),
        ]:
            matrix(f"{block}{name}.weight", rows, columns)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    os.rename(path + ".part", path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("shape", choices=SHAPES)
    for name in ["prompts", "prompt", "response"]:
        parser.add_argument(name, type=int)
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16", "q8_0"])
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    path = os.path.join(MODELS, f"sami-bench-{given.shape}-{given.dtype}.gguf")
    if not os.path.exists(path):
        make(path, given.shape, given.dtype)

    import llama_cpp as llama

    llama.llama_backend_init()
    model = llama.llama_model_load_from_file(path.encode(), llama.llama_model_default_params())
    settings = llama.llama_context_default_params()
    settings.n_ctx = (given.prompt + given.response) * given.prompts
    settings.n_batch = max(512, given.prompt * given.prompts)
    settings.n_seq_max = given.prompts
    settings.n_threads = settings.n_threads_batch = given.threads
    context = llama.llama_init_from_model(model, settings)
    vocabulary = SHAPES[given.shape][-1]
    draw = np.random.default_rng(1)

    def decode(rows):
        """Rows of (place, sequence, wants logits), with random tokens."""
        batch = llama.llama_batch_init(len(rows), 0, 1)
        batch.n_tokens = len(rows)
        for i, (place, sequence, wants) in enumerate(rows):
            batch.token[i] = int(draw.integers(3, vocabulary))
            batch.pos[i], batch.n_seq_id[i], batch.seq_id[i][0] = place, 1, sequence
            batch.logits[i] = wants
        assert llama.llama_decode(context, batch) == 0
        llama.llama_get_logits(context)
        llama.llama_batch_free(batch)

    seconds, reading = [], []
    for _ in range(2):
        llama.llama_memory_clear(llama.llama_get_memory(context), True)
        start = time.perf_counter()
        decode([(place, sequence, place == given.prompt - 1)
                for sequence in range(given.prompts) for place in range(given.prompt)])
        reading.append(time.perf_counter() - start)
        for step in range(given.response):
            decode([(given.prompt + step, sequence, True) for sequence in range(given.prompts)])
        seconds.append(time.perf_counter() - start)
    best = min(seconds)
    print(json.dumps({
        "seconds": round(best, 4), "prompt_seconds": round(min(reading), 4),
        "tokens_per_second": round(given.prompts * given.response / best, 1),
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }))


main()
