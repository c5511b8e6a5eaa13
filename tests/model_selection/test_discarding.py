"""Early discarding in the searches: the rule, fits in parts, and what a search makes of them."""

from functools import cache

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.decomposition import PCA
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline

from skimbal import (
    BalancedBaggingNetClassifier,
    CNN1DClassifier,
    DBNClassifier,
    ECSDBNClassifier,
    FixedCostClassifier,
    MLPClassifier,
    TunedCostClassifierCV,
    WindowedClassifier,
)
from skimbal._fitting import Fit, run_fit
from skimbal.losses import DeferredReweighting, IncrementalWeightedCrossEntropy
from skimbal.model_selection import BayesSearchCV, DESearchCV
from skimbal.model_selection._discarding import least_score_to_go_on, ranks, seeded
from skimbal.model_selection._fits_in_parts import FitInParts

NETWORK = MLPClassifier(hidden_layer_sizes=(4,), max_epochs=9, batch_size=32, random_state=0)
LIMITS = (1, 3, 9)  # epochs at the rungs and at the end, with the factor 3
SPACE = {"learning_rate": (0.001, 0.3, "log-uniform")}
SMALL = {
    "population_size": 6,
    "max_generations": 2,
    "cv": 3,
    "scoring": "neg_log_loss",
    "discard_factor": 3,
    "random_state": 0,
}


@pytest.fixture(scope="module")
def data():
    return make_classification(
        120, 5, n_informative=3, n_redundant=0, weights=[0.8], flip_y=0.1, random_state=0
    )


@pytest.fixture(scope="module")
def search(data):
    return DESearchCV(NETWORK, SPACE, **SMALL).fit(*data)


def rows(search):
    """What a search did, without times."""
    return {
        key: np.asarray(value, dtype=object).tolist()
        for key, value in search.cv_results_.items()
        if "time" not in key
    }


# ---------------------------------------------------------------- the rule


@pytest.mark.parametrize(
    ("scores", "factor", "least"),
    [
        ([0.4], 3, 0.4),
        ([0.1, 0.2, 0.3], 3, 0.3),
        ([0.1, 0.2, 0.3, 0.4], 3, 0.3),
        ([0.5, 0.5, 0.5, 0.1], 4, 0.5),
        ([0.1, 0.2, 0.3], 2, 0.2),
    ],
)
def test_the_best_of_a_rung(scores, factor, least):
    assert least_score_to_go_on(scores, factor) == least


def test_ranks_put_discarded_candidates_behind_and_nan_last():
    means = np.array([0.5, 0.9, np.nan, 0.7, 0.7, 0.9, np.nan])
    is_whole = np.array([True, False, True, True, True, False, False])
    assert ranks(means, is_whole).tolist() == [3, 4, 6, 1, 1, 4, 7]
    assert ranks(np.full(3, np.nan), np.ones(3, dtype=bool)).tolist() == [1, 1, 1]


def goes_on(score, scores):
    """Whether fewer than a third of all scores, rounded up, are better."""
    return np.sum(np.array(scores) > score) < np.ceil(len(scores) / 3)


def fractions_by_replay(params, batches, score_of):
    """Fractions trained, by the rule written once more, from scores of complete fits."""
    past = {1: [], 3: []}
    fractions = np.ones(len(params))
    for batch in np.unique(batches):
        climbing = np.flatnonzero(batches == batch)
        for limit in LIMITS[:-1]:
            scores = {i: score_of(params[i], limit) for i in climbing}
            past[limit] += scores.values()
            out = [i for i in climbing if not goes_on(scores[i], past[limit])]
            fractions[out] = limit / 9
            climbing = [i for i in climbing if i not in out]
    return fractions


@pytest.mark.parametrize("kind", ["generations", "one by one"])
def test_who_goes_on_and_every_score(kind, search, data):
    """Scores are those of plain fits of as many epochs; who goes on follows from these alone."""
    if kind == "one by one":
        search = BayesSearchCV(
            NETWORK, SPACE, n_iter=9, n_initial_points=5, cv=3, scoring="neg_log_loss",
            discard_factor=3, random_state=0,
        ).fit(*data)  # fmt: skip
    results = search.cv_results_

    @cache
    def score(learning_rate, n_epochs):
        network = clone(NETWORK).set_params(learning_rate=learning_rate, max_epochs=n_epochs)
        return cross_val_score(network, *data, cv=3, scoring="neg_log_loss").mean()

    def score_of(params, n_epochs):
        return score(params["learning_rate"], n_epochs)

    fractions = fractions_by_replay(results["params"], results["batch"], score_of)
    np.testing.assert_array_equal(results["trained_fraction"], fractions)
    assert set(fractions) == {1 / 9, 3 / 9, 1.0}
    for params, fraction, found in zip(
        results["params"], fractions, results["mean_test_score"], strict=True
    ):
        assert found == score_of(params, round(9 * fraction))
    assert search.training_saved_ == pytest.approx(1 - fractions.mean())
    assert search.best_score_ == results["mean_test_score"][fractions == 1].max()


# ---------------------------------------------------------------- fits in parts


def fit_in_parts(estimator, X, y, divisors=(9, 3, 1)):
    """The last estimator, the posteriors at each divisor, and the record of the fit."""
    record, proba = FitInParts(), []
    for divisor in divisors:
        fitted = run_fit(record.steps(Fit(clone(estimator), X, y).coroutine(), divisor))
        proba.append(fitted.predict_proba(X))
    return fitted, proba, record


@pytest.mark.parametrize(
    "estimator",
    [
        clone(NETWORK).set_params(dropout=0.3, mixup=0.2, learning_rate_schedule="cosine"),
        clone(NETWORK).set_params(optimizer="sgd", sampler="balanced", weight_decay=0.01),
        clone(NETWORK).set_params(sampler="dynamic", validation_fraction=0.2),
        clone(NETWORK).set_params(loss=IncrementalWeightedCrossEntropy(T=4)),
        clone(NETWORK).set_params(loss=DeferredReweighting("ldam", start=0.5)),
        clone(NETWORK).set_params(early_stopping=True, n_iter_no_change=2),
        DBNClassifier(
            hidden_layer_sizes=(4, 3), max_epochs=9, pretrain_epochs=2, dropout=0.2, random_state=0
        ),
        make_pipeline(PCA(3), NETWORK),
        FixedCostClassifier(NETWORK),
        FixedCostClassifier(LogisticRegression()),
        TunedCostClassifierCV(NETWORK, cv=2, random_state=0),
        TunedCostClassifierCV(make_pipeline(PCA(3), LogisticRegression()), cv=2, random_state=0),
        ECSDBNClassifier(
            hidden_layer_sizes=(4,), max_epochs=9, pretrain_epochs=2, cost_cv=2, random_state=0
        ),
        BalancedBaggingNetClassifier(NETWORK, n_estimators=3, random_state=0),
    ],
    ids=lambda estimator: str(estimator)[:60],
)
def test_a_fit_in_parts_is_the_fit(estimator, data):
    X, y = data
    whole, proba, record = fit_in_parts(estimator, X, y)
    alone = clone(estimator).fit(X, y)
    np.testing.assert_array_equal(proba[-1], alone.predict_proba(X))
    if isinstance(alone, MLPClassifier | DBNClassifier):
        assert whole.history_.equals(alone.history_)
        np.testing.assert_array_equal(whole.class_weight_, alone.class_weight_)
    assert record.n_trained == record.n_planned


def test_recordings_and_convolutions_in_parts():
    rng = np.random.default_rng(0)
    y = np.arange(20) % 2
    X = rng.normal(size=(20, 1, 40)) + y[:, None, None] * np.sin(np.arange(40))
    network = CNN1DClassifier(n_filters=(3,), max_epochs=9, dropout=0.2, random_state=0)
    for estimator in (network, WindowedClassifier(network, size=16, step=8)):
        _, proba, _ = fit_in_parts(estimator, X, y)
        alone = clone(estimator).fit(X, y)
        np.testing.assert_array_equal(proba[-1], alone.predict_proba(X))
        assert (proba[1] != proba[-1]).any()


def test_a_part_is_a_fit_of_fewer_epochs(data):
    X, y = data
    _, proba, record = fit_in_parts(NETWORK, X, y)
    for part, n_epochs in zip(proba, LIMITS, strict=True):
        alone = clone(NETWORK).set_params(max_epochs=n_epochs).fit(X, y)
        np.testing.assert_array_equal(part, alone.predict_proba(X))
    assert (record.n_trained, record.n_planned) == (9, 9)


@pytest.mark.parametrize("n_epochs", [1, 2, 10])
def test_epochs_are_rounded_up(n_epochs, data):
    X, y = data
    network = clone(NETWORK).set_params(max_epochs=n_epochs)
    for divisor in (4, 3, 2, 1):
        part, _, record = fit_in_parts(network, X, y, divisors=(divisor,))
        assert part.n_iter_ == record.n_trained == np.ceil(n_epochs / divisor)
        assert record.n_planned == n_epochs


def test_what_can_not_be_cut_is_done_once(data):
    X, y = data
    stopping = clone(NETWORK).set_params(early_stopping=True, n_iter_no_change=2)
    fitted, (first, again), record = fit_in_parts(stopping, X, y, divisors=(9, 1))
    assert fitted.n_iter_ == record.n_trained == record.n_planned
    np.testing.assert_array_equal(first, again)
    belief = DBNClassifier(hidden_layer_sizes=(4, 3), max_epochs=9, pretrain_epochs=2)
    _, _, record = fit_in_parts(belief.set_params(random_state=0), X, y, divisors=(9,))
    assert (record.n_trained, record.n_planned) == (2 * 2 + 1, 2 * 2 + 9)


def test_errors_reach_the_fit(data):
    X, y = data
    with pytest.raises(ValueError, match="no classes of y"):
        fit_in_parts(FixedCostClassifier(clone(NETWORK).set_params(class_weight={7: 1})), X, y)


def test_a_fit_that_differs_each_time_is_refused(data):
    shuffled = StratifiedKFold(2, shuffle=True)
    estimator = TunedCostClassifierCV(NETWORK, cv=shuffled, random_state=0)
    with pytest.raises(ValueError, match="its data are others when the fit is run again"):
        fit_in_parts(estimator, *data)
    shuffled.random_state = 0
    fit_in_parts(estimator, *data)


# ---------------------------------------------------------------- the search


def test_the_attributes_without_discarding(data):
    plain = DESearchCV(NETWORK, SPACE, **SMALL | {"discard_factor": None}).fit(*data)
    assert plain.training_saved_ == 0.0
    assert "trained_fraction" not in plain.cv_results_


def test_n_jobs_changes_nothing(search, data):
    assert rows(clone(search).set_params(n_jobs=2).fit(*data)) == rows(search)


class FewerEpochsAreBetter:
    """A scorer: the more epochs, the worse."""

    def __call__(self, network, X, y):
        return -network.n_iter_ - network.learning_rate


def test_a_discarded_candidate_is_never_the_best(data):
    search = DESearchCV(NETWORK, SPACE, **SMALL | {"scoring": FewerEpochsAreBetter()})
    fitted = clone(search).fit(*data)
    results = fitted.cv_results_
    is_whole = results["trained_fraction"] == 1
    means = results["mean_test_score"]
    assert means[~is_whole].min() > means[is_whole].max()
    assert fitted.best_score_ == means[is_whole].max()
    assert is_whole[fitted.best_index_]
    order = results["rank_test_score"]
    assert order[is_whole].max() < order[~is_whole].min()
    assert fitted.stopping_reason_ == "budget"
    # They don't reach a target either, and are no gain.
    assert clone(search).set_params(target_score=-4.0).fit(*data).stopping_reason_ == "budget"
    reached = clone(search).set_params(target_score=fitted.best_score_).fit(*data)
    assert reached.stopping_reason_ == "target"


def test_several_metrics_and_training_scores(search, data):
    scoring = {"recall": "recall", "fit": "neg_log_loss"}
    several = clone(search).set_params(scoring=scoring, refit="fit", return_train_score=True)
    several.fit(*data)
    results = several.cv_results_
    np.testing.assert_array_equal(results["mean_test_fit"], search.cv_results_["mean_test_score"])
    is_whole = results["trained_fraction"] == 1
    for name in ("rank_test_fit", "rank_test_recall"):
        assert results[name][is_whole].max() < results[name][~is_whole].min()
    assert np.isfinite(results["mean_train_recall"]).all()


class InterruptedAt:
    """A scorer that is interrupted at one call."""

    def __init__(self):
        self.n_calls, self.at = 0, None

    def __call__(self, network, X, y):
        self.n_calls += 1
        if self.n_calls == self.at:
            raise KeyboardInterrupt
        return get_scorer("neg_log_loss")(network, X, y)

    def __reduce__(self):  # a state file names the scorer, not how often it was called
        return InterruptedAt, ()


@pytest.mark.parametrize(
    "at", [5, 20, 46]
)  # first generation, on two rungs; second rung of the second
def test_interrupted_and_resumed_is_as_if_nothing_had_happened(at, search, data, tmp_path):
    scorer = InterruptedAt()
    resumed = clone(search).set_params(state_file=tmp_path / "state")
    resumed.scoring = scorer  # not a clone of it
    scorer.at = at
    with pytest.raises(KeyboardInterrupt):
        resumed.fit(*data)
    scorer.at = None
    assert rows(resumed.fit(*data)) == rows(search)
    assert resumed.training_saved_ == search.training_saved_


def test_a_batch_that_is_taken_in_part_is_resumed_exactly(search, data, tmp_path):
    """The budget ends after the first candidate of each batch."""
    slow = DESearchCV(NETWORK, SPACE, state_file=tmp_path / "state", **SMALL)
    for n in (1, 2):
        short = clone(slow).set_params(time_budget_s=1e-9).fit(*data)
        assert short.stopping_reason_ == "time"
        assert len(short.cv_results_["params"]) == n
    assert rows(slow.fit(*data)) == rows(search)


def test_another_factor_is_another_search(data, tmp_path):
    one = DESearchCV(NETWORK, SPACE, state_file=tmp_path / "state", **SMALL).fit(*data)
    with pytest.raises(ValueError, match="another search: it differs in discard_factor"):
        clone(one).set_params(discard_factor=2).fit(*data)


def test_each_space_has_its_own_rungs(data):
    spaces = [{"learning_rate": [0.1]}, {"learning_rate": [0.0001]}]
    both = DESearchCV(NETWORK, spaces, **SMALL).fit(*data)
    assert both.cv_results_["trained_fraction"].tolist() == [1.0, 1.0]


def test_unseeded_fits_get_a_seed_each(data):
    seeds = {seeded(clone(NETWORK).set_params(random_state=None)).random_state for _ in range(5)}
    assert len(seeds) == 5
    assert None not in seeds
    assert seeded(NETWORK).random_state == 0
    open_network = clone(NETWORK).set_params(random_state=None)
    unseeded = DESearchCV(open_network, SPACE, **SMALL | {"random_state": None}).fit(*data)
    assert unseeded.best_estimator_.random_state is None
    assert 0 < unseeded.training_saved_ < 1


# ---------------------------------------------------------------- what can't be discarded


def test_candidates_without_networks_are_evaluated_whole(data):
    pipeline = Pipeline([("last", LogisticRegression())])
    models = [LogisticRegression(C=C) for C in (0.01, 1.0)] + [
        clone(NETWORK).set_params(learning_rate=rate) for rate in (0.0001, 0.01, 0.1)
    ]
    search = DESearchCV(pipeline, {"last": models}, **SMALL | {"max_generations": 9})
    search.fit(*data)
    is_network = [isinstance(p["last"], MLPClassifier) for p in search.cv_results_["params"]]
    fractions = search.cv_results_["trained_fraction"]
    assert (fractions[np.logical_not(is_network)] == 1).all()
    assert (fractions[is_network] < 1).any()


@pytest.mark.parametrize(
    "estimator",
    [
        clone(NETWORK).set_params(early_stopping=True),
        clone(NETWORK).set_params(max_epochs=1),
        FixedCostClassifier(LogisticRegression()),
    ],
    ids=["early stopping", "one epoch", "no network"],
)
def test_discarding_without_effect_warns(estimator, data):
    space = {"costs": ["inverse_frequency"]} if hasattr(estimator, "costs") else SPACE
    search = DESearchCV(estimator, space, **SMALL)
    with pytest.warns(UserWarning, match="discard_factor=3 had no effect"):
        search.fit(*data)
    assert (search.cv_results_["trained_fraction"] == 1).all()
    plain = clone(search).set_params(discard_factor=None).fit(*data)
    without = {k: v for k, v in rows(search).items() if k != "trained_fraction"}
    assert without == rows(plain)


@pytest.mark.parametrize("search_class", [DESearchCV, BayesSearchCV])
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"estimator": LogisticRegression()}, "LogisticRegression is none of skimbal's networks"),
        ({"discard_factor": 1}, "discard_factor"),
        ({"discard_factor": 2.5}, "discard_factor"),
    ],
)
def test_bad_input(search_class, changes, message, data):
    search = search_class(NETWORK, {"class_weight": [None, "balanced"]}, discard_factor=3)
    with pytest.raises(ValueError, match=message):
        search.set_params(**changes).fit(*data)


@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
@pytest.mark.parametrize("error_score", [np.nan, -1.0])
def test_candidates_that_fail_are_survived(error_score, data):
    space = SPACE | {"class_weight": [None, {0: 1, 7: 2}]}
    search = DESearchCV(NETWORK, space, error_score=error_score, **SMALL)
    with pytest.warns(FitFailedWarning, match="no classes of y"):
        search.fit(*data)
    assert search.best_params_["class_weight"] is None
    fails = [p["class_weight"] is not None for p in search.cv_results_["params"]]
    scores = search.cv_results_["mean_test_score"]
    np.testing.assert_array_equal(scores[fails], np.full(sum(fails), error_score))
    assert search.cv_results_["trained_fraction"][search.best_index_] == 1


class FailsInAFold(MLPClassifier):
    """Fails on training rows of one fold, or after its training."""

    def __init__(self, learning_rate=0.01, max_epochs=9, random_state=0, first=None):
        super().__init__(
            hidden_layer_sizes=(4,), learning_rate=learning_rate, max_epochs=max_epochs,
            random_state=random_state,
        )  # fmt: skip
        self.first = first

    def _fit_coroutine(self, X, y, sample_weight=None):
        if X[0, 0] == self.first:
            raise RuntimeError("not this fold")
        return (yield from super()._fit_coroutine(X, y, sample_weight))


@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
def test_a_candidate_that_fails_in_a_fold(data):
    """Without a score it is out; with a finite error score it goes on with the other folds."""
    X, y = data
    network = FailsInAFold(first=X[0, 0])
    out = DESearchCV(network, {"learning_rate": [0.1]}, refit=False, **SMALL)
    with pytest.warns(FitFailedWarning):
        fitted = clone(out).fit(X, y)
    assert fitted.cv_results_["trained_fraction"].tolist() == [1 / 9]
    with pytest.warns(FitFailedWarning):
        fitted = clone(out).set_params(error_score=-1.0).fit(X, y)
    assert fitted.cv_results_["trained_fraction"].tolist() == [1.0]
    plain = clone(out).set_params(error_score=-1.0, discard_factor=None)
    with pytest.warns(FitFailedWarning):
        plain.fit(X, y)
    assert fitted.best_score_ == plain.best_score_ < 0
