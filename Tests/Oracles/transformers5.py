"""Models of Tests/Fixtures under configurations that transformers 5 reads in its own way, and what they
compute: Tests/Fixtures/models/variations-5.json, in the form of variations.json.

    /somewhere/bin/pip install torch transformers==5.24.0 numpy
    HF_HUB_OFFLINE=1 /somewhere/bin/python Tests/Oracles/transformers5.py

`changes` are keys of config.json as a person has them; the model is made from the whole file by AutoConfig,
so that transformers itself decides what the keys mean.
"""
import json
import pathlib
import sys
import tempfile

import torch
from transformers import AutoConfig, AutoModelForCausalLM

import model_fixtures
from model_fixtures import FAMILIES, Oracle, case, short, weight, write

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "Fixtures"

_yarn = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 12}
VARIATIONS = [
    ("llama", {"rope_scaling": {"rope_type": "default", "rope_theta": 500000.0}}),
    ("llama", {"rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 500000.0}}),
    ("llama", {"num_key_value_heads": None}),
    ("llama", {"hidden_act": "swish"}),
    ("llama", {"rope_scaling": _yarn}),
    ("llama", {"rope_scaling": {**_yarn, "attention_factor": 0.9, "beta_fast": 6, "beta_slow": 2,
                                "truncate": False}}),
    ("qwen3", {"rope_scaling": {**_yarn, "type": "yarn", "mscale": 0.7, "mscale_all_dim": 1.2}}),
    # The shortest sequences fit the original context, the others do not.
    ("llama", {"rope_scaling": {"type": "longrope", "short_factor": [1.0, 1.1, 1.2, 1.3, 1.4],
                                "long_factor": [1.0, 2.0, 3.0, 4.0, 5.0], "factor": 8.0},
               "original_max_position_embeddings": 32}),
    ("mistral", {"layer_types": ["full_attention", "sliding_attention"]}),
]


def build(fields):
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "config.json").write_text(json.dumps(fields))
        config = AutoConfig.from_pretrained(folder)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").double().eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(weight(name, tuple(parameter.shape)))
    return model


def main():
    model_fixtures.build = build
    found = []
    for family, changes in VARIATIONS:
        oracle = Oracle({**FAMILIES[family], **changes}, *case(family))
        with torch.no_grad():
            s = oracle.contrast(oracle.log_probs())[0]
        found.append({"family": family, "changes": changes, "S": short(s.flatten().tolist()),
                      "greedy": oracle.greedy(12)})
        print(family, changes, found[-1]["S"][:3], file=sys.stderr)
    write(FIXTURES / "models/variations-5.json", found)


main()
