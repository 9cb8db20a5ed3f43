"""PyTorch in a process of its own: the same orders and answers as worker.js, a JSON object a line.

Eager, as nearly everyone runs it: nn.Sequential, optimizer.zero_grad, backward, step, loss.item() each step. One thread, for PyTorch
and for OpenBLAS. zero_grad(set_to_none=True), which its documentation recommends; Adam and SGD with their defaults (foreach=True made no
difference). Batch norm's momentum is 0.1, on the new value. Memory format is its default, NCHW. Forward passes run in inference_mode, and are
read by numpy(), which copies nothing. Without OpenBLAS (or MKL) Debian's package multiplies by the reference BLAS, ten times
slower: then it is left out.
"""
import contextlib
import json
import os
import re
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")


def answer(what):
    # A line that begins like this is an answer; libraries may print others.
    sys.stdout.write("@@" + json.dumps(what) + "\n")
    sys.stdout.flush()


try:
    import numpy
    import torch
except ImportError as error:
    answer({"unsupported": "not installed (%s); apt-get install python3-torch" % error})
    sys.exit(0)

import resource
import statistics
import time

torch.set_num_threads(1)
nn = torch.nn


def blas():
    """Which BLAS this process has loaded, or None where it is the reference one."""
    with open("/proc/self/maps") as maps:
        found = re.search("openblas|mkl|blis", maps.read())
    return found and found.group()


class Unsupported(Exception):
    pass


def read_workload(path):
    floats = numpy.fromfile(re.sub("json$", "bin", path), dtype="<f4")

    def revive(value):
        if "at" not in value:
            return value
        size = int(numpy.prod(value["shape"], dtype=numpy.int64))
        return torch.from_numpy(floats[value["at"] : value["at"] + size].reshape(value["shape"]).copy())

    with open(path) as file:
        return json.load(file, object_hook=revive)


def network(model, start):
    layers = []
    if model["type"] == "mlp":
        sizes = model["sizes"]
        for i in range(len(sizes) - 1):
            layers.append(nn.Linear(sizes[i], sizes[i + 1]))
            if i == len(sizes) - 2:
                break
            if model["batchNorm"]:
                layers.append(nn.BatchNorm1d(sizes[i + 1], eps=1e-5, momentum=0.1))
            layers.append(nn.ReLU() if model["activation"] == "relu" else nn.Tanh())
            if model["dropout"][i] > 0:
                layers.append(nn.Dropout(model["dropout"][i]))
    else:
        channels = model["image"][2]
        for convolution in model["convolutions"]:
            layers += [nn.Conv2d(channels, convolution["filters"], convolution["size"]), nn.ReLU(), nn.MaxPool2d(2)]
            channels = convolution["filters"]
        layers += [nn.Flatten(), nn.Linear(start[-1]["weight"].shape[0], model["classes"])]
    net = nn.Sequential(*layers)
    load(net, model, start)
    return net


def load(net, model, start):
    """Weights as this library has them: [out, in], and features after a convolution in the order of NCHW."""
    following = iter(start)
    with torch.no_grad():
        for layer in net:
            if isinstance(layer, nn.BatchNorm1d):
                layer.reset_parameters()
                layer.reset_running_stats()
            if not isinstance(layer, (nn.Linear, nn.Conv2d)):
                continue
            given = next(following)
            weight = given["weight"]
            if isinstance(layer, nn.Conv2d):
                weight = weight.permute(3, 2, 0, 1)
            else:
                if model["type"] == "cnn":
                    channels = model["convolutions"][-1]["filters"]
                    features, classes = weight.shape
                    side = round((features // channels) ** 0.5)
                    weight = weight.reshape(side, side, channels, classes).permute(2, 0, 1, 3).reshape(features, classes)
                weight = weight.t()
            layer.weight.copy_(weight)
            layer.bias.copy_(given["bias"])


class Trainer:
    def __init__(self, workload):
        self.workload = workload
        model, loss = workload["model"], workload["loss"]
        self.net = network(model, workload["start"])
        self.batches = []
        for batch in workload["batches"]:
            inputs, targets = batch["inputs"], batch["targets"]
            if model["type"] == "cnn":
                inputs = inputs.permute(0, 3, 1, 2).contiguous()
            self.batches.append((inputs, targets.long() if loss == "crossEntropy" else targets))
        self.loss = {
            "crossEntropy": nn.CrossEntropyLoss,
            "meanSquaredError": nn.MSELoss,
            "sigmoidCrossEntropy": nn.BCEWithLogitsLoss,
        }[loss]()
        self.restart()

    def restart(self):
        load(self.net, self.workload["model"], self.workload["start"])
        rule = self.workload["optimizer"]
        if rule["name"] == "adam":
            self.optimizer = torch.optim.Adam(self.net.parameters(), lr=rule["learningRate"], eps=1e-8)
        else:
            self.optimizer = torch.optim.SGD(self.net.parameters(), lr=rule["learningRate"])
        self.taken = 0

    def step(self):
        inputs, targets = self.batches[self.taken % len(self.batches)]
        self.taken += 1
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(self.net(inputs), targets)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    call = step
    mode = contextlib.nullcontext


class Computation:
    # Entered around the calls, so that none pays for it.
    mode = torch.inference_mode

    def __init__(self, workload):
        self.f = formula(workload)
        # The forward pass is asked for its numbers each time.
        self.call = self.read if workload["kind"] == "forward" else self.compute

    def compute(self):
        self.f()

    def read(self):
        return self.f().numpy()


def formula(workload):
    kind = workload["kind"]
    if kind == "product":
        left, right = workload["left"], workload["right"]
        left = left.t() if workload["form"][0] == "T" else left
        right = right.t() if workload["form"][1] == "T" else right
        return lambda: torch.mm(left, right)
    if kind == "elementwise":
        operands = workload["operands"]
        x, y = operands[0], operands[-1]
        return {
            "add": lambda: torch.add(x, y),
            "exp": lambda: torch.exp(x),
            "tanh": lambda: torch.tanh(x),
            "sigmoid": lambda: torch.sigmoid(x),
            "gelu erf": lambda: nn.functional.gelu(x),
            "gelu tanh": lambda: nn.functional.gelu(x, approximate="tanh"),
        }[workload["operation"]]
    if kind == "rows":
        matrix = workload["matrix"]
        return {
            "softmax": lambda: torch.softmax(matrix, -1),
            "sum axis 0": lambda: torch.sum(matrix, 0),
            "sum axis 1": lambda: torch.sum(matrix, 1),
        }[workload["operation"]]
    if kind == "forward":
        net, x = network(workload["model"], workload["start"]), workload["input"]
        return lambda: net(x)
    raise Unsupported("no workload of kind %s" % kind)


def warm_up(call, calls, seconds, most):
    start, made = time.perf_counter(), 0
    while True:
        passed = time.perf_counter() - start
        if (made >= calls and passed >= seconds) or (made >= 2 and passed > most):
            return
        call()
        made += 1


def microseconds(prepared, seconds, clock):
    """The median of samples, each of as many calls as take 10 ms: what benny does for the others."""
    if isinstance(prepared, Trainer):
        prepared.restart()
    call, now = prepared.call, time.perf_counter
    call()
    if clock == "cpu":
        begun, used, made = now(), time.process_time(), 0
        while now() - begun < seconds:
            call()
            made += 1
        return (time.process_time() - used) / made * 1e6
    start, made = now(), 0
    while now() - start < 0.01:
        call()
        made += 1
    samples, begun = [], now()
    while not samples or now() - begun < seconds:
        start = now()
        for _ in range(made):
            call()
        samples.append((now() - start) / made)
    return statistics.median(samples) * 1e6


prepared = None


def obey(order):
    global prepared
    do = order["do"]
    if do == "prepare":
        workload = read_workload(order["file"])
        prepared = Trainer(workload) if workload["kind"] == "training" else Computation(workload)
        return {}
    if do == "losses":
        prepared.restart()
        return {"losses": [prepared.step() for _ in range(order["steps"])]}
    if do == "sample":
        with prepared.mode():
            result = prepared.read().reshape(-1)
        return {"size": result.size, "values": [float(result[i]) for i in order["indices"]]}
    if do == "warm":
        with prepared.mode():
            warm_up(prepared.call, order["calls"], order["seconds"], order["most"])
        return {}
    if do == "time":
        with prepared.mode():
            return {"microseconds": microseconds(prepared, order["seconds"], order["clock"])}
    if do == "memory":
        prepared.restart()
        for _ in range(order["steps"]):
            prepared.step()
        # Kilobytes, as in Node.
        return {"early": "null", "late": "null", "maxRss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}
    if do == "dispose":
        prepared = None
        return {}
    raise ValueError("no such order, got %s" % do)


if len(sys.argv) > 2 and sys.argv[1] == "--first":
    answer({"loss": Trainer(read_workload(sys.argv[2])).step()})
    sys.exit(0)

if sys.platform == "linux" and blas() is None and not torch.backends.mkl.is_available():
    answer({"unsupported": "its BLAS is the reference one; apt-get install libopenblas0"})
    sys.exit(0)
answer({"version": "%s (%s)" % (torch.__version__, blas())})
for line in sys.stdin:
    try:
        answer(obey(json.loads(line)))
    except Unsupported as error:
        answer({"unsupported": str(error)})
    except Exception as error:
        answer({"failed": "%s: %s" % (type(error).__name__, error)})
