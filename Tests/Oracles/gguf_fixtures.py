"""Small GGUF files, written by the package gguf, and what gguf and transformers read in them.

    HF_HUB_OFFLINE=1 /somewhere/bin/python Tests/Oracles/gguf_fixtures.py [SmolLM2-135M-Instruct.Q4_1.gguf]

make_fixtures.py calls it too. With a path of SmolLM2 it also makes gguf/smollm2.json; see
scripts/get-smollm2.
"""
import json
import pathlib
import sys

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Type
from gguf.quants import dequantize, quantize
from transformers import AutoConfig, AutoModelForCausalLM

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SEED = 20
SMALL = [Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1, Type.Q8_0]
LARGE = [Type.Q2_K, Type.Q3_K, Type.Q4_K, Type.Q5_K, Type.Q6_K]
# Bytes of a block that are float16 scales; all others are arbitrary.
SCALES = {Type.Q4_0: [0], Type.Q4_1: [0, 2], Type.Q5_0: [0], Type.Q5_1: [0, 2], Type.Q8_0: [0],
          Type.Q2_K: [80, 82], Type.Q3_K: [108], Type.Q4_K: [0, 2], Type.Q5_K: [0, 2],
          Type.Q6_K: [208]}


def random_blocks(kind, blocks, numbers):
    """Arbitrary bytes with finite scales; gguf itself does not quantize to the K types."""
    size = gguf.GGML_QUANT_SIZES[kind][1]
    data = numbers.integers(0, 256, (blocks, size), dtype=np.uint8)
    for place in SCALES[kind]:
        scale = numbers.standard_normal((blocks, 1)) * 10.0 ** numbers.integers(-6, 3, (blocks, 1))
        data[:, place:place + 2] = scale.astype(np.float16).view(np.uint8)
    return data


def blocks(path):
    """A tensor of each quantized type, and beside it, under the name TYPE.expected, its numbers; then `plain`, numbers of
    many magnitudes, and `plain.Q8_0`, the same as gguf quantizes them."""
    numbers = np.random.default_rng(SEED)
    writer = gguf.GGUFWriter(path, "llama")
    for kind in SMALL + LARGE:
        rows, per_row = (8, 2) if kind in SMALL else (5, 1)
        data = random_blocks(kind, rows * per_row, numbers).reshape(rows, -1)
        writer.add_tensor(kind.name, data, raw_dtype=kind)
        writer.add_tensor(kind.name + ".expected", dequantize(data, kind).astype(np.float32))
    numbers = np.random.default_rng(SEED + 1)
    plain = numbers.standard_normal((40, 96)) * 10.0 ** numbers.integers(-6, 3, (40, 96))
    plain[0, :32], plain[1, :32], plain[2, :32] = 0, 0.5 * np.arange(-16, 16), 1e-9
    plain = plain.astype(np.float32)
    writer.add_tensor("plain", plain)
    writer.add_tensor("plain.Q8_0", quantize(plain, Type.Q8_0), raw_dtype=Type.Q8_0)
    finish(writer)


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


# MARK: Models

_shared = {"bos_token_id": 1, "eos_token_id": 2, "num_hidden_layers": 2, "hidden_size": 32,
           "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 64,
           "vocab_size": 48, "max_position_embeddings": 128, "tie_word_embeddings": False,
           "rms_norm_eps": 1e-5}
_thin = {"num_hidden_layers": 1, "intermediate_size": 32}
MODELS = {
    # The tokenizer of models/tiny; matrices of all types whose blocks have 32 numbers.
    "llama": {**_shared, "model_type": "llama", "vocab_size": 962},
    "llama3": {**_shared, "model_type": "llama", "rope_theta": 500000.0, "attention_bias": True,
               "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
                                "high_freq_factor": 4.0,
                                "original_max_position_embeddings": 8192}},
    "mistral": {**_shared, "model_type": "mistral", "head_dim": 16, "sliding_window": 5},
    "mixtral": {**_shared, "model_type": "mixtral", "num_local_experts": 4,
                "num_experts_per_tok": 2, "sliding_window": None, "rope_theta": 1e6, **_thin},
    "mixtral-2023": {**_shared, "model_type": "mixtral", "num_local_experts": 4,
                     "num_experts_per_tok": 2, "sliding_window": None, "rope_theta": 1e6,
                     **_thin},
    "qwen2": {**_shared, "model_type": "qwen2", "tie_word_embeddings": True, "rope_theta": 1e6},
    "qwen3": {**_shared, "model_type": "qwen3", "head_dim": 16, "tie_word_embeddings": True},
    "gpt2": {"model_type": "gpt2", "bos_token_id": 1, "eos_token_id": 2, "n_layer": 2,
             "n_embd": 32, "n_head": 4, "n_positions": 64, "vocab_size": 48,
             "tie_word_embeddings": True},
}
# The types of the matrices of "llama"; others are F32, and F16 in "gpt2".
TYPES = {"token_embd": Type.Q4_0, "output": Type.Q8_0, "attn_q": Type.Q4_1, "attn_k": Type.Q5_0,
         "attn_v": Type.Q5_1, "attn_output": Type.F16, "ffn_gate": Type.BF16, "ffn_up": Type.Q8_0}
TOKENS = [1, 7, 19, 3, 42, 11, 5, 30, 2, 23, 8, 17]


def permute(weights, heads):
    """The order of rows in files of llama.cpp's architecture llama (its convert_hf_to_gguf.py)."""
    return (weights.reshape(heads, 2, weights.shape[0] // heads // 2, *weights.shape[1:])
            .swapaxes(1, 2).reshape(weights.shape))


def model(folder, name, fields):
    kind = fields["model_type"]
    config = AutoConfig.for_model(**fields)
    config._attn_implementation = "eager"
    torch.manual_seed(SEED)
    network = AutoModelForCausalLM.from_config(config).double().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            scale = 1.5 / parameter.shape[-1] ** 0.5 if parameter.dim() > 1 else 0.2
            offset = 1 if parameter.dim() == 1 and parameter.mean() > 0.5 else 0
            parameter.copy_(offset + scale * torch.randn(parameter.shape))
    arch = "llama" if kind in ("llama", "mistral", "mixtral") else kind
    writer = gguf.GGUFWriter(folder / f"{name}.gguf", arch)
    keys(writer, name, fields, config)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH[arch.upper()], 2)
    experts = {}
    state = network.state_dict()
    for own, tensor in list(state.items()):
        if own == "lm_head.weight" and config.tie_word_embeddings:
            continue
        if ".experts." in own:
            layer, expert, matrix = own.split(".")[2], int(own.split(".")[5]), own.split(".")[6]
            part = {"w1": "ffn_gate", "w2": "ffn_down", "w3": "ffn_up"}[matrix]
            if name.endswith("2023"):
                state[own] = put(writer, f"blk.{layer}.{part}.{expert}.weight", tensor, name)
            else:
                experts.setdefault(f"blk.{layer}.{part}_exps.weight", {})[expert] = (own, tensor)
            continue
        theirs = names.get_name(own, try_suffixes=(".weight", ".bias"))
        data = tensor.float().numpy()
        heads = {"q_proj": "num_attention_heads", "k_proj": "num_key_value_heads"}.get(
            own.split(".")[-2])
        if arch == "llama" and heads:
            # Rows of a matrix, elements of its bias.
            written = put(writer, theirs, torch.tensor(permute(data, fields[heads])), name)
            count = fields[heads]
            half = written.shape[0] // count // 2
            state[own] = torch.tensor(
                written.numpy().reshape(count, half, 2, *written.shape[1:]).swapaxes(1, 2)
                .reshape(written.shape))
        elif kind == "gpt2" and own.endswith(("c_attn.weight", "c_proj.weight", "c_fc.weight")):
            state[own] = put(writer, theirs, tensor.T.contiguous(), name).T
        else:
            state[own] = put(writer, theirs, tensor, name)
    for theirs, parts in experts.items():
        whole = put(writer, theirs, torch.stack([parts[e][1] for e in sorted(parts)]), name)
        for e in sorted(parts):
            state[parts[e][0]] = whole[e]
    if name == "llama3":
        writer.add_tensor("rope_freqs.weight", llama3_factors(config))
    finish(writer)
    if config.tie_word_embeddings:
        head = [n for n in state if n in ("model.embed_tokens.weight", "transformer.wte.weight")]
        state["lm_head.weight"] = state[head[0]]
    # What the file holds, after rounding to its types.
    network.load_state_dict({n: t.double() for n, t in state.items()})
    with torch.no_grad():
        logits = network(torch.tensor([TOKENS])).logits[0, -1]
    return {"tokens": TOKENS, "logits": [round(float(x), 7) for x in logits[:48]]}


def put(writer, name, tensor, model):
    """Writes a tensor; what a reader gets from it."""
    data = tensor.float().contiguous().numpy()
    part = name.split(".")[-2]
    kind = TYPES.get(part, Type.F32) if model == "llama" and data.ndim > 1 else Type.F32
    if model == "gpt2" and data.ndim > 1:
        kind = Type.F16
    stored = quantize(data, kind)
    writer.add_tensor(name, stored, raw_dtype=kind)
    return torch.tensor(dequantize(stored, kind).reshape(data.shape).astype(np.float32))


def llama3_factors(config):
    """The divisors of the rotary frequencies, as convert_hf_to_gguf.py computes them."""
    scaling = config.rope_scaling
    size = config.hidden_size // config.num_attention_heads
    frequencies = 1.0 / config.rope_theta ** (np.arange(0, size, 2) / size)
    low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
    length = scaling["original_max_position_embeddings"]
    factors = []
    for wave in 2 * np.pi / frequencies:
        if wave < length / high:
            factors.append(1.0)
        elif wave > length / low:
            factors.append(scaling["factor"])
        else:
            smooth = (length / wave - low) / (high - low)
            factors.append(1 / ((1 - smooth) / scaling["factor"] + smooth))
    return np.array(factors, dtype=np.float32)


def keys(writer, name, fields, config):
    if fields["model_type"] == "gpt2":
        writer.add_block_count(config.n_layer)
        writer.add_context_length(config.n_positions)
        writer.add_embedding_length(config.n_embd)
        writer.add_feed_forward_length(4 * config.n_embd)
        writer.add_head_count(config.n_head)
        writer.add_layer_norm_eps(config.layer_norm_epsilon)
        return
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_rope_freq_base(config.rope_theta)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    if "head_dim" in fields:
        writer.add_key_length(config.head_dim)
        writer.add_value_length(config.head_dim)
    if fields["model_type"] == "mistral":
        writer.add_sliding_window(config.sliding_window)
    if fields["model_type"] == "mixtral":
        writer.add_expert_count(config.num_local_experts)
        writer.add_expert_used_count(config.num_experts_per_tok)
    if name == "llama":
        tokenizer(writer)


def tokenizer(writer):
    stored = json.load(open(ROOT / "models/tiny/tokenizer.json", encoding="utf-8"))
    vocabulary = stored["model"]["vocab"]
    special = {token["id"] for token in stored["added_tokens"]}
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(sorted(vocabulary, key=vocabulary.get))
    writer.add_token_types([3 if i in special else 1 for i in range(len(vocabulary))])
    writer.add_token_merges(
        [m if isinstance(m, str) else " ".join(m) for m in stored["model"]["merges"]])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(True)
    writer.add_chat_template("{% for m in messages %}[{{ m.role }}] {{ m.content }}{% endfor %}")


# MARK: SmolLM2

PROMPTS = ["<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n",
           "The three primary colors are"]


def smollm2(path, fixtures):
    """Log-probs after two prompts, and the ids of texts, by the weights and tokens of the file."""
    from transformers import AutoTokenizer
    folder, file = str(pathlib.Path(path).parent), pathlib.Path(path).name
    tokens = AutoTokenizer.from_pretrained(folder, gguf_file=file)
    network = AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=torch.bfloat16)
    # Norms are float32 in the file, and the others are widened to bfloat16.
    network = network.float().eval()
    prompts = []
    for prompt in PROMPTS:
        ids = tokens(prompt, add_special_tokens=False)["input_ids"]
        with torch.no_grad():
            scores = network(torch.tensor([ids])).logits[0, -1].log_softmax(-1)
        best = scores.topk(8)
        prompts.append({"text": prompt, "tokens": ids, "best": best.indices.tolist(),
                        "logProbs": [round(float(x), 5) for x in best.values]})
    texts = [json.loads(line)["text"] for line in open(fixtures / "tokenizers/cases.jsonl")]
    cases = [{"text": text, "ids": tokens(text, add_special_tokens=False)["input_ids"]}
             for text in sorted(set(texts))[:40]]
    with open(fixtures / "gguf/smollm2.json", "w") as out:
        json.dump({"prompts": prompts, "cases": cases}, out, separators=(",", ":"))
        out.write("\n")


def make(fixtures):
    folder = fixtures / "gguf"
    folder.mkdir(exist_ok=True)
    blocks(folder / "blocks.gguf")
    expected = {name: model(folder, name, fields) for name, fields in MODELS.items()}
    with open(folder / "expected.json", "w") as out:
        json.dump(expected, out, separators=(",", ":"))
        out.write("\n")


if __name__ == "__main__":
    make(ROOT / "Tests/Fixtures")
    if len(sys.argv) > 1:
        smollm2(sys.argv[1], ROOT / "Tests/Fixtures")
