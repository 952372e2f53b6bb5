"""Values that Tests/AlignmentTests compares with. Needs torch:

    python Tests/Oracles/alignment.py contrast
    python Tests/Oracles/alignment.py wilson
    python Tests/Oracles/alignment.py length
"""
import math
import sys

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


def scores(c, r):
    return torch.tensor([[2 * math.sin(1 + 3 * i + 7 * j) - 1 for j in range(r)] for i in range(c)])


def contrast():
    for c, r in [(2, 2), (3, 3), (4, 4), (3, 6)]:
        s = scores(c, r).requires_grad_()
        label = torch.arange(c)
        grids = [s[:, g * c : (g + 1) * c] for g in range(r // c)]
        row = sum(F.cross_entropy(g, label) for g in grids) / len(grids)
        column = sum(F.cross_entropy(g.t(), label) for g in grids) / len(grids)
        loss = (row + column) / 2
        loss.backward()
        print(c, r, row.item(), column.item(), loss.item(), s.grad.flatten().tolist())


def wilson():
    z = 1.959963984540054
    for successes, n in [(70, 100), (0, 10), (10, 10), (360.5, 500)]:
        p = successes / n
        center = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        print(successes, n, center - half, center + half)


def length():
    y = torch.tensor([1, 1, 0.5, 0, 1, 0, 1, 1, 0, 0.5, 1, 0])
    d = torch.tensor([30.0, 12, 0, -8, 25, 4, -6, 18, -20, 2, 9, -11])
    x = d / d.square().mean().sqrt()
    w = torch.zeros(2, requires_grad=True)

    def loss(w):
        z = w[0] + w[1] * x
        data = F.binary_cross_entropy_with_logits(z, y, reduction="sum")
        tie = F.binary_cross_entropy_with_logits(w[0], torch.tensor(0.5))
        return data + tie + w[1] ** 2 / 18

    optimizer = torch.optim.LBFGS([w], lr=1, max_iter=500, tolerance_grad=1e-14, tolerance_change=1e-16)

    def closure():
        optimizer.zero_grad()
        value = loss(w)
        value.backward()
        return value

    for _ in range(20):
        optimizer.step(closure)
    error = torch.linalg.inv(torch.autograd.functional.hessian(loss, w.detach()))[0, 0].sqrt()
    a, b = w.tolist()
    share = lambda v: 1 / (1 + math.exp(-v))
    print(share(a), share(a - 1.959963984540054 * error.item()), share(a + 1.959963984540054 * error.item()), b)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
