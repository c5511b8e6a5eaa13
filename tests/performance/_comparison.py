"""What the comparisons of losses share: the losses, scores, and cells that a later run resumes."""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from joblib import Parallel, delayed
from tqdm import tqdm

from skimbal.losses import (
    LDAM,
    ClassBalanced,
    DeferredReweighting,
    Focal,
    IncrementalWeightedCrossEntropy,
    adjust_logits,
)
from skimbal.metrics import balanced_accuracy, macro_f1, recall_per_class

ADJUSTED = "cross entropy, adjusted afterwards"


def compared_losses(n_epochs):
    """Parameters of a network by the name of its row; IWCE's T is a fifth of the epochs."""
    return {
        "cross entropy": {},
        "weighted cross entropy": {"class_weight": "balanced"},
        "IWCE": {"loss": IncrementalWeightedCrossEntropy(T=0.2 * n_epochs)},
        "focal": {"loss": Focal(gamma=2)},
        "class-balanced focal": {"loss": ClassBalanced(loss=Focal(gamma=2))},
        "LDAM-DRW": {"loss": DeferredReweighting(LDAM())},
        "balanced softmax": {"loss": "balanced_softmax"},
    }


def predictions(network, X, loss, class_counts):
    """Labels by the name of the row: those of cross entropy also with the prior taken away."""
    log_proba = network.predict_log_proba(X)
    decided = {loss: log_proba}
    if loss == "cross entropy":
        decided[ADJUSTED] = adjust_logits(log_proba, class_counts)
    return {row: network.classes_[logits.argmax(axis=1)] for row, logits in decided.items()}


def scores(y, predicted, labels):
    """Balanced accuracy, macro F1 and the recall of each label."""
    recalls = recall_per_class(y, predicted, labels=labels)
    return {
        "balanced_accuracy": balanced_accuracy(y, predicted, labels=labels),
        "macro_f1": macro_f1(y, predicted, labels=labels),
        **{f"recall_{label}": recall for label, recall in zip(labels, recalls, strict=True)},
    }


def run_cells(evaluate, cells, path, n_jobs):
    """Return the rows of all cells, in their order; those that the file has are not run again.

    `evaluate(**cell)` returns a list of rows (dicts). They are written as soon as a cell is done.
    """
    rows = run_missing(evaluate, cells, path, n_jobs)
    table = pd.DataFrame(cells).merge(rows, on=list(cells[0]), validate="one_to_many")
    table.to_csv(path, index=False)
    return table


def run_missing(evaluate, cells, path, n_jobs, digits=4):
    """Run the cells that the file lacks, as `run_cells`; return all rows that it has then."""
    keys = list(cells[0])
    done = set(pd.read_csv(path)[keys].itertuples(index=False, name=None)) if path.exists() else ()
    open_cells = [cell for cell in cells if tuple(cell.values()) not in done]
    finished = Parallel(n_jobs, return_as="generator_unordered")(
        delayed(_rows)(evaluate, cell, digits) for cell in open_cells
    )
    for rows in tqdm(finished, total=len(open_cells), desc=path.name):
        rows.to_csv(path, mode="a", header=not path.exists(), index=False)
    return pd.read_csv(path)


def _rows(evaluate, cell, digits):
    torch.set_num_threads(1)
    return pd.DataFrame([{**cell, **row} for row in evaluate(**cell)]).round(digits)


def points(values):
    """Share as percents with one digit behind the point."""
    return f"{100 * values:.1f}"


def mean_and_sd(values):
    """Mean and standard deviation of shares, in percent."""
    return f"{points(np.mean(values))} ± {points(np.std(values, ddof=1))}"


def base_parser(doc, n_seeds, n_epochs):
    """Options that all comparisons have."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--out", required=True, type=Path, help="folder of the tables")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=n_seeds)
    parser.add_argument("--epochs", type=int, default=n_epochs)
    return parser
