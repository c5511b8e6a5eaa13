"""Networks and data that the tests of populations share."""

import numpy as np
import torch
from sklearn.base import clone
from sklearn.datasets import make_classification

from skimbal import (
    DBNClassifier,
    MLPClassifier,
)

P = 4


X, y = make_classification(331, 9, n_classes=3, n_informative=5, weights=[0.7, 0.2], random_state=0)


two = (y == 1).astype(int)


SUBSETS = [np.random.default_rng(i).choice(331, 180 - i % 3) for i in range(P)]


def networks(network, **lists):
    """Networks of different seeds; `lists` has values that they take in turn."""
    return [
        clone(network).set_params(
            random_state=i, **{name: values[i % len(values)] for name, values in lists.items()}
        )
        for i in range(P)
    ]


def mlp(**parameters):
    return MLPClassifier(**{"hidden_layer_sizes": (13, 7), "max_epochs": 5, **parameters})


def dbn(**parameters):
    return DBNClassifier(
        **{"hidden_layer_sizes": (13, 7), "pretrain_epochs": 3, "max_epochs": 4, **parameters}
    )


def without_times(history):
    return history.drop(columns="duration_s")


def assert_same(one, other):
    """Equal in everything that a fit leaves, to the last bit."""
    np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))
    assert without_times(one.history_).equals(without_times(other.history_))
    for tensors in zip(
        one.net_.module_.state_dict().values(),
        other.net_.module_.state_dict().values(),
        strict=True,
    ):
        assert torch.equal(*tensors)
    if hasattr(one, "pretrain_history_"):
        assert one.pretrain_history_.equals(other.pretrain_history_)
        for biases in zip(one.visible_biases_, other.visible_biases_, strict=True):
            assert torch.equal(*biases)


class Focal(torch.nn.Module):
    def forward(self, logits, target):
        loss = torch.nn.functional.cross_entropy(logits, target, reduction="none")
        return (1 - torch.exp(-loss)) ** 2 * loss


class FocalOfAnyPower(torch.nn.Module):
    def forward(self, logits, target):
        log_proba = torch.log_softmax(logits, 1).gather(1, target[:, None])[:, 0]
        return -((1 - log_proba.exp()) ** 2.3) * log_proba


class RelativeToTheBatch(torch.nn.Module):
    def forward(self, logits, target):
        loss = torch.nn.functional.cross_entropy(logits, target, reduction="none")
        return loss * loss.detach() / loss.detach().mean()


class UnknownToVmap(torch.nn.Module):
    def forward(self, logits, target):
        loss = torch.nn.functional.cross_entropy(logits, target, reduction="none")
        return loss * (2.0 if loss.sum().item() > 0 else 1.0)
