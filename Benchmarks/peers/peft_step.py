"""One SAMI step in PyTorch, on all weights or on LoRA adapters of PEFT: the work of `sami-bench step`.

    python -m venv peers && peers/bin/pip install torch transformers peft
    peers/bin/python peft_step.py SHAPE C P R [--adapters RANK] [--dtype bfloat16] [--threads 2]

C constitutions, prompts of P tokens, responses of R: the C x C sequences go through the model as one batch, their mean
log-probs form S, and the loss is the mean of both cross-entropies. RMSprop as in the paper. Prints one line of JSON.
"""

import argparse
import json
import resource
import time

import torch

from shapes import SHAPES, torch_model


def scores(net, prompts, responses):
    """S (C, C): mean log p of response j under prompt i."""
    count, length = len(prompts), responses[0].numel()
    ids = torch.stack([torch.cat([p, r]) for p in prompts for r in responses])
    logits = net(input_ids=ids).logits[:, -length - 1 : -1].float()
    found = torch.gather(logits.log_softmax(-1), 2, ids[:, -length:, None])
    return found.mean(dim=(1, 2)).view(count, count)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("shape", choices=SHAPES)
    for name in ["constitutions", "prompt", "response"]:
        parser.add_argument(name, type=int)
    parser.add_argument("--adapters", type=int)
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=4)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    net = torch_model(given.shape, given.dtype)
    if given.adapters:
        from peft import LoraConfig, get_peft_model

        net = get_peft_model(
            net,
            LoraConfig(r=given.adapters, lora_alpha=2 * given.adapters, target_modules="all-linear"),
        )
    trained = [p for p in net.parameters() if p.requires_grad]
    optimizer = torch.optim.RMSprop(trained, lr=5e-7)
    vocabulary = SHAPES[given.shape][-1]
    draw = torch.Generator().manual_seed(1)
    tokens = lambda n: torch.randint(5, vocabulary, (n,), generator=draw)
    prompts = [tokens(given.prompt) for _ in range(given.constitutions)]
    responses = [tokens(given.response) for _ in range(given.constitutions)]
    own = torch.arange(given.constitutions)
    seconds = []
    for _ in range(given.steps):
        start = time.perf_counter()
        s = scores(net, prompts, responses)
        loss = (torch.nn.functional.cross_entropy(s, own)
                + torch.nn.functional.cross_entropy(s.T, own)) / 2
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        seconds.append(time.perf_counter() - start)
    print(json.dumps({
        "shape": given.shape, "adapters": given.adapters, "dtype": given.dtype,
        "seconds": round(min(seconds[1:]), 3), "loss": round(loss.item(), 5),
        "trained": sum(p.numel() for p in trained),
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }))


main()
