"""The `tokenizers` package: loads a tokenizer.json and encodes the texts of a file, one a line of JSON. One line of JSON.

    peers/bin/python tokenize_text.py TOKENIZER TEXTS [--threads 2]
    peers/bin/python tokenize_text.py --write TEXTS [--megabytes 100]

The second form writes the texts: the sources and documents of this Python and its packages.
"""

import argparse
import json
import os
import pathlib
import resource
import sysconfig
import time


def write(path, megabytes):
    paths = sysconfig.get_paths()
    left = megabytes * 1_000_000
    with open(path, "w") as out:
        for folder in dict.fromkeys([paths["stdlib"], paths["purelib"]]):
            for file in sorted(pathlib.Path(folder).rglob("*")):
                if file.suffix not in [".py", ".txt", ".md", ".rst"] or not file.is_file():
                    continue
                try:
                    text = file.read_text("utf-8")
                except (UnicodeDecodeError, OSError):
                    continue
                # Texts of at most 8,000 characters, as documents and prompts have.
                for start in range(0, len(text), 8000):
                    part = text[start:start + 8000]
                    left -= len(part.encode())
                    if left < 0:
                        return
                    out.write(json.dumps(part) + "\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tokenizer")
    parser.add_argument("texts")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    os.environ["RAYON_NUM_THREADS"] = str(given.threads)
    os.environ["TOKENIZERS_PARALLELISM"] = "true"
    from tokenizers import Tokenizer

    load = []
    for _ in range(5):
        start = time.perf_counter()
        tokenizer = Tokenizer.from_file(given.tokenizer)
        load.append(time.perf_counter() - start)
    # Some files ask for both.
    tokenizer.no_truncation()
    tokenizer.no_padding()
    texts = [json.loads(line) for line in open(given.texts)]
    size = sum(len(text.encode()) for text in texts)
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        # The form without offsets, which is the faster one and gives what ours gives.
        found = tokenizer.encode_batch_fast(texts)
        seconds.append(time.perf_counter() - start)
    print(json.dumps({
        "seconds": round(min(seconds), 4),
        "load_seconds": round(min(load), 4),
        "tokens": sum(len(encoding) for encoding in found),
        "megabytes_per_second": round(size / min(seconds) / 1e6, 2),
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }))


if __name__ == "__main__":
    import sys

    if sys.argv[1:2] == ["--write"]:
        write(sys.argv[2], int(sys.argv[4]) if sys.argv[3:4] == ["--megabytes"] else 100)
    else:
        main()
