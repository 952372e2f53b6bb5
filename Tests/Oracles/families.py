"""Values that FamilyVariationTests.swift holds: the reference models under other configurations.

    python families.py ../../../shared/reference/models

transformers 4.57.6, torch 2.13.0, float64, eager attention, one sequence at a time. Biases that a
variation adds are b[i] = 0.05 * ((i % 7) - 3).
"""
import json
import sys

import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM

VARIATIONS = [
    ("llama", {"rope_scaling": {"rope_type": "linear", "factor": 4.0}}),
    ("llama", {"rope_scaling": {"rope_type": "dynamic", "factor": 2.0}, "max_position_embeddings": 24}),
    ("llama", {"attention_bias": True, "mlp_bias": True}),
    ("mistral", {"sliding_window": None}),
    ("mistral", {"sliding_window": 1}),
    ("mixtral", {"sliding_window": 9, "num_experts_per_tok": 1}),
    ("mixtral", {"num_experts_per_tok": 3}),
    ("qwen2", {"use_sliding_window": True, "sliding_window": 7, "max_window_layers": 1, "layer_types": None}),
    ("qwen3", {"use_sliding_window": True, "sliding_window": 5,
               "layer_types": ["sliding_attention", "full_attention"]}),
    ("qwen3", {"attention_bias": True}),
    ("gpt2", {"tie_word_embeddings": False, "layer_norm_epsilon": 0.1}),
]

root = sys.argv[1]
for family, changes in VARIATIONS:
    directory = f"{root}/{family}"
    fields = json.load(open(f"{directory}/config.json"))
    fields.update(changes)
    model_type = fields.pop("model_type")
    fields.pop("dtype", None)
    config = AutoConfig.for_model(model_type, **fields)
    config._attn_implementation = "eager"
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").double().eval()
    weights = {k: v.double() for k, v in load_file(f"{directory}/model.safetensors").items()}
    if family == "gpt2":
        weights["lm_head.weight"] = -weights["transformer.wte.weight"]
    state = model.state_dict()
    for name, tensor in state.items():
        if name.endswith(".bias") and name not in weights:
            weights[name] = 0.05 * ((torch.arange(tensor.numel()) % 7) - 3).double()
        if name == "lm_head.weight" and name not in weights:
            weights[name] = weights["model.embed_tokens.weight"]
    model.load_state_dict(weights, strict=True)
    case = json.load(open(f"{directory}/case.json"))
    scores = []

    def logits_of(tokens):
        # "dynamic" remembers the longest sequence it has seen; here every sequence is the first.
        if (changes.get("rope_scaling") or {}).get("rope_type") == "dynamic":
            model.model.rotary_emb = type(model.model.rotary_emb)(config=config)
        return model(torch.tensor([tokens]), use_cache=False).logits[0]

    with torch.no_grad():
        for prompt in case["prompts"]:
            for response in case["responses"]:
                logits = logits_of(prompt + response)
                logp = torch.log_softmax(logits, -1)
                rows = torch.arange(len(response)) + len(prompt) - 1
                scores.append(logp[rows, torch.tensor(response)].mean().item())
        # Greedy by hand, each step from the whole sequence.
        tokens = list(case["prompts"][0])
        for _ in range(12):
            tokens.append(logits_of(tokens)[-1].argmax().item())
    print(family, json.dumps(changes))
    print("  S", [round(s, 7) for s in scores])
    print("  greedy", tokens[len(case["prompts"][0]):])
