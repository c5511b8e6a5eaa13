"""Training on a graphics card against the processor and against plain PyTorch, in five minutes.

    python tests/performance/gpu.py --out gpu.csv
    python tests/performance/gpu.py --device cpu --tiny --out gpu.csv

The parts: populations of perceptrons, a convolutional network, and residual networks of 18, 20 and
32 layers. The reference is a loop in plain PyTorch with the same module, batch size, optimizer and
data, which stay on the device; for the residual networks also with automatic mixed precision, and
with that and `torch.compile`. Times are of a second fit, in seconds of the clock an epoch (and a
network). "Difference" is the largest one between the probabilities of the same seed after an epoch
on the device and on the processor.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _tiny import parse_arguments
from sklearn.base import clone

from skimbal import CNN2DClassifier, MLPClassifier
from skimbal.neural_network import ResNetClassifier, fit_population

POPULATIONS = (1, 10, 100, 1000)
TABLE_ROWS, IMAGES = 10_000, 10_000
COMPARED_IMAGES = 500
DEPTHS = (18, 20, 32)
BATCH_SIZE = 512
SHAPE = (3, 32, 32)
TINY = {
    "POPULATIONS": (1, 2),
    "TABLE_ROWS": 100,
    "IMAGES": 40,
    "COMPARED_IMAGES": 40,
    "DEPTHS": (20,),
    "BATCH_SIZE": 20,
    "SHAPE": (3, 8, 8),
}


def make_data(n, shape):
    """Two classes whose inputs have other means."""
    rng = np.random.default_rng(0)
    y = (rng.random(n) < 0.2).astype(np.int64)
    X = rng.normal(size=(n, *shape)) + 0.3 * y.reshape(-1, *[1] * len(shape))
    return X.astype(np.float32), y


def clock(function, device):
    """Seconds of the second call; what the device has to do is awaited."""
    function()
    start_s = time.perf_counter()
    function()
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
    return time.perf_counter() - start_s


def train_plainly(module, X, y, device, *, mixed=False):
    """One epoch of Adam on data that are on the device."""
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-3)
    kind = torch.device(device).type
    scaler = torch.amp.GradScaler(kind, enabled=mixed and kind == "cuda")
    for rows in torch.randperm(len(X), device=device).split(BATCH_SIZE):
        with torch.autocast(kind, enabled=mixed):
            loss = torch.nn.functional.cross_entropy(module(X[rows]), y[rows])
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
    return loss.item()


def fresh_module(network, X, y, device):
    """The module of a network, as it is before the training."""
    fitted = (
        clone(network).set_params(max_epochs=1, device="cpu").fit(X[:BATCH_SIZE], y[:BATCH_SIZE])
    )
    return fitted.net_.module_.to(device).train()


def difference(network, X, y, device):
    """Largest difference between the probabilities on the device and on the processor."""
    X, y = X[:COMPARED_IMAGES], y[:COMPARED_IMAGES]
    proba = [
        clone(network).set_params(device=d).fit(X, y).predict_proba(X) for d in ("cpu", device)
    ]
    return np.abs(proba[0] - proba[1]).max()


def measure_populations(device):
    """Seconds of a network in populations, beside one in plain PyTorch."""
    X, y = make_data(TABLE_ROWS, (20,))
    network = MLPClassifier(batch_size=BATCH_SIZE, max_epochs=1, device=device, random_state=0)
    data = torch.tensor(X, device=device), torch.tensor(y, device=device)
    module = fresh_module(network, X, y, device)
    plain_s = clock(lambda: train_plainly(module, *data, device), device)
    for n in POPULATIONS:
        networks = [clone(network).set_params(random_state=seed) for seed in range(n)]
        seconds = clock(lambda networks=networks: fit_population(networks, X, y), device) / n
        row = {"network": f"{n} perceptrons", "here_s": seconds, "plain_s": plain_s}
        yield row | ({"difference": difference(network, X, y, device)} if n == 1 else {})


def measure_images(device):
    """Seconds of an epoch of convolutional and residual networks."""
    X, y = make_data(IMAGES, SHAPE)
    data = torch.tensor(X, device=device), torch.tensor(y, device=device)
    options = {"batch_size": BATCH_SIZE, "max_epochs": 1, "device": device, "random_state": 0}
    networks = {"CNN": CNN2DClassifier(**options)}
    networks |= {f"ResNet-{d}": ResNetClassifier(depth=d, **options) for d in DEPTHS}
    for name, network in networks.items():
        module = fresh_module(network, X, y, device)
        row = {
            "network": name,
            "here_s": clock(lambda network=network: clone(network).fit(X, y), device),
            "plain_s": clock(lambda module=module: train_plainly(module, *data, device), device),
            "difference": difference(network, X, y, device),
        }
        if name != "CNN" and device != "cpu":
            for column, of in {"mixed_s": module, "compiled_s": torch.compile(module)}.items():
                row[column] = clock(
                    lambda of=of: train_plainly(of, *data, device, mixed=True), device
                )
        yield row


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda", help="device of PyTorch (cuda)")
    parser.add_argument("--out", type=Path, required=True, help="CSV file to write")
    arguments = parse_arguments(parser, globals(), **TINY, device="cpu")
    rows = []
    for measure in (measure_populations, measure_images):
        for row in measure(arguments.device):
            rows.append({"device": arguments.device, **row})
            table = pd.DataFrame(rows)
            table["here / plain"] = table.here_s / table.plain_s
            table.to_csv(arguments.out, index=False, float_format="%.4g")
            print(table.tail(1).to_string(header=len(rows) == 1), flush=True)


if __name__ == "__main__":
    main()
