"""Validation while a network trains: its loss, and any scorer on its answers."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import f1_score

from skimbal._training.prediction import forward
from skimbal._utils._log_odds import log_odds
from skimbal.metrics import decide


class FixedPosteriorClassifier(ClassifierMixin, BaseEstimator):
    """A classifier whose answers are given: what a scorer needs to score posteriors.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        The labels.
    proba : ndarray of shape (n_samples, n_classes)
        Answer to `predict_proba`, whatever X.
    cost_matrix : ndarray of shape (n_classes, n_classes) or None
        `predict` decides by the least expected cost; None by the largest posterior.
    """

    def __init__(self, classes, proba, cost_matrix=None):
        self.classes = classes
        self.proba = proba
        self.cost_matrix = cost_matrix

    @property
    def classes_(self):
        """The labels."""
        return self.classes

    def fit(self, X, y):
        """Do nothing: the answers are given."""
        return self

    def predict_proba(self, X):
        """Return the given posteriors."""
        return self.proba

    def predict(self, X):
        """Return the labels that the posteriors and costs decide for."""
        return self.classes[choose(self.proba, self.cost_matrix)]

    def decision_function(self, X):
        """Return the log-odds (two classes) or log-posteriors of the given answers."""
        with np.errstate(divide="ignore"):
            return log_odds(np.log(self.proba))


def choose(proba, cost_matrix):
    """Index of the class of least expected cost, or of the largest posterior without costs."""
    return proba.argmax(axis=1) if cost_matrix is None else decide(proba, cost_matrix)


@dataclass
class ValidationSet:
    """Data that is held out of the training, and how to judge a module on it.

    Calling it with a module returns the mean unweighted loss, the score (None without scorer), and
    the F1 of each class (None unless `wants_f1`).
    """

    X: torch.Tensor
    target: torch.Tensor
    sample_weight: torch.Tensor | None
    loss: torch.nn.Module
    scorer: Callable | None
    classes: np.ndarray
    cost_matrix: np.ndarray | None
    needs_features: bool = False
    wants_f1: bool = False

    @torch.no_grad()
    def __call__(self, module):
        features, logits = forward(module, self.X)
        given = {"features": features} if self.needs_features else {}
        loss = self.loss(logits, self.target, self.sample_weight, **given).item()
        proba = torch.softmax(logits.double(), dim=1).cpu().numpy()
        target = self.target.cpu().numpy()
        return loss, self._score(proba, target), self._f1(proba, target)

    def _score(self, proba, target):
        if self.scorer is None:
            return None
        model = FixedPosteriorClassifier(self.classes, proba, self.cost_matrix)
        # The posteriors stand for the inputs: that is all that the model answers with.
        return self.scorer(model, proba, self.classes[target])

    def _f1(self, proba, target):
        if not self.wants_f1:
            return None
        labels = np.arange(len(self.classes))
        chosen = choose(proba, self.cost_matrix)
        weight = None if self.sample_weight is None else self.sample_weight.cpu().numpy()
        return f1_score(
            target, chosen, labels=labels, average=None, zero_division=0.0, sample_weight=weight
        )
