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


def falling(rate):
    """As `falling` of rows/adaptive.ts: half a cosine of 25 steps."""
    return lambda step: rate * (1 + math.cos(math.pi * min(step / 25, 1))) / 2


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
    "adagrad": lambda params, rate: torch.optim.Adagrad(params, lr=rate),
    "adagrad, the rate falls": lambda params, rate: torch.optim.Adagrad(
        params, lr=rate, lr_decay=0.25, initial_accumulator_value=0.5, eps=0.1
    ),
    "adadelta": lambda params, rate: torch.optim.Adadelta(params, lr=20 * rate, rho=0.9),
    "rmsprop": lambda params, rate: torch.optim.RMSprop(params, lr=rate),
    "rmsprop with momentum": lambda params, rate: (
        torch.optim.RMSprop(params, lr=rate, momentum=0.5),
        falling(rate),
    ),
    "rmsprop, centered": lambda params, rate: torch.optim.RMSprop(params, lr=rate, centered=True),
    "rmsprop, centered, with momentum": lambda params, rate: torch.optim.RMSprop(
        params, lr=rate, alpha=0.9, eps=0.01, momentum=0.5, centered=True
    ),
    "adam": lambda params, rate: torch.optim.Adam(params, lr=rate),
    "adamw": lambda params, rate: torch.optim.AdamW(params, lr=rate),
    "adamw, a large decay": lambda params, rate: torch.optim.AdamW(
        params, lr=rate, betas=(0.5, 0.9), weight_decay=2
    ),
    "amsgrad": lambda params, rate: torch.optim.Adam(params, lr=rate, amsgrad=True),
    "amsgrad, forgetting fast": lambda params, rate: torch.optim.Adam(
        params, lr=rate, betas=(0.5, 0.5), amsgrad=True
    ),
    "adamax": lambda params, rate: torch.optim.Adamax(params, lr=rate),
    "adamax, forgetting fast": lambda params, rate: torch.optim.Adamax(
        params, lr=rate, betas=(0.5, 0.5), eps=0.1
    ),
    # Without foreach, 1.13 has a factor too many in the product of the next step, which its formula has not, nor has 2.0.
    "nadam": lambda params, rate: torch.optim.NAdam(params, lr=rate, foreach=True),
    "nadam as in Keras": lambda params, rate: torch.optim.NAdam(
        params, lr=rate, momentum_decay=1, foreach=True
    ),
    "radam": lambda params, rate: torch.optim.RAdam(params, lr=rate / 2),
    "radam, forgetting fast": lambda params, rate: torch.optim.RAdam(params, lr=rate / 2, betas=(0.5, 0.9)),
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
