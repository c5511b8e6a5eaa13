"""BayesSearchCV; what it shares with DESearchCV is tested there."""

import pickle
import signal

import numpy as np
import pytest
import sklearn
from joblib import parallel_config
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import FitFailedWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import parametrize_with_checks
from skopt.learning import ExtraTreesRegressor
from skopt.space import Categorical, Real

from skimbal import MLPClassifier
from skimbal.model_selection import BayesSearchCV, DESearchCV, class_weight_space

C_SPACE = {"C": (0.001, 100.0, "log-uniform")}
FEW_TREES = {"base_estimator": ExtraTreesRegressor(n_estimators=4), "n_initial_points": 4}
QUICK = {"n_iter": 8, "n_initial_points": 4, "cv": 3, "random_state": 0}


@pytest.fixture(scope="module")
def data():
    return make_classification(
        150, 5, n_informative=3, n_redundant=0, n_classes=3, weights=[0.7, 0.2], random_state=0
    )


def scores(search):
    return search.cv_results_["mean_test_score"]


@parametrize_with_checks(
    [
        BayesSearchCV(
            LogisticRegression(),
            {"C": (0.1, 10.0)},
            n_iter=4,
            n_initial_points=3,
            cv=2,
            error_score="raise",
        )
    ]
)
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast")  # inf in y, in the splits
def test_common_checks(estimator, check):
    check(estimator)


def test_scores_are_those_of_cross_validation(data):
    X, y = data
    search = BayesSearchCV(LogisticRegression(), C_SPACE, scoring="macro_f1", **QUICK).fit(X, y)
    for i in (0, 7):
        estimator = LogisticRegression(**search.cv_results_["params"][i])
        expected = cross_val_score(estimator, X, y, cv=3, scoring="f1_macro").mean()
        assert scores(search)[i] == pytest.approx(expected)
    assert search.best_score_ == scores(search).max()
    assert search.best_params_["C"] == search.best_estimator_.C


def test_initial_points_are_one_batch_and_then_n_points_at_once(data):
    search = BayesSearchCV(LogisticRegression(), C_SPACE, **QUICK, n_points=3).fit(*data)
    assert search.cv_results_["batch"].tolist() == [0] * 4 + [1] * 3 + [2]
    assert search.stopping_reason_ == "budget"
    one = BayesSearchCV(LogisticRegression(), C_SPACE, **QUICK).fit(*data)
    assert one.cv_results_["batch"].tolist() == [0] * 4 + [1, 2, 3, 4]


def test_n_iter_below_the_initial_points_is_kept(data):
    search = BayesSearchCV(LogisticRegression(), C_SPACE, **QUICK | {"n_iter": 2}).fit(*data)
    assert len(scores(search)) == 2


def test_finds_what_random_search_misses():
    """The score is a peak at C = 0.02 and weight 30; half of all its range is below 0.1."""

    class Peak(DummyClassifier):
        def __init__(self, a=0.5, b=0.5, c=0.5):
            super().__init__()
            self.a, self.b, self.c = a, b, c

        def score(self, X, y, sample_weight=None):
            place = np.array([self.a, self.b, self.c])
            return float(np.exp(-10 * ((place - [0.9, 0.2, 0.6]) ** 2).sum()))

    space = dict.fromkeys("abc", (0.0, 1.0))
    search = BayesSearchCV(Peak(), space, n_iter=35, cv=2, random_state=0)
    search.fit(np.zeros((8, 1)), [0, 1] * 4)
    assert search.best_score_ > 0.99
    assert scores(search)[:10].max() < 0.9


def test_search_spaces_stay_as_they_were(data):
    spaces = [
        ({"C": Real(0.1, 10, prior="log-uniform"), "tol": (1e-5, 1e-3)}, 3),
        {"solver": Categorical(["lbfgs", "newton-cg"])},
    ]
    before = pickle.dumps(spaces)
    search = BayesSearchCV(LogisticRegression(), spaces, cv=2, n_iter=2, random_state=0)
    search.fit(*data)
    assert search.search_spaces is spaces
    assert pickle.dumps(spaces) == before


def test_spaces_one_after_another_with_their_own_numbers(data):
    pipeline = Pipeline([("model", LogisticRegression())])
    spaces = [
        ({"model": [LogisticRegression()], "model__C": (0.01, 10.0)}, 5),
        {"model": [LinearSVC()], "model__tol": loguniform(1e-5, 1e-2)},
    ]
    search = BayesSearchCV(pipeline, spaces, n_iter=3, cv=2, random_state=0)
    assert search.total_iterations == 8
    search.fit(*data)
    assert ["model__C" in p for p in search.cv_results_["params"]] == [True] * 5 + [False] * 3
    first, second = search.optimizer_results_
    assert (len(first.x_iters), len(second.x_iters)) == (5, 3)
    np.testing.assert_array_equal(first.func_vals, -scores(search)[:5])


def test_a_space_with_few_points_ends_when_all_are_evaluated(data):
    space = {"C": [0.1, 1.0, 10.0], "fit_intercept": [True, False]}
    search = BayesSearchCV(LogisticRegression(), space, cv=2, random_state=0).fit(*data)
    assert len(scores(search)) == 6
    assert search.stopping_reason_ == "exhausted"


def test_conventional_start(data):
    X, y = data
    counts = np.bincount(y)
    search = BayesSearchCV(
        LogisticRegression(C=0.5), class_weight_space(y) | C_SPACE, x0="conventional", **QUICK
    ).fit(X, y)
    first = search.cv_results_["params"][0]
    expected = {f"class_weight__{c}": counts[0] / counts[c] for c in (1, 2)} | {"C": 0.5}
    assert first == pytest.approx(expected)


@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
def test_failing_candidates_are_survived_and_avoided(data):
    class FailsAbove(LogisticRegression):
        def fit(self, X, y):
            if self.C > 1:
                raise RuntimeError("C is too large")
            return super().fit(X, y)

    search = BayesSearchCV(FailsAbove(), C_SPACE, n_iter=20, cv=2, random_state=0)
    with pytest.warns(FitFailedWarning, match="C is too large"):
        search.fit(*data)
    failed = np.isnan(scores(search))
    assert 0 < failed[:10].sum() < 10
    assert search.best_params_["C"] <= 1
    with pytest.raises(RuntimeError, match="C is too large"):
        clone(search).set_params(error_score="raise").fit(*data)


def test_metadata_is_routed(data):
    X, y = data
    weight = np.where(y == 2, 5.0, 1.0)
    with sklearn.config_context(enable_metadata_routing=True):
        estimator = LogisticRegression().set_fit_request(sample_weight=True)
        scorer = get_scorer("accuracy").set_score_request(sample_weight=True)
        routed = BayesSearchCV(estimator, C_SPACE, scoring=scorer, **QUICK)
        routed.fit(X, y, sample_weight=weight)
        assert len(scores(routed)) == 8
    plain = BayesSearchCV(LogisticRegression(), C_SPACE, **QUICK).fit(X, y)
    assert not np.allclose(scores(routed)[:4], scores(plain)[:4])


def test_several_metrics_follow_refit(data):
    search = BayesSearchCV(
        LogisticRegression(), C_SPACE, scoring=["accuracy", "f1_macro"], refit="f1_macro", **QUICK
    ).fit(*data)
    assert search.best_score_ == search.cv_results_["mean_test_f1_macro"].max()
    result = search.optimizer_results_[0]
    np.testing.assert_array_equal(result.func_vals, -search.cv_results_["mean_test_f1_macro"])


def test_networks_of_a_batch_give_the_scores_of_networks_fitted_alone(data):
    X, y = data
    network = MLPClassifier(hidden_layer_sizes=(6,), max_epochs=3, random_state=0)
    space = {"learning_rate": (0.001, 0.1, "log-uniform")} | class_weight_space(y)
    search = BayesSearchCV(network, space, n_points=2, **QUICK).fit(X, y)
    params = dict(search.cv_results_["params"][5])
    weights = {0: 1.0} | {c: params.pop(f"class_weight__{c}") for c in (1, 2)}
    alone = clone(network).set_params(**params, class_weight=weights)
    expected = cross_val_score(alone, X, y, cv=3).mean()
    assert scores(search)[5] == pytest.approx(expected, abs=1e-12)


def test_same_seed_same_results_for_any_number_of_jobs(data):
    search = BayesSearchCV(LogisticRegression(), C_SPACE, **QUICK, n_points=2)
    one = clone(search).fit(*data)
    with parallel_config(backend="threading"):
        two = clone(search).set_params(n_jobs=2).fit(*data)
    assert one.cv_results_["params"] == two.cv_results_["params"]
    np.testing.assert_array_equal(scores(one), scores(two))
    other = clone(search).set_params(random_state=1).fit(*data)
    assert one.cv_results_["params"] != other.cv_results_["params"]


@pytest.mark.parametrize("optimizer_kwargs", [None, FEW_TREES])
def test_interrupted_and_resumed_is_as_never_interrupted(data, tmp_path, optimizer_kwargs):
    def interrupt(search):
        if len(scores(search)) >= 6:
            signal.raise_signal(signal.SIGINT)

    search = BayesSearchCV(
        LogisticRegression(),
        C_SPACE,
        **QUICK,
        optimizer_kwargs=optimizer_kwargs,
        state_file=tmp_path / "state",
    )
    with pytest.raises(KeyboardInterrupt):
        clone(search).set_params(callbacks=interrupt).fit(*data)
    resumed = clone(search).fit(*data)
    whole = clone(search).set_params(state_file=None).fit(*data)
    assert resumed.cv_results_["params"] == whole.cv_results_["params"]
    np.testing.assert_array_equal(scores(resumed), scores(whole))
    longer = clone(search).set_params(n_iter=10).fit(*data)
    assert longer.cv_results_["params"][:8] == whole.cv_results_["params"]
    assert len(scores(longer)) == 10


def test_nothing_is_checked_before_fit():
    BayesSearchCV(LogisticRegression(), {}, n_iter=-1, optimizer_kwargs={"kernel": 1})


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"search_spaces": {}}, "at least one"),
        ({"search_spaces": [(C_SPACE, 0)]}, "number of candidates >= 1"),
        ({"search_spaces": [(C_SPACE, 2.5)]}, "number of candidates >= 1"),
        ({"search_spaces": [(C_SPACE,)]}, r"\(dict, number"),
        ({"search_spaces": {"c": (0.1, 1.0)}}, "unknown parameter of Refuses 'c'"),
        ({"n_iter": 0}, "n_iter"),
        ({"n_points": 0}, "n_points"),
        ({"xi": -1.0}, "xi"),
        ({"optimizer_kwargs": {"kernel": 1}}, "does not take optimizer_kwargs.*kernel"),
        ({"optimizer_kwargs": {"base_estimator": "GPU"}}, "GPU"),
        ({"optimizer_kwargs": {"base_estimator": "DUMMY"}}, "DUMMY"),
        ({"optimizer_kwargs": {"random_state": 1}}, "random_state, which the search sets"),
        ({"optimizer_kwargs": {"acq_func": "EIps"}}, "time of each candidate"),
    ],
)
def test_bad_input_is_refused_before_any_fit(data, params, message):
    class Refuses(LogisticRegression):
        def fit(self, X, y):
            raise AssertionError("fitted")

    search = BayesSearchCV(Refuses(), C_SPACE).set_params(**params)
    with pytest.raises(ValueError, match=message):
        search.fit(*data)


def test_callback_that_can_not_be_called(data):
    with pytest.raises(ValueError, match="can't be called"):
        BayesSearchCV(LogisticRegression(), C_SPACE).fit(*data, callback="print")


def test_state_of_another_search_is_refused(data, tmp_path):
    path = tmp_path / "state"
    search = BayesSearchCV(LogisticRegression(), C_SPACE, **QUICK, state_file=path).fit(*data)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="xi"):
        clone(search).set_params(xi=0.5).fit(*data)
    with pytest.raises(ValueError, match="another search"):
        DESearchCV(LogisticRegression(), C_SPACE, cv=3, state_file=path).fit(*data)
    assert path.read_bytes() == before


def test_no_results_before_fit():
    with pytest.raises(NotFittedError):
        _ = BayesSearchCV(LogisticRegression(), C_SPACE).optimizer_results_
