"""x wᵀ, y w and yᵀ x in torch, for N rows and a weight matrix (M, K): the work of `sami-bench product`. One line of JSON.

    peers/bin/python torch_product.py N K M [--dtype bfloat16] [--threads 2]
"""

import argparse
import json
import time

import torch


def main():
    parser = argparse.ArgumentParser()
    for name in ["n", "k", "m"]:
        parser.add_argument(name, type=int)
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    kind = getattr(torch, given.dtype)
    x, y = torch.randn(given.n, given.k).to(kind), torch.randn(given.n, given.m).to(kind)
    w = torch.randn(given.m, given.k).to(kind)
    operations = 2 * given.n * given.k * given.m
    rounds = max(5, min(2000, int(2e10 / operations)))

    def best(work):
        seconds = []
        for _ in range(rounds):
            start = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - start)
        return min(seconds)

    seconds = [best(lambda: x @ w.T), best(lambda: y @ w), best(lambda: y.T @ x)]
    rates = {f"{name}_gflops": round(operations / s / 1e9, 1)
             for name, s in zip(["forward", "input", "weight"], seconds)}
    print(json.dumps({"seconds": seconds[0], **rates}))


main()
