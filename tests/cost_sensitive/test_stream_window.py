"""Costs that follow a stream: found on samples that were predicted before they were learned."""

import pickle

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.metrics import make_scorer

from skimbal import CNN1DClassifier, DBNClassifier, MLPClassifier, TunedCostClassifierCV
from skimbal.cost_sensitive import find_costs
from skimbal.cost_sensitive._stream_window import HeldOutWindow

RNG = np.random.default_rng(0)
y = (RNG.random(400) < np.repeat([0.1, 0.8], 200)).astype(int)  # the rare class changes
X = RNG.normal(size=(400, 4)) + y[:, None]
MLP = MLPClassifier(hidden_layer_sizes=(4,), random_state=0)
BATCHES = np.split(np.arange(400), range(50, 400, 50))


def stream(tuned, batches=BATCHES):
    for rows in batches:
        tuned.partial_fit(X[rows], y[rows], classes=[0, 1])
    return tuned


def held_out(network, batches=BATCHES):
    """The probabilities of each batch but the first, before it was learned."""
    proba = []
    for number, rows in enumerate(batches):
        if number:
            proba.append(network.predict_proba(X[rows]))
        network.partial_fit(X[rows], y[rows], classes=[0, 1])
    return np.concatenate(proba)


NETWORKS = [
    (MLP, (4,)),
    (DBNClassifier(hidden_layer_sizes=(4,), pretrain_epochs=1, random_state=0), (4,)),
    (CNN1DClassifier(n_filters=(2,), random_state=0), (1, 4)),
]


@pytest.mark.parametrize(("network", "shape"), NETWORKS)
def test_costs_are_those_of_the_last_held_out_samples(network, shape):
    inputs, tuned = X.reshape(400, *shape), TunedCostClassifierCV(network, window=120)
    plain, proba = clone(network), []
    for number, rows in enumerate(BATCHES):
        if number:
            proba.append(plain.predict_proba(inputs[rows]))
        tuned.partial_fit(inputs[rows], y[rows], classes=[0, 1])
        plain.partial_fit(inputs[rows], y[rows], classes=[0, 1])
    expected = find_costs(y[-120:], np.concatenate(proba)[-120:])
    np.testing.assert_array_equal(tuned.costs_, expected.costs)
    np.testing.assert_array_equal(tuned.predict_proba(inputs), plain.predict_proba(inputs))
    assert tuned.best_score_ == expected.score
    assert tuned.window_counts_.tolist() == np.bincount(y[-120:]).tolist()
    assert tuned.fold_costs_.shape == (0, 2)


def test_a_first_batch_of_one_class_keeps_equal_costs():
    order = np.argsort(y, kind="stable")
    tuned = TunedCostClassifierCV(MLP)
    for rows in (order[:50], order[50:100]):
        tuned.partial_fit(X[rows], y[rows], classes=[0, 1])
        assert tuned.costs_.tolist() == [1.0, 1.0]
        assert np.isnan(tuned.best_score_)
    assert tuned.window_counts_.tolist() == [50, 0]
    tuned.partial_fit(X[order[-20:]], y[order[-20:]])
    assert tuned.costs_[0] != tuned.costs_[1]


def test_costs_stay_where_the_window_lacks_a_class():
    tuned = stream(TunedCostClassifierCV(MLP, window=60))
    before, only = tuned.costs_, np.flatnonzero(y == 1)[:60]
    tuned.partial_fit(X[only], y[only])
    np.testing.assert_array_equal(tuned.costs_, before)
    assert tuned.window_counts_.tolist() == [0, 60]


def test_the_window_starts_with_what_fit_held_out():
    tuned = TunedCostClassifierCV(SGDClassifier(loss="log_loss"), cv=2, window=300, random_state=0)
    tuned.fit(X[:350], y[:350])
    start = tuned._window
    np.testing.assert_array_equal(start.y, y[50:350])
    proba = np.concatenate([start.proba[50:], tuned.predict_proba(X[350:])])
    tuned.partial_fit(X[350:], y[350:])
    np.testing.assert_array_equal(tuned.costs_, find_costs(y[100:], proba).costs)


def test_the_window_of_a_fit_on_training_samples_is_empty():
    tuned = TunedCostClassifierCV(SGDClassifier(loss="log_loss", random_state=0), cv="train")
    assert tuned.fit(X, y).window_counts_.tolist() == [0, 0]


def test_prefit_moves_the_costs_alone():
    fitted = LogisticRegression().fit(X, y)
    tuned = stream(TunedCostClassifierCV(fitted, cv="prefit", window=100))
    np.testing.assert_array_equal(tuned.predict_proba(X), fitted.predict_proba(X))
    expected = find_costs(y[-100:], fitted.predict_proba(X[-100:]))
    np.testing.assert_array_equal(tuned.costs_, expected.costs)


def test_searches_wait_for_new_samples():
    tuned = TunedCostClassifierCV(MLP, search_every=120)
    costs = []
    for rows in BATCHES:
        tuned.partial_fit(X[rows], y[rows], classes=[0, 1])
        costs.append(tuned.costs_[1])
    changes = np.flatnonzero(np.diff(costs)) + 1
    assert changes.tolist() == [3, 6]


def test_more_classes_and_pickling_repeat():
    labels = np.array(["a", "b", "c"])[np.digitize(X[:, 0], [-1, 1])]
    settings = {"max_generations": 3, "random_state": 0}
    tuned = TunedCostClassifierCV(MLPClassifier(hidden_layer_sizes=(4,)), **settings)
    for rows in BATCHES[:3]:
        tuned.partial_fit(X[rows], labels[rows], classes=["a", "b", "c"])
    copy = pickle.loads(pickle.dumps(tuned))
    for each in (tuned, copy):
        each.partial_fit(X[200:250], labels[200:250])
    np.testing.assert_array_equal(copy.costs_, tuned.costs_)
    assert tuned.costs_.shape == (3,)


def test_weights_count_in_the_search_and_in_the_training():
    weight = np.where(X[:, 0] > 0, 3.0, 0.0)
    tuned, plain = TunedCostClassifierCV(MLP), clone(MLP)
    proba = []
    for rows in BATCHES:
        tuned.partial_fit(X[rows], y[rows], classes=[0, 1], sample_weight=weight[rows])
        if hasattr(plain, "classes_"):
            proba.append(plain.predict_proba(X[rows]))
        plain.partial_fit(X[rows], y[rows], classes=[0, 1], sample_weight=weight[rows])
    used = weight[50:] > 0
    expected = find_costs(
        y[50:][used], np.concatenate(proba)[used], sample_weight=weight[50:][used]
    )
    np.testing.assert_array_equal(tuned.costs_, expected.costs)


@pytest.mark.parametrize(
    ("params", "labels", "classes", "message"),
    [
        ({}, y[:50], None, "classes must be passed on the first call"),
        ({}, y[:50] + 1, [0, 1], r"labels \[2\], which are not in the classes"),
        ({}, y[:50], [0], "2 classes|two"),
        ({"window": 2}, y[:50], [0, 1, 2], "window=2 can't hold"),
        ({"window": 1}, y[:50], [0, 1], "window"),
        ({"search": "exact"}, y[:50], [0, 1, 2], "sweeps the thresholds of two classes"),
        ({"scoring": "roc_auc"}, y[:50], [0, 1], "label|probabilit"),
    ],
)
def test_bad_input_is_refused_and_changes_nothing(params, labels, classes, message):
    tuned = TunedCostClassifierCV(MLP, **params)
    before = vars(tuned).copy()
    with pytest.raises(ValueError, match=message):
        tuned.partial_fit(X[:50], labels, classes=classes)
    assert vars(tuned) == before


def test_other_classes_later_and_ensembles_are_refused():
    tuned = stream(TunedCostClassifierCV(MLP), BATCHES[:2])
    with pytest.raises(ValueError, match="not those of the calls before"):
        tuned.partial_fit(X[:50], y[:50], classes=[0, 1, 2])
    members = TunedCostClassifierCV(SGDClassifier(loss="log_loss"), cv=2, refit="ensemble")
    members.fit(X, y)
    with pytest.raises(ValueError, match="use refit=True"):
        members.partial_fit(X, y)


def test_a_classifier_that_cannot_learn_in_parts_has_no_partial_fit():
    assert not hasattr(TunedCostClassifierCV(LogisticRegression()), "partial_fit")
    assert hasattr(TunedCostClassifierCV(LogisticRegression(), cv="prefit"), "partial_fit")


# ------------------------------------------------------------ metadata routing


@pytest.fixture
def routing():
    with config_context(enable_metadata_routing=True):
        yield


WEIGHT = np.where(X[:, 0] > 0, 3.0, 0.5)


def weighted_stream(estimator):
    tuned = TunedCostClassifierCV(estimator)
    for rows in BATCHES:
        tuned.partial_fit(X[rows], y[rows], classes=[0, 1], sample_weight=WEIGHT[rows])
    return tuned


@pytest.mark.usefixtures("routing")
def test_weights_are_routed_to_the_classifier_by_its_request():
    asking = weighted_stream(clone(MLP).set_partial_fit_request(sample_weight=True))
    with config_context(enable_metadata_routing=False):
        without_routing = weighted_stream(MLP)
    np.testing.assert_array_equal(asking.predict_proba(X), without_routing.predict_proba(X))
    np.testing.assert_array_equal(asking.costs_, without_routing.costs_)
    refusing = weighted_stream(clone(MLP).set_partial_fit_request(sample_weight=False))
    np.testing.assert_array_equal(
        refusing.predict_proba(X), stream(TunedCostClassifierCV(MLP)).predict_proba(X)
    )
    assert refusing.best_score_ != stream(TunedCostClassifierCV(MLP)).best_score_  # weighted
    with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
        weighted_stream(MLP)


@pytest.mark.usefixtures("routing")
def test_other_metadata_is_routed_by_request():
    counting = clone(MLP).set_params(class_weight="balanced")
    asking = clone(counting).set_partial_fit_request(class_counts=True)
    tuned, plain = TunedCostClassifierCV(asking), clone(counting)
    for rows in BATCHES[:3]:
        given = {"classes": [0, 1], "class_counts": [9, 1]}
        tuned.partial_fit(X[rows], y[rows], **given)
        plain.partial_fit(X[rows], y[rows], **given)
    np.testing.assert_array_equal(tuned.predict_proba(X), plain.predict_proba(X))
    with pytest.raises(TypeError, match="unexpected argument"):
        tuned.partial_fit(X[:50], y[:50], amount=WEIGHT[:50])


def earned(y_true, y_pred, amount):
    return float(np.sum(np.asarray(amount) * (y_true == y_pred)))


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize("starts_with_fit", [False, True])
def test_the_window_keeps_the_metadata_of_the_scorer(starts_with_fit):
    scorer = make_scorer(earned).set_score_request(amount=True)
    amount = np.random.default_rng(1).exponential(2.0, len(y))
    tuned = TunedCostClassifierCV(clone(MLP), scoring=scorer, window=120, cv=2, random_state=0)
    if starts_with_fit:
        tuned.fit(X[:50], y[:50], amount=amount[:50])
    for rows in BATCHES[1:4]:
        tuned.partial_fit(X[rows], y[rows], classes=[0, 1], amount=amount[rows].tolist())
    window = tuned._window
    assert len(window.y) == (120 if starts_with_fit else 100)
    amount, last = amount[:200][-len(window.y) :], y[:200][-len(window.y) :]
    np.testing.assert_array_equal(window.y, last)
    np.testing.assert_array_equal(window.metadata["amount"], amount)
    decided = tuned.classes_[(window.proba * tuned.costs_).argmax(axis=1)]
    assert tuned.best_score_ == pytest.approx(earned(last, decided, amount))


@pytest.mark.usefixtures("routing")
def test_missing_metadata_of_the_scorer_is_an_error_that_changes_nothing():
    scorer = make_scorer(earned).set_score_request(amount=True)
    tuned = TunedCostClassifierCV(MLP, scoring=scorer)
    before = vars(tuned).copy()
    with pytest.raises(ValueError, match="partial_fit got none of it"):
        tuned.partial_fit(X[:50], y[:50], classes=[0, 1])
    assert vars(tuned) == before
    window = HeldOutWindow(y[:2], np.eye(2), np.ones(2), {"amount": np.ones(2)})
    with pytest.raises(ValueError, match="give the same in each call"):
        window.extended(y[:2], np.eye(2), None, 10)


def test_metadata_that_is_not_by_sample_is_that_of_the_last_call():
    window = HeldOutWindow(y[:2], np.eye(2), np.ones(2), {"beta": 1.0, "name": "first"})
    later = window.extended(y[:2], np.eye(2), None, 3, {"beta": 2.0, "name": "second"})
    assert later.metadata == {"beta": 2.0, "name": "second"}
