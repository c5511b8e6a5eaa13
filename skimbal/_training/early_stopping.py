"""Judging a network while it trains: its loss, any scorer on its answers, and when to stop."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import f1_score

from skimbal._training.prediction import forward, logits_only
from skimbal._utils._log_odds import log_odds
from skimbal.exceptions import NonFiniteLossError
from skimbal.metrics import decide


class FixedPosteriorClassifier(ClassifierMixin, BaseEstimator):
    """A classifier whose answers are given: what a scorer needs to score probabilities.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        The labels.
    proba : ndarray of shape (n_samples, n_classes)
        Answer to `predict_proba` for any X.
    cost_matrix : ndarray of shape (n_classes, n_classes) or None
        `predict` decides for the lowest expected cost; with None, for the largest probability.
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
        """Return the given probabilities."""
        return self.proba

    def predict(self, X):
        """Return the labels that the probabilities and costs decide for."""
        return self.classes[choose(self.proba, self.cost_matrix)]

    def decision_function(self, X):
        """Return the log-odds (two classes) or the logarithms of the given answers."""
        with np.errstate(divide="ignore"):
            return log_odds(np.log(self.proba))


def choose(proba, cost_matrix):
    """Indices of the classes with the lowest expected cost; without costs, the most probable."""
    return proba.argmax(axis=1) if cost_matrix is None else decide(proba, cost_matrix)


@dataclass
class Judgment:
    """What a module is worth on some data.

    Attributes
    ----------
    loss : float
        Mean of the loss that the network is trained with, class weights, costs and the shares of a
        sampler included.
    score : float or None
        Of the scorer; None without one.
    f1 : ndarray of shape (n_classes,) or None
        F1 of each class; None unless a sampler wants it.
    """

    loss: float
    score: float | None = None
    f1: np.ndarray | None = None


def takes_weights(scorer):
    """Whether a scorer can be given sample weights."""
    function = getattr(scorer, "_score_func", scorer)
    try:
        return "sample_weight" in inspect.signature(function).parameters
    except (TypeError, ValueError):  # it does not tell its parameters
        return False


@dataclass
class ValidationSet:
    """Data that a module is judged on while it trains; called with it, returns a `Judgment`.

    `class_factor` says how many times more often a sampler draws a class than the data have it:
    the loss counts the samples as the training does, and the scores do not. `log_prior_ratio` is
    added to the logits for the scores, as the network does when it predicts.
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
    class_factor: torch.Tensor | None = None
    log_prior_ratio: np.ndarray | None = None

    def __call__(self, module):
        if self.needs_features:
            features, logits = forward(module, self.X)
        else:  # of many rows, the features take much memory
            features, logits = None, forward(module, self.X, logits_only)[-1]
        loss = self.loss_of(features, logits, slice(None)).item()
        logits = logits.double()
        if self.log_prior_ratio is not None:
            logits = logits + torch.as_tensor(self.log_prior_ratio, device=logits.device)
        proba = torch.softmax(logits, dim=1).cpu().numpy()
        target = self.target.cpu().numpy()
        return Judgment(loss, self._score(proba, target), self._f1(proba, target))

    @torch.no_grad()
    def loss_of(self, features, logits, rows):
        """Loss of the answers for some rows."""
        target = self.target[rows]
        weight = None if self.sample_weight is None else self.sample_weight[rows]
        if self.class_factor is not None:
            factor = self.class_factor[target]
            weight = factor if weight is None else weight * factor
        given = {"features": features} if self.needs_features else {}
        return self.loss(logits, target, weight, **given)

    def _score(self, proba, target):
        if self.scorer is None:
            return None
        model = FixedPosteriorClassifier(self.classes, proba, self.cost_matrix)
        is_weighted = self.sample_weight is not None and takes_weights(self.scorer)
        given = {"sample_weight": self._weight()} if is_weighted else {}
        # The probabilities stand for the inputs: the model does not look at them.
        return self.scorer(model, proba, self.classes[target], **given)

    def _weight(self):
        return None if self.sample_weight is None else self.sample_weight.cpu().double().numpy()

    def _f1(self, proba, target):
        if not self.wants_f1:
            return None
        labels = np.arange(len(self.classes))
        chosen = choose(proba, self.cost_matrix)
        return f1_score(
            target,
            chosen,
            labels=labels,
            average=None,
            zero_division=0.0,
            sample_weight=self._weight(),
        )


class EarlyStopping:
    """Judges every epoch, ends the training when it no longer improves, restores the best weights.

    Parameters
    ----------
    evaluate : ValidationSet or callable
        Maps the module to a `Judgment`. Higher scores are better; of equal ones the lower loss
        wins.
    patience : int or None
        Epochs without improvement after which the training ends; None only records.
    is_held_out : bool, default=True
        Whether the data are validation data. On training data only the score is recorded.

    Attributes
    ----------
    best_epoch : int or None
        The best epoch so far, counted from 1.
    valid_f1 : ndarray of shape (n_classes,) or None
        F1 of each class in the last epoch.
    """

    def __init__(self, evaluate, patience, *, is_held_out=True):
        self.evaluate = evaluate
        self.patience = patience
        self.is_held_out = is_held_out
        self.best_epoch = None
        self.best_rank = None
        self.best_state = None
        self.valid_f1 = None
        self._candidate = None

    def judge(self, module, history):
        """Record an epoch and the weights of a better one; return whether the training ends."""
        judgment = self.evaluate(module)
        if np.isnan(judgment.loss):
            data = "validation" if self.is_held_out else "training"
            raise NonFiniteLossError(
                f"the loss on the {data} data is nan after epoch {len(history)}; check the scale "
                f"of the {data} data, or lower learning_rate"
            )
        self.valid_f1 = judgment.f1
        if self.is_held_out:
            history.record("valid_loss", judgment.loss)
        if judgment.score is not None:
            prefix = "valid" if self.is_held_out else "train"
            history.record(f"{prefix}_score", judgment.score)
        if self.patience is None:
            return False
        epoch = history[-1, "epoch"]
        score = judgment.score
        rank = (-np.inf if score is None or np.isnan(score) else score, -judgment.loss)
        if self.best_rank is None or rank > self.best_rank:
            state = {k: v.clone() for k, v in module.state_dict().items()}
            self._candidate = rank, epoch, state
            return False
        return epoch - self.best_epoch >= self.patience

    def end_epoch(self):
        """Keep the epoch as the best one, if it is: not before it is whole."""
        if self._candidate is not None:
            self.best_rank, self.best_epoch, self.best_state = self._candidate
            self._candidate = None

    def restore(self, module):
        """Give the module the weights of its best epoch, if one has been judged."""
        if self.best_state is not None:
            module.load_state_dict(self.best_state)
