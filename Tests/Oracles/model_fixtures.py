"""Small models of seven families and what transformers and torch compute on them.

Weights are those of `weight`: float32 numbers of RandomKey by tensor name, which the tests draw again.
Arithmetic is float64 with eager attention, one unpadded sequence at a time (transformers itself rounds
norms, attention weights and rotary angles to float32 on the way).
"""
import json
import math

import numpy as np
import torch
import torch.nn.functional as F
from transformers import AutoConfig, AutoModelForCausalLM

from random_key import RandomKey

SEED = 20
SAMPLES = 16
STEP_SAMPLES = 4
GREEDY = 20

_tokens = {"bos_token_id": 1, "eos_token_id": 2}
FAMILIES = {
    # Multi-head attention, an untied head; ten numbers a head are no multiple of a vector.
    "llama": {"model_type": "llama", "hidden_size": 40, "num_attention_heads": 4,
              "num_key_value_heads": 4, "intermediate_size": 72, "vocab_size": 300,
              "max_position_embeddings": 256, "tie_word_embeddings": False, "rms_norm_eps": 1e-5},
    # Grouped queries, a scaled rotary embedding.
    "llama3": {"model_type": "llama", "hidden_size": 48, "num_attention_heads": 6,
               "num_key_value_heads": 2, "intermediate_size": 96, "vocab_size": 300,
               "max_position_embeddings": 512, "tie_word_embeddings": False, "rms_norm_eps": 1e-5,
               "rope_theta": 500000.0,
               "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
                                "high_freq_factor": 4.0, "original_max_position_embeddings": 64}},
    # A window shorter than the sequences; heads that are not width / heads long.
    "mistral": {"model_type": "mistral", "hidden_size": 44, "num_attention_heads": 4,
                "num_key_value_heads": 2, "head_dim": 16, "intermediate_size": 60,
                "vocab_size": 300, "max_position_embeddings": 256, "sliding_window": 20,
                "tie_word_embeddings": False, "rms_norm_eps": 1e-6},
    # Sparse experts, two for each token.
    "mixtral": {"model_type": "mixtral", "hidden_size": 32, "num_attention_heads": 4,
                "num_key_value_heads": 2, "intermediate_size": 40, "vocab_size": 300,
                "max_position_embeddings": 256, "num_local_experts": 4, "num_experts_per_tok": 2,
                "rope_theta": 1e6, "sliding_window": None, "tie_word_embeddings": False,
                "rms_norm_eps": 1e-5},
    # Biases of q, k and v; a tied head.
    "qwen2": {"model_type": "qwen2", "hidden_size": 36, "num_attention_heads": 6,
              "num_key_value_heads": 3, "intermediate_size": 52, "vocab_size": 300,
              "max_position_embeddings": 256, "rope_theta": 1e6, "tie_word_embeddings": True,
              "rms_norm_eps": 1e-6},
    # Norms of q and k; an odd vocabulary.
    "qwen3": {"model_type": "qwen3", "hidden_size": 48, "num_attention_heads": 4,
              "num_key_value_heads": 2, "head_dim": 16, "intermediate_size": 64, "vocab_size": 317,
              "max_position_embeddings": 256, "tie_word_embeddings": True, "rms_norm_eps": 1e-6},
    # Learned positions, LayerNorm, GELU, transposed weights.
    "gpt2": {"model_type": "gpt2", "n_embd": 44, "n_head": 4, "n_positions": 128,
             "vocab_size": 300, "layer_norm_epsilon": 1e-5, "tie_word_embeddings": True},
}
for fields in FAMILIES.values():
    fields.update(_tokens)
    fields["n_layer" if fields["model_type"] == "gpt2" else "num_hidden_layers"] = 2

# The same weights under other configurations; what they add has weights by its name too.
VARIATIONS = [
    ("llama", {"rope_scaling": {"rope_type": "linear", "factor": 4.0}}),
    ("llama", {"rope_scaling": {"rope_type": "dynamic", "factor": 2.0}, "max_position_embeddings": 24}),
    ("llama", {"attention_bias": True, "mlp_bias": True}),
    ("mistral", {"sliding_window": None}),
    ("mistral", {"sliding_window": 1}),
    ("mixtral", {"sliding_window": 9, "num_experts_per_tok": 1}),
    ("mixtral", {"num_experts_per_tok": 3}),
    ("qwen2", {"use_sliding_window": True, "sliding_window": 7, "max_window_layers": 1,
               "layer_types": None}),
    ("qwen3", {"use_sliding_window": True, "sliding_window": 5,
               "layer_types": ["sliding_attention", "full_attention"]}),
    ("qwen3", {"attention_bias": True}),
    ("gpt2", {"tie_word_embeddings": False, "layer_norm_epsilon": 0.1}),
]


def weight(name, shape):
    """Matrices of deviation 1.5 / √columns; norms around one; biases around zero."""
    normal = RandomKey(SEED).child(name).normal(math.prod(shape)).reshape(shape)
    if len(shape) > 1:
        values = normal * (1.5 / math.sqrt(shape[-1]))
    elif name.endswith(".bias"):
        values = normal * 0.1
    else:
        values = 1 + normal * 0.2
    return torch.from_numpy(values.astype(np.float32)).double()


def build(fields):
    fields = dict(fields)
    config = AutoConfig.for_model(fields.pop("model_type"), **fields)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").double().eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(weight(name, tuple(parameter.shape)))
    return model


def token_ids(count, label):
    key = RandomKey(SEED).child(label)
    return [3 + key.integer(i, 297) for i in range(count)]


def case(family):
    # The first two prompts begin alike.
    start = token_ids(6, family + " start")
    prompts = [start + token_ids(11, family + " prompt 0"), start + token_ids(23, family + " prompt 1"),
               token_ids(23, family + " prompt 2")]
    return prompts, [token_ids(n, f"{family} response {n}") for n in (5, 11, 8)]


class Oracle:
    def __init__(self, fields, prompts, responses):
        self.model, self.prompts, self.responses = build(fields), prompts, responses
        scaling = fields.get("rope_scaling") or {}
        self.is_dynamic = scaling.get("rope_type") == "dynamic"

    def logits(self, tokens):
        # "dynamic" remembers the longest sequence it has seen; here every sequence is the first.
        if self.is_dynamic:
            rotary = self.model.model.rotary_emb
            self.model.model.rotary_emb = type(rotary)(config=self.model.config)
        return self.model(input_ids=torch.tensor([tokens]), use_cache=False).logits[0]

    def log_probs(self):
        """log p of each response's tokens after each prompt: C lists of R tensors."""
        found = []
        for prompt in self.prompts:
            row = []
            for response in self.responses:
                logits = self.logits(prompt + response)[len(prompt) - 1 : -1]
                row.append(logits.log_softmax(-1)[torch.arange(len(response)), torch.tensor(response)])
            found.append(row)
        return found

    @staticmethod
    def contrast(log_probs):
        s = torch.stack([torch.stack([y.mean() for y in row]) for row in log_probs])
        label = torch.arange(len(log_probs))
        row, column = F.cross_entropy(s, label), F.cross_entropy(s.t(), label)
        return s, row, column, (row + column) / 2

    def greedy(self, count):
        tokens, margin = list(self.prompts[0]), math.inf
        with torch.no_grad():
            for _ in range(count):
                best = self.logits(tokens)[-1].topk(2)
                margin = min(margin, (best.values[0] - best.values[1]).item())
                tokens.append(best.indices[0].item())
        # What float32 rounds must not decide.
        assert margin > 2e-4, margin
        return tokens[len(self.prompts[0]):]

    def gradients(self, loss):
        self.model.zero_grad()
        loss.backward()
        return {name: p.grad.clone() for name, p in self.model.named_parameters()}


def short(x):
    """Nine digits, which is float32 and a little more."""
    return [short(y) for y in x] if isinstance(x, (list, tuple)) else float(f"{x:.9g}")


def places(name, gradient):
    """Where gradients are compared: half the samples where they are largest, half anywhere."""
    flat = gradient.flatten().abs()
    if flat.numel() <= SAMPLES:
        return sorted(range(flat.numel()), key=lambda i: -flat[i].item())
    largest = flat.topk(SAMPLES // 2).indices.tolist()
    key, others, counter = RandomKey(SEED).child("places of " + name), [], 0
    while len(others) < SAMPLES - len(largest):
        place = key.integer(counter, flat.numel())
        counter += 1
        if place not in largest and place not in others:
            others.append(place)
    return largest + others


def sampled(gradients):
    return {name: {"norm": short(g.norm().item()), "largest": short(g.abs().max().item()),
                   "at": places(name, g),
                   "values": short(g.flatten()[places(name, g)].tolist())}
            for name, g in gradients.items()}


def steps(fields, prompts, responses, rule, settings):
    """Three steps of an optimizer, each from the gradient of the loss where it stands."""
    oracle = Oracle(fields, prompts, responses)
    parameters = dict(oracle.model.named_parameters())
    first = {name: p.detach().clone() for name, p in parameters.items()}
    if rule == "rmsprop":
        optimizer = torch.optim.RMSprop(
            parameters.values(), lr=settings["learning_rate"], alpha=settings["alpha"],
            eps=settings["epsilon"])
    else:
        # Matrices alone decay.
        optimizer = torch.optim.AdamW(
            [{"params": [p for p in parameters.values() if p.dim() > 1],
              "weight_decay": settings["decay"]},
             {"params": [p for p in parameters.values() if p.dim() == 1], "weight_decay": 0.0}],
            lr=settings["learning_rate"], betas=(settings["beta1"], settings["beta2"]),
            eps=settings["epsilon"])
    found, at = [], None
    for _ in range(3):
        gradients = oracle.gradients(oracle.contrast(oracle.log_probs())[3])
        at = at or {name: places(name, g)[:STEP_SAMPLES] for name, g in gradients.items()}
        optimizer.step()
        with torch.no_grad():
            s, _, _, loss = oracle.contrast(oracle.log_probs())
            moved = {name: p - first[name] for name, p in parameters.items()}
        found.append({
            "S": short(s.flatten().tolist()), "loss": short(loss.item()),
            "moved": {name: {"norm": short(m.norm().item()), "at": at[name],
                             "values": short(m.flatten()[at[name]].tolist())}
                      for name, m in moved.items()}})
    return {**settings, "steps": found}


def penalty(fields, prompts, responses):
    """Loss + 0.3 KL(model || reference) where the model is the reference with its last norm times 1.25.
    KL is the mean over every place that predicts a response token; the end of a prompt, where all of
    its responses begin, is one place."""
    reference, oracle = Oracle(fields, prompts, responses), Oracle(fields, prompts, responses)
    with torch.no_grad():
        oracle.model.model.norm.weight.mul_(1.25)
    kl, places = 0, 0
    for prompt in prompts:
        for number, response in enumerate(responses):
            rows = slice(len(prompt) - 1 + (number > 0), -1)
            logits = oracle.logits(prompt + response)[rows].log_softmax(-1)
            with torch.no_grad():
                other = reference.logits(prompt + response)[rows].log_softmax(-1)
            kl = kl + (logits.exp() * (logits - other)).sum()
            places += len(logits)
    loss, kl = oracle.contrast(oracle.log_probs())[3], kl / places
    gradients = oracle.gradients(loss + 0.3 * kl)
    norm = math.sqrt(sum(g.square().sum().item() for g in gradients.values()))
    return {"last_norm_times": 1.25, "weight": 0.3, "loss": short(loss.item()),
            "divergence": short(kl.item()), "norm": short(norm), "gradients": sampled(gradients)}


def write(path, value):
    with open(path, "w") as file:
        json.dump(value, file, separators=(",", ":"))
        file.write("\n")


def make(folder):
    for family, fields in FAMILIES.items():
        (folder / "models" / family).mkdir(parents=True, exist_ok=True)
        prompts, responses = case(family)
        oracle = Oracle(fields, prompts, responses)
        log_probs = oracle.log_probs()
        s, row, column, loss = oracle.contrast(log_probs)
        expected = {
            "prompts": prompts, "responses": responses, "S": short(s.flatten().tolist()),
            "loss": short(loss.item()), "loss_row": short(row.item()),
            "loss_column": short(column.item()),
            "token_logprobs": [short(y.tolist()) for x in log_probs for y in x],
            "gradients": sampled(oracle.gradients(loss)),
            "rmsprop": steps(fields, prompts, responses, "rmsprop", {
                "learning_rate": 1e-3, "alpha": 0.99, "epsilon": 1e-8}),
            "adamw": steps(fields, prompts, responses, "adamw", {
                "learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "decay": 0.1}),
            "greedy": oracle.greedy(GREEDY),
        }
        if family == "llama":
            expected["penalty"] = penalty(fields, prompts, responses)
        write(folder / "models" / family / "expected.json", expected)
        with open(folder / "models" / family / "config.json", "w") as file:
            json.dump(fields, file, indent=2)
            file.write("\n")
    variations = []
    for family, changes in VARIATIONS:
        oracle = Oracle({**FAMILIES[family], **changes}, *case(family))
        with torch.no_grad():
            s = oracle.contrast(oracle.log_probs())[0]
        variations.append({
            "family": family, "changes": changes, "S": short(s.flatten().tolist()),
            "greedy": oracle.greedy(12)})
    write(folder / "models" / "variations.json", variations)
