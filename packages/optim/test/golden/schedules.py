"""Writes schedules.json: the rates of PyTorch's schedulers at the first 61 steps, in float64.

    apt-get install python3-torch && /usr/bin/python3 packages/optim/test/golden/schedules.py
"""

import json
import pathlib
import sys

import torch
from torch.optim import lr_scheduler

STEPS = 61

# name: (rate that the optimizer is made with, optimizer -> a scheduler, how many steps it has)
schedules = {
    "StepLR": (0.4, lambda o: lr_scheduler.StepLR(o, step_size=7, gamma=0.5), STEPS),
    "StepLR by default": (0.4, lambda o: lr_scheduler.StepLR(o, step_size=20), STEPS),
    "ExponentialLR": (0.4, lambda o: lr_scheduler.ExponentialLR(o, gamma=0.9), STEPS),
    "MultiStepLR": (0.4, lambda o: lr_scheduler.MultiStepLR(o, milestones=[5, 6, 30], gamma=0.5), STEPS),
    "LinearLR": (0.4, lambda o: lr_scheduler.LinearLR(o, start_factor=0.25, end_factor=1.0, total_iters=12), STEPS),
    "PolynomialLR": (0.4, lambda o: lr_scheduler.PolynomialLR(o, total_iters=40, power=0.9), STEPS),
    # Behind T_max it rises again, which cosineDecay does not.
    "CosineAnnealingLR": (0.4, lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=40, eta_min=0.1), 41),
    "CosineAnnealingWarmRestarts": (
        0.4,
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, T_0=10, eta_min=0.1),
        STEPS,
    ),
    "CosineAnnealingWarmRestarts, T_mult 2": (
        0.4,
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, T_0=7, T_mult=2),
        STEPS,
    ),
    "CosineAnnealingWarmRestarts, T_mult 3": (
        0.4,
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, T_0=4, T_mult=3),
        STEPS,
    ),
    "OneCycleLR": (0.4, lambda o: lr_scheduler.OneCycleLR(o, max_lr=0.4, total_steps=STEPS), STEPS),
    "OneCycleLR, linear": (
        0.4,
        lambda o: lr_scheduler.OneCycleLR(
            o,
            max_lr=0.4,
            total_steps=50,
            pct_start=0.25,
            anneal_strategy="linear",
            div_factor=10,
            final_div_factor=100,
        ),
        50,
    ),
    "OneCycleLR, three phases": (
        0.4,
        lambda o: lr_scheduler.OneCycleLR(o, max_lr=0.4, total_steps=STEPS, pct_start=0.4, three_phase=True),
        STEPS,
    ),
    "OneCycleLR, three phases, linear": (
        0.4,
        lambda o: lr_scheduler.OneCycleLR(
            o, max_lr=0.4, total_steps=45, three_phase=True, anneal_strategy="linear"
        ),
        45,
    ),
    "CyclicLR": (0.4, lambda o: lr_scheduler.CyclicLR(o, base_lr=0.1, max_lr=0.4, step_size_up=8), STEPS),
    "CyclicLR, triangular2": (
        0.4,
        lambda o: lr_scheduler.CyclicLR(
            o, base_lr=0.1, max_lr=0.4, step_size_up=5, step_size_down=11, mode="triangular2"
        ),
        STEPS,
    ),
    "CyclicLR, exp_range": (
        0.4,
        lambda o: lr_scheduler.CyclicLR(
            o, base_lr=0.1, max_lr=0.4, step_size_up=8, mode="exp_range", gamma=0.97
        ),
        STEPS,
    ),
}


def rates(rate, make, steps):
    weight = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=rate, momentum=0.9)
    scheduler = make(optimizer)
    found = []
    for _ in range(steps):
        found.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        scheduler.step()
    return found


found = {name: rates(*parts) for name, parts in schedules.items()}
versions = {"python": sys.version.split()[0], "torch": torch.__version__}
path = pathlib.Path(__file__).parent / "schedules.json"
part = path.with_suffix(".json.part")
part.write_text(json.dumps({"versions": versions, "rates": found}, indent=1) + "\n")
part.rename(path)
