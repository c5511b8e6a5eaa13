"""Networks on a GPU: speed against a plain PyTorch loop, and agreement with the processor.

For a machine with a card; the rows of one kind are left out when the time is up, at the latest
after five minutes. With ``--device cpu`` the same rows run on a processor.

    python tests/performance/gpu.py --out docs/results/gpu.csv

Rows: populations of MLPs; a CNN on windows and ResNets on images, an epoch each, beside the same
module in a plain loop in float32, with automatic mixed precision (bfloat16) and compiled by
``torch.compile``; the largest difference between the probabilities of the device and those of the
processor after an epoch; ResNet-32 on the long-tailed CIFAR-10, as long as the time allows.
"""

import argparse
import time

import numpy as np
import pandas as pd
import torch
from _tiny import first, parse_arguments
from sklearn.datasets import make_classification

from skimbal import CNN1DClassifier, MLPClassifier, ResNetClassifier
from skimbal.datasets import fetch_cifar10_imbalanced
from skimbal.metrics import balanced_accuracy
from skimbal.neural_network import fit_population

TIME_S = 300.0
POPULATIONS = (1, 10, 100, 1000)
N_ROWS, N_WINDOWS, N_IMAGES = 1000, 8192, 4096
SIZE, LENGTH = 32, 256
DEPTHS = {"ResNet-20": 20, "ResNet-32": 32, "ResNet-18": 18}
BATCH_SIZE = 512
CIFAR_IMAGES = None
EPOCHS = {"population": 20, "cifar": 100}
LOOPS = {
    "plain loop": {},
    "plain loop, bfloat16": {"mixed_precision": True},
    "plain loop, compiled": {"compiled": True},
}


class Stopwatch:
    """Seconds on a device, whose work is waited for."""

    def __init__(self, device):
        self.device = torch.device(device)

    def time(self, function, *arguments, **options):
        """Return the seconds of a call and what it returns."""
        self._wait()
        start = time.perf_counter()
        value = function(*arguments, **options)
        self._wait()
        return time.perf_counter() - start, value

    def _wait(self):
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


def table_data():
    """Two classes of 20 features, as large as a KEEL set."""
    return make_classification(N_ROWS, 20, n_informative=8, weights=[0.9], random_state=0)


def arrays_of(shape):
    """Noise with a level by class: ten classes, float32."""
    rng = np.random.default_rng(0)
    y = np.arange(shape[0]) % 10
    X = rng.normal(size=shape).astype(np.float32)
    X += 0.1 * y.reshape(-1, *[1] * (len(shape) - 1))
    return X, y


def population_rows(watch, device):
    """Seconds of populations, for each network, and of as many plain loops of one network."""
    X, y = table_data()
    options = {"max_epochs": EPOCHS["population"], "device": device}
    one = MLPClassifier(**options, random_state=0)
    fit_population([one], X, y)  # the first call loads the kernels
    module = one.fit(X, y).net_.module_
    alone, _ = watch.time(
        plain_loop, module, X, y, device, batch_size=64, n_epochs=EPOCHS["population"]
    )
    for n in POPULATIONS:
        networks = [MLPClassifier(**options, random_state=seed) for seed in range(n)]
        seconds, _ = watch.time(fit_population, networks, X, y)
        yield f"{n} MLPs, fit_population", seconds / n, alone


def plain_loop(
    module, X, y, device, *, batch_size, n_epochs=1, mixed_precision=False, compiled=False
):
    """What one would write by hand, with the data on the device."""
    module = torch.compile(module) if compiled else module
    module.train()
    optimizer = torch.optim.Adam(module.parameters(), fused=True)
    X = torch.as_tensor(X, dtype=torch.float32, device=device)
    y = torch.as_tensor(y, device=device)
    context = torch.autocast(torch.device(device).type, torch.bfloat16, enabled=mixed_precision)
    for _ in range(n_epochs):
        for rows in torch.randperm(len(X), device=device).split(batch_size):
            optimizer.zero_grad(set_to_none=True)
            with context:
                loss = torch.nn.functional.cross_entropy(module(X[rows]), y[rows])
            loss.backward()
            optimizer.step()
    return loss.item()


def networks(device):
    """Convolutional networks with their data."""
    common = {"batch_size": BATCH_SIZE, "max_epochs": 1, "device": device, "random_state": 0}
    X, y = arrays_of((N_WINDOWS, 6, LENGTH))
    yield "CNN on windows", CNN1DClassifier(**common), X, y
    X, y = arrays_of((N_IMAGES, 3, SIZE, SIZE))
    for name, depth in DEPTHS.items():
        yield name, ResNetClassifier(depth=depth, **common), X, y


def epoch_rows(watch, device, is_over):
    """Seconds of an epoch of each network and of plain loops of its module."""
    for name, network, X, y in networks(device):
        if is_over():
            return
        network.fit(X, y)
        module = network.net_.module_
        plain_loop(module, X, y, device, batch_size=BATCH_SIZE)
        base, _ = watch.time(plain_loop, module, X, y, device, batch_size=BATCH_SIZE)
        seconds, _ = watch.time(network.fit, X, y)
        yield f"{name}, fit of an epoch", seconds, base
        for loop, options in LOOPS.items():
            if is_over():
                return
            arguments = {"batch_size": BATCH_SIZE, **options}
            plain_loop(module, X, y, device, **arguments)  # compiles
            seconds, _ = watch.time(plain_loop, module, X, y, device, **arguments)
            yield f"{name}, {loop}", seconds, base


def difference_rows(device, is_over):
    """Largest difference of probabilities between the device and the processor, after an epoch."""
    X, y = table_data()
    settings = [("MLP", MLPClassifier(max_epochs=1, random_state=0), X, y)]
    settings += [(name, *rest) for name, *rest in networks("cpu")]
    for name, network, X, y in settings:
        if is_over():
            return
        X, y = X[: 4 * BATCH_SIZE], y[: 4 * BATCH_SIZE]
        proba = [
            network.set_params(device=where).fit(X, y).predict_proba(X) for where in ("cpu", device)
        ]
        yield name, float(np.abs(proba[0] - proba[1]).max())


def cifar_row(watch, device, seconds_left):
    """Balanced accuracy of ResNet-32 on the long-tailed CIFAR-10 in the time that is left."""
    cifar = fetch_cifar10_imbalanced(n_max=CIFAR_IMAGES, n_test=CIFAR_IMAGES, random_state=0)
    network = ResNetClassifier(
        depth=32,
        class_weight="balanced",
        augmentation=["crop", "flip"],
        batch_size=BATCH_SIZE,
        learning_rate_schedule="cosine",
        max_epochs=1,
        device=device,
        random_state=0,
    )
    first_epoch, _ = watch.time(network.fit, cifar.data, cifar.target)
    n_epochs = int(np.clip(0.7 * seconds_left() / first_epoch, 1, EPOCHS["cifar"]))
    network.set_params(max_epochs=n_epochs)
    seconds, _ = watch.time(network.fit, cifar.data, cifar.target)
    score = balanced_accuracy(cifar.target_test, network.predict(cifar.data_test))
    return f"ResNet-32, CIFAR-10 ({cifar.version}), {n_epochs} epochs", seconds, score


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda", help="cuda (default), cuda:1, mps or cpu")
    parser.add_argument("--out", required=True)
    arguments = parse_arguments(
        parser,
        globals(),
        POPULATIONS=(1, 3),
        N_ROWS=100,
        N_WINDOWS=40,
        N_IMAGES=20,
        LENGTH=32,
        SIZE=8,
        DEPTHS={"ResNet-8": 8},
        BATCH_SIZE=8,
        CIFAR_IMAGES=100,
        EPOCHS={"population": 2, "cifar": 1},
        LOOPS=first(LOOPS, 2),
        device="cpu",
    )
    end = time.monotonic() + TIME_S
    device, watch = arguments.device, Stopwatch(arguments.device)

    def seconds_left():
        return end - time.monotonic()

    def is_over(share=0.4):
        return seconds_left() < share * TIME_S

    rows = []
    for name, seconds, plain in [
        *population_rows(watch, device),
        *epoch_rows(watch, device, is_over),
    ]:
        rows.append({"row": name, "seconds": seconds, "plain_loops": seconds / plain})
    for name, largest in difference_rows(device, is_over):
        rows.append({"row": f"{name}: device and processor", "difference": largest})
    try:
        name, seconds, score = cifar_row(watch, device, seconds_left)
    except OSError as error:  # neither a copy nor a network
        print(f"CIFAR-10 is left out: {error}")
    else:
        rows.append({"row": name, "seconds": seconds, "balanced_accuracy": score})
    table = pd.DataFrame(rows).set_index("row")
    kind = torch.cuda.get_device_name(device) if device.startswith("cuda") else device
    table.assign(device=kind, torch=torch.__version__).to_csv(arguments.out, float_format="%.4g")
    print(table.to_string(float_format="{:.4g}".format, na_rep="-"))


if __name__ == "__main__":
    main()
