"""Generation in transformers: B random prompts of P tokens, R sampled tokens each, top-p 0.9. One line of JSON.

    peers/bin/python torch_generate.py SHAPE B P R [--dtype bfloat16] [--threads 2]
"""

import argparse
import json
import resource
import time

import torch

from shapes import SHAPES, torch_model


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("shape", choices=SHAPES)
    for name in ["prompts", "prompt", "response"]:
        parser.add_argument(name, type=int)
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    net = torch_model(given.shape, given.dtype).eval()
    ids = torch.randint(5, SHAPES[given.shape][-1], (given.prompts, given.prompt))
    seconds = []
    with torch.no_grad():
        for _ in range(2):
            start = time.perf_counter()
            net.generate(
                ids, attention_mask=torch.ones_like(ids), do_sample=True, top_p=0.9, top_k=0,
                max_new_tokens=given.response, min_new_tokens=given.response, pad_token_id=0)
            seconds.append(time.perf_counter() - start)
    print(json.dumps({
        "seconds": round(min(seconds), 4),
        "tokens_per_second": round(given.prompts * given.response / min(seconds), 1),
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }))


main()
