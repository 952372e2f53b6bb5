"""Makes trained.json and byte-level.json with the `tokenizers` package, the oracle of these tests.

    python make_fixtures.py        (tokenizers 0.22.2; the seed is in the code)

trained.json is a tokenizer that the package trained; byte-level.json holds the texts it was trained on
and, for other texts, the ids and the decoded text that the package gives with it.
"""
import json
import random

import tokenizers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

SIZE = 600
TEXTS = [
    "The harbour was quiet when Nora came down the steps, 34 of them, and looked for the boat.",
    "She didn't find it. They've moved it, she thought, and I'm the last to know!",
    "Two men were mending nets; one of them sang, the other one didn't.",
    "\"Where's the Seagull?\" she asked. \"She'll be back by noon,\" they said, \"or so we're told.\"",
    "Noon came.   The boat did not.\n\nBy 3:45 the wind had turned, and by 4:10 it rained.\n",
    "Im Hafen war es still; über den Dächern kreisten Möwen, größer als gewöhnlich.",
    "Le café était fermé, alors elle attendit sur le quai, près de l'eau, où l'on pêche.",
    "В гавани было тихо, и вода была спокойна.",
    "港は静かだった。船は戻らなかった。港の人は待った。",
    "\tif (boat == nil) { wait(for: 10); } // tabs, brackets [and] {such}",
    "Ahoy there! 🚢⚓️ The boat is back, the boat is back, the boat is back! 🎉🎉",
    "1234567890 1,000,000 3.14159 50% $20 #7 a_b c-d e/f x=y",
]


def random_text(r):
    pools = [(0x20, 0x7F), (0xA0, 0x250), (0x300, 0x460), (0x2000, 0x2070), (0x3040, 0x3100),
             (0x4E00, 0x4F00), (0x1F300, 0x1F600), (0, 0x110000)]
    words = ["the boat", " Nora", "'ll", "n't", "\n\n", "   ", "\t", "<s>", "</s>", "<pad>", "<pa",
             "\u180e", "\u00a0", "\r\n", "e\u0301", " 34", "港は"]
    text = ""
    for _ in range(r.randint(0, 24)):
        if r.random() < 0.5:
            text += r.choice(words)
            continue
        low, high = r.choice(pools)
        code = r.randrange(low, high)
        if not 0xD800 <= code < 0xE000:
            text += chr(code)
    return text


def main():
    assert tokenizers.__version__ == "0.22.2", tokenizers.__version__
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=SIZE, special_tokens=["<pad>", "<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A $B:1", special_tokens=[("<s>", 1)])
    tokenizer.save("trained.json")

    r = random.Random(7)
    texts = TEXTS + ["", " ", "a" * 500, "boat" * 200, " " * 100, "x \n \n y", "<s>a</s>b<pad>"]
    texts += [random_text(r) for _ in range(300)]
    cases = []
    for text in texts:
        ids = tokenizer.encode(text).ids
        cases.append({
            "text": text, "ids": ids, "bare": tokenizer.encode(text, add_special_tokens=False).ids,
            "decoded": tokenizer.decode(ids),
            "whole": tokenizer.decode(ids, skip_special_tokens=False)})
    decodings = []
    for _ in range(200):
        ids = [r.randrange(0, SIZE + 20) if r.random() < 0.3 else r.randrange(3, 300)
               for _ in range(r.randint(1, 12))]
        decodings.append({"ids": ids, "decoded": tokenizer.decode(ids)})
    with open("byte-level.json", "w") as file:
        json.dump({
            "provenance": "make_fixtures.py, tokenizers 0.22.2, seed 7", "size": SIZE,
            "texts": TEXTS, "cases": cases, "decodings": decodings}, file, indent=1)
        file.write("\n")


main()
