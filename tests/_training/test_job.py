"""Which networks are trained as one, and how that is said."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
import skorch
import torch
from sklearn.linear_model import LogisticRegression
from skorch.callbacks import Callback, EpochTimer

from skimbal import (
    MLPClassifier,
)
from skimbal._training.job import (
    TrainingJob,
    n_multiplications,
    reason_to_train_alone,
    row_multiple,
    stack_class,
)
from skimbal._training.stacks import DenseStack, FunctionalStack, SequentialStack
from skimbal.neural_network import fit_population

from .nets import Convolution, bound_loss, mlp_module, net_around
from .populations import (
    SUBSETS,
    P,
    X,
    assert_same,
    mlp,
    networks,
    y,
)


def test_what_cannot_be_batched_says_so(capsys):
    given = [
        mlp(callbacks=[skorch.callbacks.Callback()]),
        mlp(optimizer=torch.optim.NAdam),
        LogisticRegression(),
        mlp(),
        mlp(hidden_layer_sizes=(5,)),
        mlp(),
    ]
    fitted = fit_population(given, X, y, verbose=1)
    lines = capsys.readouterr().out.splitlines()
    assert sorted(lines) == [
        "1 LogisticRegression, each by itself",
        "1 MLP as one, by matrix products",
        "1 MLP, each by itself: the callback Callback may change the training",
        "1 MLP, each by itself: the optimizer NAdam",
        "2 MLP as one, by matrix products",
    ]
    assert all(classifier.predict(X).shape == y.shape for classifier in fitted)


def test_a_memory_limit_splits_the_population(capsys):
    one = fit_population(networks(mlp()), X, y, SUBSETS, verbose=1)
    assert capsys.readouterr().out == f"{P} MLP as one, by matrix products\n"
    assert len(fit_population(networks(mlp()), X, y, SUBSETS, memory_limit=1)) == P
    capsys.readouterr()
    many = fit_population(networks(mlp()), X, y, SUBSETS, memory_limit=120_000, verbose=1)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 1
    assert sum(int(line.split()[0]) for line in lines) == P
    for a, b in zip(one, many, strict=True):
        assert_same(a, b)


@dataclass
class Halving:
    """A schedule that has no hash."""

    half_life: int

    def __call__(self, epoch, n_epochs):
        return 0.5 ** (epoch / self.half_life)


def test_schedules_are_compared_by_value(capsys):
    X, y = np.random.default_rng(0).normal(size=(60, 2)), np.arange(60) % 2
    networks = [MLPClassifier(max_epochs=2, learning_rate_schedule=Halving(n)) for n in (5, 5, 9)]
    fit_population(networks, X, y, verbose=1)
    assert "2 MLP as one" in capsys.readouterr().out


def job_of(module=None, n_rows=40, sample_shape=(5,), callbacks=(), **settings):
    net = net_around(mlp_module() if module is None else module, callbacks=callbacks, **settings)
    plan = SimpleNamespace(mixup=0.0, augmentation=None, schedule=None, needs_features=False)
    plan.learning_rates = ()
    tensors = [torch.zeros(n_rows, *sample_shape), torch.zeros(n_rows, dtype=torch.int64)]
    return TrainingJob(net, plan, tensors, n_epochs=3, schedule_length=3)


CONVOLUTION = {"sample_shape": (2, 8)}


@pytest.mark.parametrize(
    ("n_jobs", "given", "reason", "stack"),
    [
        (1, {}, None, DenseStack),
        (9, {}, None, DenseStack),
        (1, {"callbacks": [EpochTimer()]}, None, DenseStack),
        (1, {"callbacks": [Callback()]}, "the callback Callback may change", SequentialStack),
        (2, {"optimizer": torch.optim.NAdam}, "the optimizer NAdam", SequentialStack),
        (1, {"module": Convolution(), **CONVOLUTION}, "the only one", SequentialStack),
        (4, {"module": Convolution(), **CONVOLUTION}, "a small population", SequentialStack),
        (5, {"module": Convolution(), **CONVOLUTION}, None, FunctionalStack),
        (
            5,
            {"module": Convolution(batch_norm=True).eval(), **CONVOLUTION},
            None,
            FunctionalStack,
        ),
    ],
    ids=["one", "nine", "reads", "changes", "own", "one conv", "four conv", "five conv", "norm"],
)
def test_the_stack_of_a_population(n_jobs, given, reason, stack):
    jobs = [job_of(**given)] * n_jobs
    found = reason_to_train_alone(jobs)
    assert (found is None) == (reason is None)
    assert reason is None or found.startswith(reason)
    assert stack_class(jobs[0], found is not None) is stack


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        ({}, True),
        ({"learning_rate": 0.5, "weight_decay": 0.1}, True),
        ({"n_rows": 39}, True),  # five batches of eight rows, once they are filled up
        ({"n_rows": 50}, False),
        ({"batch_size": 16}, False),
        ({"optimizer": "sgd"}, False),
        ({"module": mlp_module(sizes=(7,))}, False),
    ],
    ids=["same", "rates", "rows", "more rows", "batches", "optimizer", "layers"],
)
def test_networks_of_one_structure(other, is_same):
    assert (job_of().structure() == job_of(**other).structure()) == is_same


@pytest.mark.parametrize("given", [{"callbacks": [EpochTimer()]}, {"optimizer": torch.optim.NAdam}])
def test_a_network_that_is_trained_alone_has_no_structure(given):
    assert job_of(**given).structure() is None


@pytest.mark.parametrize(
    ("module", "shape", "expected"),
    [
        (mlp_module(sizes=(6, 4)), (5,), 5 * 6 + 6 * 4 + 4 * 3),
        (Convolution(), (2, 8), 6 * 4 * 2 * 3 + 24 * 3),
    ],
    ids=["dense", "convolution"],
)
def test_multiplications_by_hand(module, shape, expected):
    assert n_multiplications(module, torch.zeros(1, *shape)) == expected


@pytest.mark.parametrize(("sizes", "expected"), [((6, 4), 32), ((32, 64), 32), ((16,), 32)])
def test_rows_of_a_batch_are_whole_blocks(sizes, expected):
    assert expected % row_multiple(net_around(mlp_module(sizes=sizes))) == 0
    assert row_multiple(net_around(mlp_module(sizes=sizes), bound_loss("focal"))) == 32
    assert row_multiple(net_around(Convolution())) == 1


def test_memory_by_hand():
    job = job_of(n_rows=40)
    n_parameters = 5 * 6 + 6 + 6 * 4 + 4 + 4 * 3 + 3
    assert job.n_bytes() == 4 * (6 * n_parameters + 2 * 200) + 32 * 40
