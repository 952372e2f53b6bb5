"""Small tokenizer folders, each with one setting that other programs obey, and the ids that transformers 5
gives: Tests/Fixtures/tokenizers/folders.jsonl.

    /somewhere/bin/pip install transformers==5.24.0 tokenizers==0.23.3 sentencepiece==0.2.3 protobuf
    HF_HUB_OFFLINE=1 /somewhere/bin/python Tests/Oracles/tokenizer_folders.py

A file that is not text is stored in base64, under a name that ends with ".base64".
"""
import base64
import io
import json
import pathlib
import tempfile

import sentencepiece
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "Fixtures"
CORPUS = ["The sister of the kettle reads the long letter in the garden.",
          "A user helps the other users in the morning; the end of the office.",
          "Hello there, hello again: the end, the end."]
SPECIAL = ["<s>", "</s>", "<unk>"]


def byte_level(blank=False, added=()):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=blank)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(CORPUS * 4, trainers.BpeTrainer(
        vocab_size=60, special_tokens=SPECIAL, show_progress=False))
    tokenizer.add_tokens(list(added))
    return json.loads(tokenizer.to_str())


def sentence_piece():
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS * 4), model_writer=model, model_type="bpe", vocab_size=310,
        byte_fallback=True, normalization_rule_name="identity", remove_extra_whitespaces=False,
        minloglevel=2)
    return base64.b64encode(model.getvalue()).decode()


def with_holes():
    file = byte_level(added=[AddedToken("<|user|>", special=True), AddedToken("<|end|>", special=True)])
    for token, number in zip(file["added_tokens"][3:], [75, 71]):
        token["id"] = number
    return file


def of_words():
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.train_from_iterator(CORPUS * 4, trainers.BpeTrainer(
        vocab_size=60, special_tokens=SPECIAL, show_progress=False))
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 1), ("<s>", 0))
    return json.loads(tokenizer.to_str())


def token(content, **flags):
    return {"content": content, "lstrip": False, "rstrip": False, "normalized": False,
            "single_word": False, "special": True, **flags}


GENERIC = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>"}
GPT2 = {"tokenizer_class": "GPT2Tokenizer", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
LLAMA = {"tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>",
         "add_bos_token": True}
_chat = [AddedToken("<|user|>", special=True), AddedToken("<|end|>", special=True)]

# Name, model_type, files, texts.
FOLDERS = [
    ("add_prefix_space", "gpt2", {"tokenizer.json": byte_level(),
                                  "tokenizer_config.json": {**GPT2, "add_prefix_space": True}},
     ["sister", " sister", "the</s>end"]),
    ("the class of GPT-2 adds no blank by itself", "gpt2",
     {"tokenizer.json": byte_level(blank=True), "tokenizer_config.json": GPT2}, ["sister", " sister"]),
    ("flags of added_tokens_decoder", "gpt2",
     {"tokenizer.json": byte_level(added=_chat), "tokenizer_config.json": {
         **GENERIC, "added_tokens_decoder": {"60": token("<|user|>", rstrip=True),
                                             "61": token("<|end|>", rstrip=True, lstrip=True)}}},
     ["<|user|>\n the kettle <|end|>\n\nhelp"]),
    ("tokens that only the settings have", "gpt2",
     {"tokenizer.json": byte_level(), "tokenizer_config.json": {
         **GENERIC, "pad_token": "[PAD]", "extra_special_tokens": ["<|a|>", "<|b|>"],
         "image_token": "<image>"}},
     ["[PAD]the<|a|> <|b|>end<image>"]),
    ("additional_special_tokens in special_tokens_map.json", "gpt2",
     {"tokenizer.json": byte_level(), "tokenizer_config.json": GENERIC,
      "special_tokens_map.json": {"additional_special_tokens": ["<|a|>"],
                                  "pad_token": token("<|pad|>", lstrip=True)}},
     ["the <|a|> end  <|pad|>"]),
    ("split_special_tokens", "gpt2",
     {"tokenizer.json": byte_level(added=_chat),
      "tokenizer_config.json": {**GENERIC, "split_special_tokens": True}}, ["<s>the end</s>"]),
    ("added tokens numbered with holes", "gpt2",
     {"tokenizer.json": with_holes(), "tokenizer_config.json": GENERIC}, ["<|user|>help<|end|>"]),
    ("words and RobertaProcessing", "gpt2",
     {"tokenizer.json": of_words(), "tokenizer_config.json": GENERIC}, ["the  sister\treads", ""]),
    ("legacy false", "llama", {"tokenizer.model.base64": sentence_piece(),
                               "tokenizer_config.json": {**LLAMA, "legacy": False}},
     ["a</s>sister", "<s>the office", "</s>  the", " the", "the end"]),
    ("added_tokens.json", "llama",
     {"tokenizer.model.base64": sentence_piece(), "tokenizer_config.json": LLAMA,
      "added_tokens.json": {"<|im_start|>": 310, "<|im_end|>": 311}},
     ["Hello <|im_start|>user", "the end<|im_end|>"]),
    ("no blank before a text", "llama",
     {"tokenizer.model.base64": sentence_piece(),
      "tokenizer_config.json": {**LLAMA, "legacy": False, "add_prefix_space": False}},
     ["the end", " the end"]),
]


def main():
    lines = []
    for name, family, files, texts in FOLDERS:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder)
            (path / "config.json").write_text(json.dumps({"model_type": family}))
            for file, content in files.items():
                if file.endswith(".base64"):
                    (path / file.removesuffix(".base64")).write_bytes(base64.b64decode(content))
                else:
                    (path / file).write_text(json.dumps(content))
            tokenizer = AutoTokenizer.from_pretrained(folder)
            cases = [{"text": text, "ids": tokenizer.encode(text)} for text in texts]
        print(name, type(tokenizer).__name__, cases)
        texts = {file: content if isinstance(content, str) else json.dumps(content)
                 for file, content in files.items()}
        lines.append(json.dumps({"name": name, "files": texts, "cases": cases}))
    (FIXTURES / "tokenizers/folders.jsonl").write_text("\n".join(lines) + "\n")


main()
