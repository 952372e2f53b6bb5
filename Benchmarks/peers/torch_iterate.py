"""One SAMI iteration in transformers: rollouts of N queries under two constitutions, then a pass over them in batches.

    peers/bin/python torch_iterate.py SHAPE N P R [--batch 4] [--dtype bfloat16] [--threads 2]

Prompts are random tokens. All responses are sampled in one call; each batch is scored as C x C sequences a query, with the
loss of both cross-entropies and a step of RMSprop. One line of JSON; `sami-bench iterate` does the same.
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
    for name in ["queries", "prompt", "response"]:
        parser.add_argument(name, type=int)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    net = torch_model(given.shape, given.dtype)
    optimizer = torch.optim.RMSprop(net.parameters(), lr=5e-7)
    vocabulary = SHAPES[given.shape][-1]
    prompts = torch.randint(5, vocabulary, (given.queries, 2, given.prompt))
    start = time.perf_counter()
    with torch.no_grad():
        flat = prompts.view(-1, given.prompt)
        found = net.generate(
            flat, attention_mask=torch.ones_like(flat), do_sample=True, top_p=0.9, top_k=0,
            max_new_tokens=given.response, min_new_tokens=given.response, pad_token_id=0)
    responses = found[:, given.prompt:].view(given.queries, 2, given.response)
    sampled = time.perf_counter() - start
    own = torch.arange(2)
    for first in range(0, given.queries, given.batch):
        queries = range(first, min(first + given.batch, given.queries))
        for q in queries:
            ids = torch.stack([torch.cat([p, r]) for p in prompts[q] for r in responses[q]])
            logits = net(input_ids=ids).logits[:, -given.response - 1:-1].float()
            tokens = torch.gather(logits.log_softmax(-1), 2, ids[:, -given.response:, None])
            s = tokens.mean(dim=(1, 2)).view(2, 2)
            loss = (torch.nn.functional.cross_entropy(s, own)
                    + torch.nn.functional.cross_entropy(s.T, own)) / 2 / len(queries)
            loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    print(json.dumps({
        "seconds": round(time.perf_counter() - start, 3), "sampling_seconds": round(sampled, 3),
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }))


main()
