"""Classes and functions of a user, which a file may name only if they are trusted."""

import torch
from sklearn.base import BaseEstimator, TransformerMixin


class Doubler(TransformerMixin, BaseEstimator):
    """Multiplies by a factor, by default 2."""

    def __init__(self, factor=2.0):
        self.factor = factor

    def fit(self, X, y=None):
        self.n_features_in_ = len(X[0])
        return self

    def transform(self, X):
        return self.factor * X


class Stubborn(BaseEstimator):
    """An estimator that can't be made again from its attributes."""

    def fit(self, X, y):
        self.handle_ = open(__file__).__iter__  # noqa: SIM115 - a thing that no file can hold
        return self


class Two(torch.nn.Module):
    """A network of a user, with dropout, batch normalization and a backbone."""

    def __init__(self, input_shape, n_classes, hidden=4):
        super().__init__()
        n_inputs = sum(torch.Size(shape).numel() for shape in input_shape.values())
        self.backbone = torch.nn.Sequential(
            torch.nn.Linear(n_inputs, hidden), torch.nn.BatchNorm1d(hidden), torch.nn.Dropout(0.2)
        )
        self.last = torch.nn.Linear(hidden, n_classes)

    def forward(self, a, b):
        return self.last(self.backbone(torch.cat([a, b], dim=1)))


class Scaled(torch.nn.Module):
    """A loss of a user."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, logits, target):
        return self.factor * torch.nn.functional.cross_entropy(logits, target, reduction="none")


def half_wave(epoch, n_epochs):
    """A learning rate schedule."""
    return 0.5 + 0.5 * epoch / n_epochs
