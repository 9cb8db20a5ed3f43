"""Writes pytorch.json: where PyTorch's optimizers go on the problems of the tests, in float64.

    apt-get install python3-torch && /usr/bin/python3 packages/optim/test/golden/pytorch.py
"""

import json
import math
import pathlib
import sys

import torch

from problems import problems

STEPS = 30


def up_and_down(rate):
    """As `upAndDown` of rows/momentum.ts: warm up for 10 steps, then half a cosine of 20."""
    return lambda step: rate * step / 10 if step < 10 else rate * (1 + math.cos(math.pi * (step - 10) / 20)) / 2


def lbfgs(params, **options):
    """One iteration a step, whatever it finds."""
    fixed = {"max_iter": 1, "tolerance_grad": 0, "tolerance_change": 0, "history_size": 10}
    return torch.optim.LBFGS(params, **{**fixed, **options})


# name: (parameters, rate) -> an optimizer, or one and the rate of each step
optimizers = {
    "sgd": lambda params, rate: torch.optim.SGD(params, lr=rate),
    "momentum": lambda params, rate: torch.optim.SGD(params, lr=rate / 10, momentum=0.9),
    "momentum on a schedule": lambda params, rate: (
        torch.optim.SGD(params, lr=rate, momentum=0.5),
        up_and_down(rate),
    ),
    "nesterov": lambda params, rate: torch.optim.SGD(params, lr=rate / 10, momentum=0.9, nesterov=True),
    "nesterov on a schedule": lambda params, rate: (
        torch.optim.SGD(params, lr=rate, momentum=0.5, nesterov=True),
        up_and_down(rate),
    ),
    "adam": lambda params, rate: torch.optim.Adam(params, lr=rate),
    "lbfgs": lambda params, rate: lbfgs(params, line_search_fn="strong_wolfe"),
    "lbfgs with a history of 2": lambda params, rate: lbfgs(
        params, lr=0.5, history_size=2, line_search_fn="strong_wolfe"
    ),
    "lbfgs without a line search": lambda params, rate: lbfgs(params, lr=rate),
}


def trajectory(make, problem):
    loss, start, rate = problem
    params = [torch.tensor(values, requires_grad=True) for values in start]
    made = make(params, rate)
    optimizer, rates = made if isinstance(made, tuple) else (made, None)
    visited = []
    for step in range(STEPS):
        if rates is not None:
            for group in optimizer.param_groups:
                group["lr"] = rates(step)

        def closure():
            optimizer.zero_grad()
            value = loss(params, step)
            value.backward()
            return value

        optimizer.step(closure)
        visited.append([x for param in params for x in param.detach().reshape(-1).tolist()])
    return visited


found = {
    name: {problem: trajectory(make, parts) for problem, parts in problems.items()}
    for name, make in optimizers.items()
}
versions = {"python": sys.version.split()[0], "torch": torch.__version__}
path = pathlib.Path(__file__).parent / "pytorch.json"
part = path.with_suffix(".json.part")
part.write_text(json.dumps({"versions": versions, "trajectories": found}, indent=1) + "\n")
part.rename(path)
