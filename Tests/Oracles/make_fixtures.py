"""Makes everything in Tests/Fixtures, README.md with its hashes included.

    python -m venv /somewhere && /somewhere/bin/pip install torch transformers==4.57.6 tokenizers \\
        sentencepiece jinja2 numpy gguf
    HF_HUB_OFFLINE=1 /somewhere/bin/python Tests/Oracles/make_fixtures.py ../shared [SMOLLM2]

The folder `shared` holds reference/tokenizers, reference/chat and data/tldr; models need none of it.
SMOLLM2 is the path that scripts/get-smollm2 prints.
A few minutes on two cores. The same versions give the same files, but for last digits.
"""
import hashlib
import importlib.metadata
import json
import pathlib
import sys

import torch

import gguf_fixtures
import inside_fixtures
import model_fixtures
import random_key
import text_fixtures

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FIXTURES = ROOT / "Tests/Fixtures"
PACKAGES = ["torch", "transformers", "tokenizers", "sentencepiece", "jinja2", "numpy", "gguf"]

# What this script does not make: sami itself wrote the old workspace and the transcripts.
OTHERS = {"README.md", "workspace-0.1.0", "transcripts", "notebook.ipynb"}

TEXT = """# Fixtures

Values that the tests compare with, computed outside this repository's code. `Tests/Oracles/make_fixtures.py` writes every file here, this
one too; do not edit them by hand. The larger second source, where it lies beside the repository, is `../shared/reference`.

| folder | holds | oracle |
|---|---|---|
| `models/FAMILY` | `config.json`, and in `expected.json`: prompts and responses as token ids, S (C, R) in nats per token, loss, log-prob of every response token, of **every** gradient tensor its norm and 16 elements, S, loss and the displacement of every weight tensor after each of three RMSprop and three AdamW steps, 20 greedy tokens after prompt 0 | transformers, torch, float64, eager attention, one unpadded sequence at a time |
| `models/FAMILY/inside.json` | of prompt 1: norm and 16 elements of the hidden states of every layer, of the attention probabilities of every block, of all logits, and of the logit lens at the last token | transformers, torch, float64, eager attention |
| `models/variations.json` | S and greedy tokens of the same models under other configurations | the same |
| `models/variations-5.json` | the same under keys that only newer versions read in this way; `Tests/Oracles/transformers5.py` writes it | transformers 5.24.0, torch, float64 |
| `random-key.json` | numbers of `RandomKey` | Philox4x32-10 in numpy (`Tests/Oracles/random_key.py`) |
| `tokenizers` | the tokenizers of Mistral 7B v0.1 (`tokenizer.model`, Apache 2.0, Mistral AI) and GPT-2 (`merges.txt`, from which its vocabulary follows; MIT, OpenAI), and ids and texts of 60 cases each | sentencepiece, tokenizers |
| `tokenizers/folders.jsonl` | small tokenizer folders, each with one setting of the files beside the tokenizer, and ids; `Tests/Oracles/tokenizer_folders.py` writes it | transformers 5.24.0 |
| `chat` | chat templates in the style of three families, messages, and what is rendered or refused | transformers, jinja2 |
| `gguf` | `blocks.gguf`: blocks of arbitrary bytes of every quantized type, and their numbers beside them, and numbers with their Q8_0; `NAME.gguf`: small models with random weights; `expected.json`: the logits after the last of 12 tokens; `smollm2.json`: ids of 40 texts, and the likeliest tokens after two prompts, of the file that `scripts/get-smollm2` brings, widened to bfloat16 | gguf; transformers, torch, float64 (SmolLM2: float32) |
| `text` | the first sentences of six posts of the TL;DR validation set with two constitutions and two answers each (from the SAMI reference repository, MIT), and S, loss and prompt ids on `models/tiny` | tokenizers, transformers, torch, float64 |

Weights are not stored. Tensor NAME of a model is float32 of standard normals `RandomKey(seed: SEED).child(NAME).normal(i)`, times 1.5 / √columns
for matrices, times 0.1 for biases, and 1 + 0.2 times it for norms. "at" lists places in row-major order: half of them where the gradient is largest, half anywhere.
AdamW decays matrices alone. In `variations.json` a changed key replaces that of `config.json`.
"""


def manifest():
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    text = TEXT.replace("SEED", str(model_fixtures.SEED))
    text += f"\nMade with Python {sys.version.split()[0]}, {versions}; seed {model_fixtures.SEED}.\n"
    text += "\n| file | bytes | SHA-256 |\n|---|---|---|\n"
    for path in sorted(FIXTURES.rglob("*")):
        if path.is_file() and not OTHERS.intersection(path.relative_to(FIXTURES).parts):
            content = path.read_bytes()
            text += f"| `{path.relative_to(FIXTURES)}` | {len(content)} | `{hashlib.sha256(content).hexdigest()}` |\n"
    (FIXTURES / "README.md").write_text(text, encoding="utf-8")


def main():
    shared = pathlib.Path(sys.argv[1])
    torch.manual_seed(0)
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    FIXTURES.mkdir(exist_ok=True)
    with open(FIXTURES / "random-key.json", "w") as file:
        json.dump(random_key.known_answers(), file, indent=1)
        file.write("\n")
    model_fixtures.make(FIXTURES)
    inside_fixtures.make(FIXTURES)
    text_fixtures.tokenizer_cases(FIXTURES, shared / "reference")
    text_fixtures.chat_cases(FIXTURES, shared / "reference")
    text_fixtures.text_scores(FIXTURES, shared / "data/tldr", ROOT / "models/tiny")
    gguf_fixtures.make(FIXTURES)
    if len(sys.argv) > 2:
        gguf_fixtures.smollm2(sys.argv[2], FIXTURES)
    manifest()


if __name__ == "__main__":
    main()
