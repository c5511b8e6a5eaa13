"""Which epoch is the best, and what is left of it."""

import numpy as np
import pytest
import skorch
import torch
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.metrics import make_scorer, roc_auc_score

from skimbal import MLPClassifier
from skimbal._training.early_stopping import (
    EarlyStopping,
    FixedPosteriorClassifier,
    Judgment,
    ValidationSet,
    choose,
    takes_weights,
)
from skimbal.losses import resolve_loss
from skimbal.metrics import get_scorer, make_cost_scorer


@pytest.fixture(scope="module")
def imbalanced():
    X, y = make_classification(300, 6, weights=[0.9], class_sep=0.8, random_state=0)
    return X, np.where(y == 1, "rare", "usual")


NETWORK = MLPClassifier(hidden_layer_sizes=(8,), max_epochs=15, learning_rate=0.01, random_state=0)


def best_epoch_of(answers):
    """The epoch that early stopping keeps, given each epoch's validation loss and score."""
    module, history = torch.nn.Linear(1, 1), skorch.history.History()
    given = iter(answers)
    early_stopping = EarlyStopping(lambda module: Judgment(*next(given)), patience=10)
    for epoch in range(1, len(answers) + 1):
        history.new_epoch()
        history.record("epoch", epoch)
        early_stopping.judge(module, history)
        early_stopping.end_epoch()
    return early_stopping.best_epoch


def test_the_score_decides_before_the_loss_and_the_loss_breaks_ties():
    assert best_epoch_of([(0.9, 0.5), (0.5, 0.4), (0.8, 0.5), (0.85, 0.5)]) == 3


def test_an_undefined_score_is_the_worst():
    assert best_epoch_of([(0.9, np.nan), (0.8, 0.1), (0.7, np.nan)]) == 2


def test_early_stopping_takes_a_scorer_of_posteriors_and_string_labels(imbalanced):
    scorer = make_scorer(roc_auc_score, response_method="predict_proba")
    network = clone(NETWORK).set_params(early_stopping=True, scoring=scorer)
    assert network.fit(*imbalanced).history_.valid_score.between(0, 1).all()


class Interrupt(skorch.callbacks.Callback):
    """Interrupts at the beginning of epoch 12, in skorch's loop."""

    def on_epoch_begin(self, net, **kwargs):
        if net.history[-1, "epoch"] == 12:
            raise KeyboardInterrupt


class InterruptingScorer:
    """Interrupts in the validation of epoch 12, in the loop of populations."""

    def __init__(self):
        self.n_calls = 0

    def __call__(self, estimator, X, y):
        self.n_calls += 1
        if self.n_calls == 12:
            raise KeyboardInterrupt
        return 0.0


@pytest.mark.parametrize("callbacks", [None, [Interrupt()]])
def test_an_interrupt_restores_the_best_epoch_of_early_stopping(imbalanced, callbacks):
    scoring = None if callbacks else InterruptingScorer()
    callback = [skorch.callbacks.Callback()] if callbacks else None
    network = clone(NETWORK).set_params(early_stopping=True, learning_rate=0.3, n_iter_no_change=50)
    stopped = clone(network).set_params(callbacks=callbacks, scoring=scoring)
    with pytest.raises(KeyboardInterrupt):
        stopped.fit(*imbalanced)
    best = int(stopped.history_.valid_loss.idxmin()) + 1
    assert best < 11
    shorter = clone(network).set_params(max_epochs=best, callbacks=callback).fit(*imbalanced)
    np.testing.assert_array_equal(
        stopped.predict_proba(imbalanced[0]), shorter.predict_proba(imbalanced[0])
    )


def run_epochs(answers, **given):
    """Judge epochs of these losses and scores; return early stopping, its ends, the history.

    The weight of the module is the number of the epoch.
    """
    module, history = torch.nn.Linear(1, 1), skorch.history.History()
    judgments = [Judgment(*answer) for answer in answers]
    early_stopping = EarlyStopping(lambda module: judgments[len(history) - 1], **given)
    ends = []
    for epoch in range(1, len(answers) + 1):
        torch.nn.init.constant_(module.weight, epoch)
        history.new_epoch()
        history.record("epoch", epoch)
        ends.append(early_stopping.judge(module, history))
        early_stopping.end_epoch()
    early_stopping.restore(module)
    return ends, history, module.weight.item()


@pytest.mark.parametrize(
    ("losses", "patience", "expected", "best"),
    [
        ([3.0, 2.0, 2.5, 2.1], 2, [False, False, False, True], 2),
        ([3.0, 3.0, 3.0], 2, [False, False, True], 1),
        ([3.0, 2.0, 1.0], 1, [False, False, False], 3),
        ([1.0, 2.0], 1, [False, True], 1),
        ([1.0, 2.0, 3.0], None, [False, False, False], 3),  # nothing is restored
    ],
)
def test_the_training_ends_after_epochs_without_improvement(losses, patience, expected, best):
    ends, history, weight = run_epochs([(loss,) for loss in losses], patience=patience)
    assert ends == expected
    assert weight == best
    assert history[:, "valid_loss"] == losses


def test_on_training_data_only_the_score_is_recorded():
    _, history, _ = run_epochs([(1.0, 0.5), (2.0, 0.25)], patience=None, is_held_out=False)
    assert history[:, "train_score"] == [0.5, 0.25]
    assert "valid_loss" not in history[-1]


def test_an_epoch_that_has_not_ended_is_never_the_best():
    module, history = torch.nn.Linear(1, 1), skorch.history.History()
    losses = iter([1.0, 0.5])
    early_stopping = EarlyStopping(lambda module: Judgment(next(losses)), patience=5)
    for epoch in (1, 2):
        history.new_epoch()
        history.record("epoch", epoch)
        early_stopping.judge(module, history)
        if epoch == 1:
            early_stopping.end_epoch()
    assert early_stopping.best_epoch == 1


PROBA = np.array([[0.9, 0.1], [0.4, 0.6], [0.7, 0.3]])
CLASSES = np.array(["rare", "usual"])


@pytest.mark.parametrize(
    ("costs", "expected"),
    [(None, [0, 1, 0]), ([[0, 1], [4, 0]], [0, 1, 1]), ([[0, 9], [1, 0]], [0, 0, 0])],
)
def test_the_class_of_the_lowest_expected_cost_is_chosen(costs, expected):
    costs = None if costs is None else np.array(costs, dtype=float)
    assert choose(PROBA, costs).tolist() == expected
    model = FixedPosteriorClassifier(CLASSES, PROBA, costs)
    assert model.predict(None).tolist() == CLASSES[expected].tolist()


def test_a_classifier_of_given_answers():
    model = FixedPosteriorClassifier(CLASSES, PROBA).fit(None, None)
    assert model.classes_ is CLASSES
    np.testing.assert_array_equal(model.predict_proba(None), PROBA)
    np.testing.assert_allclose(model.decision_function(None), np.log(PROBA[:, 1] / PROBA[:, 0]))


@pytest.mark.parametrize("weight", [None, torch.tensor([1.0, 2.0, 3.0])])
def test_a_validation_set_judges_a_module(weight):
    """A linear network without features: the logits are the inputs."""

    class Module(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.features, self.output = torch.nn.Identity(), torch.nn.Linear(2, 2)
            torch.nn.init.eye_(self.output.weight)
            torch.nn.init.zeros_(self.output.bias)

    target = torch.tensor([0, 0, 1])
    loss = resolve_loss("cross_entropy").bind(np.ones(2))
    X = torch.as_tensor(np.log(PROBA), dtype=torch.float32)
    scorer = get_scorer("balanced_accuracy")
    judge = ValidationSet(X, target, weight, loss, scorer, CLASSES, None, wants_f1=True)
    judgment = judge(Module())
    share = np.ones(3) if weight is None else weight.numpy()
    assert judgment.loss == pytest.approx(-share @ np.log([0.9, 0.4, 0.3]) / share.sum(), rel=1e-5)
    assert judgment.score == pytest.approx((share[0] / (share[0] + share[1]) + 0.0) / 2)
    precision, recall = share[0] / (share[0] + share[2]), share[0] / (share[0] + share[1])
    np.testing.assert_allclose(
        judgment.f1, [2 * precision * recall / (precision + recall), 0.0], rtol=1e-6
    )


def loss_from_logits(logits, target, weight=None):
    losses = torch.nn.functional.cross_entropy(logits, target, reduction="none")
    return losses.mean() if weight is None else (losses * weight).sum() / weight.sum()


@pytest.mark.parametrize("weight", [None, torch.tensor([1.0, 2.0, 3.0])])
def test_the_shares_of_a_sampler_count_in_the_loss_only(weight):
    X, target = torch.as_tensor(np.log(PROBA)), torch.tensor([0, 0, 1])
    factor = torch.tensor([0.75, 1.5])
    args = X, target, weight, loss_from_logits, get_scorer("accuracy"), CLASSES, None
    plain, drawn = ValidationSet(*args), ValidationSet(*args, class_factor=factor)
    own = np.ones(3) if weight is None else weight.numpy()
    drawn_weight = own * [0.75, 0.75, 1.5]
    expected = -drawn_weight @ np.log([0.9, 0.4, 0.3]) / drawn_weight.sum()
    assert drawn.loss_of(None, X, slice(None)).item() == pytest.approx(expected)
    assert drawn._score(PROBA, target.numpy()) == plain._score(PROBA, target.numpy())


@pytest.mark.parametrize(
    ("scorer", "is_weighted"),
    [
        ("g_mean", True),
        ("roc_auc", True),
        ("neg_log_loss", True),
        (make_scorer(lambda y, p: float((y == p).mean())), False),
        (lambda model, X, y: model.score(X, y), False),
        (make_cost_scorer([[0, 1], [5, 0]], labels=CLASSES), True),
    ],
)
def test_scores_of_weighted_samples_are_those_of_repeated_ones(scorer, is_weighted):
    scorer = get_scorer(scorer)
    assert takes_weights(scorer) == is_weighted
    rng = np.random.default_rng(0)
    proba = rng.dirichlet([1, 1], size=30)
    target, counts = rng.integers(2, size=30), rng.integers(1, 4, size=30)
    weight = torch.as_tensor(counts, dtype=torch.float32)

    def score(rows, weight):
        y = torch.as_tensor(target[rows])
        judge = ValidationSet(None, y, weight, None, scorer, CLASSES, None)
        return judge._score(proba[rows], target[rows])

    rows = np.arange(30)
    expected = score(rows.repeat(counts) if is_weighted else rows, None)
    assert score(rows, weight) == pytest.approx(expected, rel=1e-12)
