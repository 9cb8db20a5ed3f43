"""What every optimizer is tested on, as in problems.ts: parameters, loss, and a rate, in float64."""

import torch

torch.set_default_dtype(torch.float64)


def noise(index):
    return 2 * ((index * 0.754877666) % 1) - 1


def batch(step, rows=8):
    inputs = [[noise(97 * step + 3 * r + c + 1) for c in range(3)] for r in range(rows)]
    targets = [
        2 * a - b + 0.5 * c + 3 + 0.3 * noise(31 * step + 7 * r + 5)
        for r, (a, b, c) in enumerate(inputs)
    ]
    return torch.tensor(inputs), torch.tensor(targets)


def quadratic(params, step):
    (x,) = params
    return (torch.tensor([1.0, 10.0, 0.5]) / 2 * x**2).sum()


def rosenbrock(params, step):
    x, y = params
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def beale(params, step):
    x, y = params
    return sum((c - x + x * y**k) ** 2 for k, c in enumerate([1.5, 2.25, 2.625], 1))


def regression(params, step):
    bias, weight = params
    inputs, targets = batch(step)
    return ((inputs @ weight + bias - targets) ** 2).mean()


# name: loss, start, rate
problems = {
    "quadratic": (quadratic, [[1.0, -2.0, 3.0]], 0.05),
    "rosenbrock": (rosenbrock, [-1.2, 1.0], 1e-3),
    "beale": (beale, [1.0, -0.5], 2e-3),
    "noisy linear regression, another batch at each step": (
        regression,
        [[0.0], [0.1, 0.2, -0.3]],
        0.1,
    ),
}
