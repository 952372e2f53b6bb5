"""Published tokenizers whose licence lets them be passed on, chat templates, and real posts scored by
the shipped model: what `tokenizers`, `sentencepiece`, transformers and torch give.
"""
import json
import shutil

import sentencepiece
import tokenizers
import torch
from transformers import AutoModelForCausalLM
from transformers.utils.chat_template_utils import _compile_jinja_template

from model_fixtures import Oracle, short

# Posts of the TL;DR validation set. The shipped model's context holds their first sentences alone, with
# one principle and an answer.
POSTS = ["tldr-47", "tldr-112", "tldr-137", "tldr-142", "tldr-172", "tldr-215"]


POST_CHARACTERS = 420


def beginning(post):
    """Whole sentences, as many as fit."""
    part = post[:POST_CHARACTERS]
    return part[: max(part.rfind(end) for end in (". ", "! ", "? ", ".\n")) + 1]


def lines(path):
    return [json.loads(line) for line in open(path, encoding="utf-8")]


def write_lines(path, items):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        for item in items:
            file.write(json.dumps(item, ensure_ascii=True, separators=(",", ":")) + "\n")


def tokenizer_cases(folder, reference):
    texts = {}
    for case in lines(reference / "tokenizers/cases.jsonl"):
        texts.setdefault(case["tokenizer"], []).append(case["text"])

    # GPT-2's vocabulary follows from its merges: bytes, then what each merge makes, then the end.
    source = reference / "tokenizers/gpt2/tokenizer.json"
    stored = json.load(open(source, encoding="utf-8"))
    merges = [m if isinstance(m, str) else " ".join(m) for m in stored["model"]["merges"]]
    order = sorted(stored["model"]["vocab"], key=stored["model"]["vocab"].get)
    assert order[256:-1] == [m.replace(" ", "") for m in merges] and order[-1] == "<|endoftext|>"
    path = folder / "tokenizers/gpt2/merges.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(merges) + "\n", encoding="utf-8")

    gpt2 = tokenizers.Tokenizer.from_file(str(source))
    gpt2.no_truncation()
    piece_file = reference / "tokenizers/mistral-v1/tokenizer.model"
    (folder / "tokenizers/mistral-v1").mkdir(parents=True, exist_ok=True)
    shutil.copyfile(piece_file, folder / "tokenizers/mistral-v1/tokenizer.model")
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(piece_file))

    cases = []
    for text in texts["gpt2/tokenizer.json"]:
        ids = gpt2.encode(text, add_special_tokens=False).ids
        cases.append({"tokenizer": "gpt2", "text": text, "ids": ids,
                      "decoded": gpt2.decode(ids, skip_special_tokens=False)})
    for text in texts["mistral-v1/tokenizer.model"]:
        ids = pieces.encode(text)
        cases.append({"tokenizer": "mistral-v1", "text": text, "ids": ids,
                      "decoded": pieces.decode(ids)})
    write_lines(folder / "tokenizers/cases.jsonl", cases)


def chat_cases(folder, reference):
    cases = lines(reference / "chat/cases.jsonl")
    for case in cases:
        try:
            found = _compile_jinja_template(case["source"]).render(
                messages=case["messages"], add_generation_prompt=case["add_generation_prompt"],
                bos_token=case["bos_token"], eos_token=case["eos_token"], **case["extra"])
        except Exception as error:
            assert case.get("rendered") is None and str(error) == case["error"], (case, error)
        else:
            assert found == case["rendered"], case
    write_lines(folder / "chat/cases.jsonl", cases)


def text_scores(folder, data, model_folder):
    tokenizer = tokenizers.Tokenizer.from_file(str(model_folder / "tokenizer.json"))
    model = AutoModelForCausalLM.from_pretrained(
        model_folder, dtype=torch.float64, attn_implementation="eager").eval()
    by_id = lambda name: {item["id"]: item for item in lines(data / name)}
    posts = by_id("queries.jsonl")
    answers = [by_id(f"responses-{which}-mistral-mistral.jsonl") for which in ("iteration-3", "base")]
    principles = lines(data / "constitutions.jsonl")[0]
    rollouts, expected = [], []
    for number, post in enumerate(POSTS):
        prompts = [f"Constitution:\n{principles[side].splitlines()[0].strip()}\n\n"
                   f"POST: {beginning(posts[post]['post'])}\n\nSummary:"
                   for side in ("positive", "negative")]
        responses = [" " + beginning(answer[post]["response"].strip() + " ") for answer in answers]
        log_probs, prompt_ids = [], []
        for constitution, (prompt, own) in enumerate(zip(prompts, responses)):
            rollouts.append({"query": post, "constitution": constitution, "prompt": prompt,
                             "response": own})
            start = tokenizer.encode(prompt).ids
            prompt_ids.append(start)
            row = []
            for response in responses:
                ids = tokenizer.encode(prompt + response).ids
                assert ids[: len(start)] == start and len(ids) <= 512, (post, len(ids))
                with torch.no_grad():
                    logits = model(input_ids=torch.tensor([ids])).logits[0, len(start) - 1 : -1]
                target = torch.tensor(ids[len(start):])
                row.append(logits.log_softmax(-1)[torch.arange(len(target)), target])
            log_probs.append(row)
        s, _, _, loss = Oracle.contrast(log_probs)
        expected.append({"query": post, "S": short(s.flatten().tolist()), "loss": short(loss.item()),
                         "lengths": [len(y) for y in log_probs[0]], "prompt_ids": prompt_ids})
    write_lines(folder / "text/rollouts.jsonl", rollouts)
    write_lines(folder / "text/expected.jsonl", expected)
