"""DESearchCV, and with it all that the searches share."""

import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import sklearn
from joblib.externals.loky.backend.reduction import cloudpickle
from joblib.externals.loky.process_executor import TerminatedWorkerError
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import make_classification
from sklearn.decomposition import PCA
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import (
    GroupKFold,
    RandomizedSearchCV,
    ShuffleSplit,
    StratifiedKFold,
    cross_val_score,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from skimbal import FixedCostClassifier, MLPClassifier, TunedCostClassifierCV
from skimbal._fitting import run_fits
from skimbal.model_selection import (
    DESearchCV,
    _evaluation,
    class_weight_space,
    cost_matrix_space,
)
from skimbal.model_selection._state import digest

C_SPACE = {"C": (0.001, 100.0, "log-uniform")}
SMALL = {"population_size": 4, "max_generations": 3, "cv": 3, "random_state": 0}
NETWORK = MLPClassifier(hidden_layer_sizes=(6,), max_epochs=4)
SMALL_NETWORK = MLPClassifier(
    hidden_layer_sizes=(8,), max_epochs=30, learning_rate=0.03, batch_size=32
)


@pytest.mark.filterwarnings("ignore")  # the checks fit nonsense too, and candidates that fail warn
@parametrize_with_checks(
    [
        DESearchCV(
            LogisticRegression(), C_SPACE, population_size=3, max_generations=2, cv=2, x0={"C": 1.0}
        ),
        DESearchCV(
            SMALL_NETWORK,
            {"learning_rate": (0.02, 0.05, "log-uniform")},
            population_size=3,
            max_generations=1,
            cv=2,
        ),
    ]
)
def test_common_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def data():
    return make_classification(
        150, 5, n_informative=4, n_redundant=0, n_classes=3, weights=[0.7, 0.2, 0.1], random_state=0
    )


@pytest.fixture
def classes_of_this_file_in_workers():
    """Worker processes can't import a test file."""
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    yield
    cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


def rows(search):
    """What a search did, without times."""
    return {
        key: np.asarray(value, dtype=object).tolist()
        for key, value in search.cv_results_.items()
        if "time" not in key
    }


# ---------------------------------------------------------------- the search


def test_finds_what_is_best():
    """The score is a parabola with its top at C = 2."""

    class Parabola(ClassifierMixin, BaseEstimator):
        def __init__(self, C=1.0, n=3):
            self.C, self.n = C, n

        def fit(self, X, y):
            self.classes_ = np.unique(y)
            return self

        def predict(self, X):
            return np.zeros(len(X))

        def score(self, X, y):
            return -((np.log10(self.C / 2)) ** 2) - (self.n - 17) ** 2

    search = DESearchCV(
        Parabola(), C_SPACE | {"n": (1, 40)}, max_generations=25, cv=2, random_state=0
    ).fit(np.zeros((8, 1)), [0, 1] * 4)
    assert search.best_params_["n"] == 17
    assert search.best_params_["C"] == pytest.approx(2, rel=0.2)
    assert search.cv_results_["batch"].tolist() == sorted(search.cv_results_["batch"])


@pytest.mark.parametrize(
    ("estimator", "param"),
    [
        (LogisticRegression(), "class_weight"),
        (make_pipeline(PCA(3), SVC()), "svc__class_weight"),
        (DecisionTreeClassifier(max_depth=3, random_state=0), "class_weight"),
        (FixedCostClassifier(LogisticRegression()), "costs"),
        (clone(NETWORK).set_params(random_state=0), "class_weight"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_weights_by_label_are_searched_and_not_scored_with(estimator, param, data):
    """Each score is that of a plain cross-validation of an estimator with these weights."""
    X, y = data
    space = class_weight_space(y, param=param)
    search = DESearchCV(estimator, space, scoring="f1_macro", **SMALL).fit(X, y)
    assert len(search.cv_results_["params"]) == 12
    assert np.ptp(search.cv_results_["mean_test_score"]) > 0
    for i in (0, 5, 11):
        params = search.cv_results_["params"][i]
        weights = {0: 1.0} | {int(k[-1]): value for k, value in params.items()}
        weighted = clone(estimator).set_params(**{param: weights})
        scores = cross_val_score(weighted, X, y, scoring="f1_macro", cv=3)
        found = [search.cv_results_[f"split{k}_test_score"][i] for k in range(3)]
        np.testing.assert_allclose(found, scores)
    held = search.best_estimator_.get_params()[param]
    assert held == {0: 1.0} | {int(k[-1]): v for k, v in search.best_params_.items()}


def test_costs_of_pairs_and_labels_that_are_strings(data):
    X, y = data
    labels = pd.Series(np.array(["fine", "worn", "out of order"])[y], name="state")
    space = cost_matrix_space(labels, param="costs")
    assert "costs__out of order__fine" in space
    search = DESearchCV(
        FixedCostClassifier(LogisticRegression()), space, scoring="macro_f1", **SMALL
    ).fit(pd.DataFrame(X, columns=list("abcde")), labels)
    matrix = search.best_estimator_.cost_matrix_
    assert matrix[1, 0] == search.best_params_["costs__out of order__fine"]
    assert matrix[0].tolist() == [0, 1, 1]
    assert search.feature_names_in_.tolist() == list("abcde")


def test_weights_and_a_parameter_of_a_wrapped_network(data):
    X, y = data
    space = {"estimator__learning_rate": (0.001, 0.1, "log-uniform")} | class_weight_space(
        y, param="estimator__class_weight"
    )
    tuned = TunedCostClassifierCV(clone(NETWORK), cv=2)
    search = DESearchCV(tuned, space, population_size=3, max_generations=1, cv=2, random_state=0)
    search.fit(X, y)
    network = search.best_estimator_.estimator_
    assert network.learning_rate == search.best_params_["estimator__learning_rate"]


def test_categories_may_be_dicts_and_lists(data):
    X, y = data
    space = {
        "class_weight": [None, "balanced", {0: 1, 1: 2, 2: 9}],
        "hidden_layer_sizes": [(4,), [4, 4]],
    }
    search = DESearchCV(NETWORK, space, population_size=60, cv=2, random_state=0).fit(X, y)
    assert search.stopping_reason_ == "exhausted"
    assert len(search.cv_results_["params"]) == 6
    assert search.n_repeated_ > 0


def test_networks_of_a_generation_are_those_that_are_fitted_alone(data):
    X, y = data
    space = {"learning_rate": (0.001, 0.1, "log-uniform"), "batch_size": [16, 32]}
    network = clone(NETWORK).set_params(random_state=1)
    search = DESearchCV(network, space, return_train_score=True, **SMALL).fit(X, y)
    params = search.cv_results_["params"][3]
    alone = cross_val_score(clone(network).set_params(**params), X, y, cv=3)
    found = [search.cv_results_[f"split{k}_test_score"][3] for k in range(3)]
    np.testing.assert_array_equal(found, alone)
    assert np.isfinite(search.cv_results_["mean_train_score"]).all()


def test_results_do_not_depend_on_n_jobs(data):
    X, y = data
    space = {"last": [NETWORK, LogisticRegression()], "last__class_weight": ["balanced", None]}
    one = DESearchCV(Pipeline([("last", LinearSVC())]), space, **SMALL).fit(X, y)
    two = clone(one).set_params(n_jobs=2).fit(X, y)
    assert str(rows(one)) == str(rows(two))
    assert {type(params["last"]) for params in one.cv_results_["params"]} == {
        MLPClassifier,
        LogisticRegression,
    }
    np.testing.assert_array_equal(one.predict(X), two.predict(X))


def test_same_seed_same_search(data):
    X, y = data
    search = DESearchCV(NETWORK, {"learning_rate": (0.001, 0.1)}, **SMALL)
    first, second = clone(search).fit(X, y), clone(search).fit(X, y)
    assert rows(first) == rows(second)
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))
    other = clone(search).set_params(random_state=1).fit(X, y)
    assert rows(first) != rows(other)
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(first)).predict_proba(X), first.predict_proba(X)
    )


def test_the_splits_are_made_once(data):
    class Counting(ShuffleSplit):
        n_calls = 0

        def split(self, *args, **kwargs):
            type(self).n_calls += 1
            return super().split(*args, **kwargs)

    cv = Counting(2, test_size=0.3)
    DESearchCV(LogisticRegression(), C_SPACE, **SMALL | {"cv": cv}).fit(*data)
    assert Counting.n_calls == 1


def test_nothing_that_is_given_is_changed(data):
    estimator, space = LogisticRegression(class_weight={0: 2}), class_weight_space(data[1])
    before = pickle.dumps((estimator, space))
    DESearchCV(estimator, space, x0="conventional", **SMALL).fit(*data)
    assert pickle.dumps((estimator, space)) == before
    assert estimator.class_weight == {0: 2}


def test_columns_are_those_of_scikit_learn(data):
    X, y = data
    ours = DESearchCV(LogisticRegression(), C_SPACE, return_train_score=True, **SMALL).fit(X, y)
    theirs = RandomizedSearchCV(
        LogisticRegression(), {"C": scipy.stats.uniform(1, 2)}, n_iter=2, return_train_score=True,
        cv=3,
    ).fit(X, y)  # fmt: skip
    assert set(ours.cv_results_) == {*theirs.cv_results_, "batch"}
    for key, value in theirs.cv_results_.items():
        assert type(value) is type(ours.cv_results_[key]), key
    fitted = {name for name in vars(theirs) if name.endswith("_")}
    assert fitted <= {name for name in vars(ours) if name.endswith("_")}


# ---------------------------------------------------------------- scores


def test_several_metrics(data):
    X, y = data
    scoring = {"f1": make_scorer(f1_score, average="macro"), "g": "g_mean"}
    search = DESearchCV(LogisticRegression(), C_SPACE, scoring=scoring, refit="g", **SMALL)
    search.fit(X, y)
    assert search.best_score_ == search.cv_results_["mean_test_g"].max()
    single = DESearchCV(LogisticRegression(), C_SPACE, scoring="g_mean", **SMALL).fit(X, y)
    assert search.cv_results_["params"] == single.cv_results_["params"]
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_g"], single.cv_results_["mean_test_score"]
    )
    assert search.score(X, y) == single.score(X, y)


def test_metrics_of_one_callable(data):
    def scores(estimator, X, y):
        right = estimator.predict(X) == y
        return {"accuracy": right.mean(), "of_two": right[y == 2].mean()}

    search = DESearchCV(LogisticRegression(), C_SPACE, scoring=scores, refit="of_two", **SMALL)
    search.fit(*data)
    assert search.multimetric_
    assert search.best_score_ == search.cv_results_["mean_test_of_two"].max()
    without = clone(search).set_params(refit=False).fit(*data)
    assert not hasattr(without, "best_params_")
    assert set(without.cv_results_["batch"]) == {0, 1, 2}


def test_refit_by_a_function(data):
    search = DESearchCV(
        LogisticRegression(), C_SPACE, refit=lambda results: len(results["params"]) - 1, **SMALL
    ).fit(*data)
    assert search.best_index_ == len(search.cv_results_["params"]) - 1
    assert search.cv_results_["params"][-1] == {"C": search.best_estimator_.C}


def test_names_mean_what_they_do_in_scikit_learn():
    X, y = make_classification(120, 4, weights=[0.2], flip_y=0.1, random_state=0)
    search = DESearchCV(LogisticRegression(), {"C": [1.0]}, scoring="f1", cv=3).fit(X, y)
    expected = cross_val_score(LogisticRegression(), X, y, scoring="f1", cv=3).mean()
    assert search.best_score_ == pytest.approx(expected)  # skimbal's own is that of the rarer class
    with pytest.raises(ValueError, match="did you mean 'g_mean'"):
        DESearchCV(LogisticRegression(), C_SPACE, scoring="gmean").fit(X, y)


def test_metadata_is_routed(data):
    X, y = data
    rng = np.random.default_rng(0)
    weight, groups = rng.random(len(y)), rng.integers(0, 6, len(y))
    with sklearn.config_context(enable_metadata_routing=True):
        estimator = LogisticRegression().set_fit_request(sample_weight=True)
        scorer = make_scorer(f1_score, average="macro").set_score_request(sample_weight=True)
        search = DESearchCV(estimator, {"C": [1.0]}, scoring=scorer, cv=GroupKFold(3))
        search.fit(X, y, sample_weight=weight, groups=groups)
    scores = []
    for train, test in GroupKFold(3).split(X, y, groups):
        fitted = LogisticRegression().fit(X[train], y[train], sample_weight=weight[train])
        scores.append(
            f1_score(y[test], fitted.predict(X[test]), average="macro", sample_weight=weight[test])
        )
    found = [search.cv_results_[f"split{k}_test_score"][0] for k in range(3)]
    np.testing.assert_allclose(found, scores)


def test_groups_and_weights_without_routing(data):
    X, y = data
    groups = np.arange(len(y)) % 5
    weight = np.where(y == 2, 30.0, 1.0)
    search = DESearchCV(NETWORK, {"learning_rate": [0.05]}, cv=GroupKFold(5), random_state=0)
    search.fit(X, y, groups=groups, sample_weight=weight)
    assert search.n_splits_ == 5
    assert search.best_estimator_.class_weight_.shape == (3,)
    plain = clone(search).fit(X, y, groups=groups)
    assert np.sum(search.predict(X) == 2) > np.sum(plain.predict(X) == 2)


# ---------------------------------------------------------------- where to start


def test_conventional_start(data):
    X, y = data
    counts = np.bincount(y)
    space = class_weight_space(y) | {"learning_rate": (0.001, 1.0, "log-uniform")}
    network = clone(NETWORK).set_params(learning_rate=0.02)
    search = DESearchCV(network, space, x0="conventional", **SMALL).fit(X, y)
    first = search.cv_results_["params"][0]
    assert first == pytest.approx(
        {
            "class_weight__1": counts[0] / counts[1],
            "class_weight__2": counts[0] / counts[2],
            "learning_rate": 0.02,
        }
    )
    assert search.best_score_ >= search.cv_results_["mean_test_score"][0]


def test_start_points(data):
    points = [{"C": 0.5}, {"tol": 0.003}]
    space = C_SPACE | {"tol": (1e-5, 1e-2, "log-uniform")}
    search = DESearchCV(LogisticRegression(C=2.0), space, x0=points, **SMALL).fit(*data)
    assert search.cv_results_["params"][0] == pytest.approx({"C": 0.5, "tol": 1e-4})
    assert search.cv_results_["params"][1] == pytest.approx({"C": 2.0, "tol": 0.003})


def test_start_outside_the_bounds_widens_them(data):
    search = DESearchCV(LogisticRegression(), C_SPACE, x0={"C": 300.0}, **SMALL)
    with pytest.warns(UserWarning, match=r"C=300.0 is outside .* widened to \(0.001, 300.0\)"):
        search.fit(*data)
    assert search.cv_results_["params"][0]["C"] == pytest.approx(300)


def test_a_value_that_no_space_has_starts_in_the_middle(data):
    tree = DecisionTreeClassifier(random_state=0)  # max_depth=None
    search = DESearchCV(tree, {"max_depth": (1, 9)}, x0="conventional", **SMALL).fit(*data)
    assert search.cv_results_["params"][0] == {"max_depth": 5}


# ---------------------------------------------------------------- when to end


def test_patience_and_target_and_callbacks(data):
    search = DESearchCV(LogisticRegression(), C_SPACE, **SMALL | {"max_generations": 50})
    patient = clone(search).set_params(patience=2).fit(*data)
    assert patient.stopping_reason_ == "patience"
    best = [
        patient.cv_results_["mean_test_score"][patient.cv_results_["batch"] <= batch].max()
        for batch in np.unique(patient.cv_results_["batch"])
    ]
    assert best[-1] == best[-3]
    reached = clone(search).set_params(target_score=0.5).fit(*data)
    assert reached.stopping_reason_ == "target"
    assert set(reached.cv_results_["batch"]) == {0}
    seen = []

    def stop_after_two(search):
        seen.append((len(search.cv_results_["params"]), search.best_score_))
        return len(seen) == 2

    called = clone(search).set_params(callbacks=[stop_after_two]).fit(*data)
    assert called.stopping_reason_ == "callback"
    assert [n for n, _ in seen] == [4, 8]
    assert called.best_score_ == seen[-1][1]


class Slow(LogisticRegression):
    """Takes its time."""

    def fit(self, X, y, sample_weight=None):
        time.sleep(0.05)
        return super().fit(X, y, sample_weight)


@pytest.mark.usefixtures("classes_of_this_file_in_workers")
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_time_budget_keeps_what_was_done(n_jobs, data):
    budget = 0.2
    search = DESearchCV(
        Slow(), C_SPACE, cv=2, n_jobs=n_jobs, max_generations=1000, time_budget_s=budget
    )
    start = time.perf_counter()
    search.fit(*data)
    assert search.stopping_reason_ == "time"
    assert 1 <= len(search.cv_results_["params"]) < 100
    assert time.perf_counter() - start < 60
    assert search.best_params_ in search.cv_results_["params"]
    assert search.predict(data[0]).shape == data[1].shape


class Interrupted(LogisticRegression):
    """Is interrupted at one fit, whose number is in a file."""

    def __init__(self, C=1.0, counter=None, at=0):
        super().__init__(C=C)
        self.counter, self.at = counter, at

    def fit(self, X, y, sample_weight=None):
        path = Path(self.counter)
        n = int(path.read_text()) + 1 if path.exists() else 1
        path.write_text(str(n))
        if n == self.at:
            raise KeyboardInterrupt
        return super().fit(X, y, sample_weight)


@pytest.mark.parametrize(
    "at", [3 * 6 + 2, 3 * 8 + 1]
)  # in the middle of a generation; at its start
def test_interrupted_and_resumed_is_as_if_nothing_had_happened(at, data, tmp_path):
    estimator = Interrupted(counter=str(tmp_path / "n"), at=at)
    file = tmp_path / "search.pkl"
    search = DESearchCV(estimator, C_SPACE, state_file=file, **SMALL)
    with pytest.raises(KeyboardInterrupt):
        search.fit(*data)
    assert search.stopping_reason_ == "interrupt"
    assert len(search.cv_results_["params"]) == (at - 1) // 3
    assert search.best_score_ == search.cv_results_["mean_test_score"].max()
    assert not hasattr(search, "best_estimator_")
    resumed = DESearchCV(estimator, C_SPACE, state_file=file, **SMALL).fit(*data)
    # Three folds of each candidate, the one that was interrupted, those before it again, the last.
    n_fits = 3 * len(resumed.cv_results_["params"]) + 1 + (at - 1) % 3 + 1
    assert int((tmp_path / "n").read_text()) == n_fits
    whole = DESearchCV(LogisticRegression(), C_SPACE, **SMALL).fit(*data)
    assert rows(resumed) == rows(whole)
    assert resumed.best_params_ == whole.best_params_


def test_a_search_that_is_done_goes_on_with_a_larger_budget(data, tmp_path):
    search = DESearchCV(LogisticRegression(), C_SPACE, state_file=tmp_path / "s", **SMALL)
    first = clone(search).fit(*data)
    longer = clone(search).set_params(max_generations=5).fit(*data)
    whole = DESearchCV(LogisticRegression(), C_SPACE, **SMALL | {"max_generations": 5}).fit(*data)
    assert rows(longer) == rows(whole)
    n = len(first.cv_results_["params"])
    assert longer.cv_results_["params"][:n] == first.cv_results_["params"]
    assert len(longer.cv_results_["params"]) > n


def test_the_state_of_another_search_is_refused(data, tmp_path):
    X, y = data
    file = tmp_path / "search.pkl"
    search = DESearchCV(LogisticRegression(), C_SPACE, state_file=str(file), **SMALL)
    search.fit(X, y)
    before = file.read_bytes()
    for changed, name in (
        ({"random_state": 1}, "random_state"),
        ({"search_spaces": {"C": (0.1, 1.0)}}, "search_spaces"),
        ({"estimator": LogisticRegression(tol=0.01)}, "estimator"),
        ({"population_size": 5}, "population_size"),
    ):
        with pytest.raises(ValueError, match=f"another search: it differs in {name}"):
            clone(search).set_params(**changed).fit(X, y)
    with pytest.raises(ValueError, match="it differs in X;"):
        clone(search).fit(X + 1, y)
    assert file.read_bytes() == before
    file.write_text("notes")
    with pytest.raises(ValueError, match="holds no state of a search"):
        clone(search).fit(X, y)
    assert file.read_text() == "notes"
    with pytest.raises(ValueError, match="no folder"):
        clone(search).set_params(state_file=tmp_path / "none" / "s").fit(X, y)


@pytest.mark.slow
def test_digests_are_the_same_in_another_process():
    code = (
        "import scipy.stats; from skimbal import MLPClassifier\n"
        "from skimbal.losses import Focal\n"
        "from skimbal.model_selection import ClassWeights, class_weight_space\n"
        "from skimbal.model_selection._space import SearchSpace\n"
        "from skimbal.model_selection._state import digest\n"
        "print(digest((MLPClassifier(loss=Focal(), class_weight=ClassWeights([0, 1])),"
        " SearchSpace.parse({'x': scipy.stats.loguniform(1, 3), 'y': ['a', {1: 2}]}"
        " | class_weight_space(['a', 'b'])).description(), {'a', 'b'})))\n"
        "print(digest(lambda: 0))"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert digest(LogisticRegression(C=1)) != digest(LogisticRegression(C=2))


# ---------------------------------------------------------------- what fails


class Fails(LogisticRegression):
    """Fails where C is above 1, or always."""

    def __init__(self, C=1.0, always=False):
        super().__init__(C=C)
        self.always = always

    def fit(self, X, y, sample_weight=None):
        if self.always or self.C > 1:
            raise RuntimeError(f"C={self.C:.3g} is too much")
        return super().fit(X, y, sample_weight)


NOT_FINITE = "ignore:One or more of the test scores are non-finite"


@pytest.mark.filterwarnings(NOT_FINITE)
def test_candidates_that_fail_are_survived(data):
    search = DESearchCV(Fails(), C_SPACE, x0=[{"C": 50.0}, {"C": 0.5}], **SMALL)
    with pytest.warns(FitFailedWarning, match="is too much") as caught:
        search.fit(*data)
    C = search.cv_results_["param_C"].data.astype(float)
    np.testing.assert_array_equal(np.isnan(search.cv_results_["mean_test_score"]), C > 1)
    assert search.best_params_["C"] <= 1
    assert [w.filename for w in caught if w.category is FitFailedWarning] == [__file__]
    scored = clone(search).set_params(error_score=-3.0)
    with pytest.warns(FitFailedWarning):
        scored.fit(*data)
    assert (scored.cv_results_["mean_test_score"][C > 1] == -3).all()
    with pytest.raises(RuntimeError, match="is too much"):
        clone(search).set_params(error_score="raise").fit(*data)


@pytest.mark.filterwarnings(NOT_FINITE)
def test_parameters_that_can_not_be_set_fail_their_candidate(data):
    pipeline = Pipeline([("model", LogisticRegression())])
    space = {"model": [LogisticRegression(), LinearSVC(), SVC()], "model__l1_ratio": [0.0, 0.1]}
    search = DESearchCV(pipeline, space, **SMALL | {"max_generations": 8})
    with pytest.warns(FitFailedWarning, match="Invalid parameter 'l1_ratio'"):
        search.fit(*data)
    assert isinstance(search.best_params_["model"], LogisticRegression)


@pytest.mark.filterwarnings(NOT_FINITE)
def test_networks_that_fail_are_survived(data):
    space = {"loss": ["focal", "ldam"], "class_weight": [None, {0: 1, 1: 2, 5: 3}]}
    search = DESearchCV(NETWORK, space, **SMALL)
    with pytest.warns(FitFailedWarning, match="no classes of y"):
        search.fit(*data)
    assert search.best_params_["class_weight"] is None


def test_an_estimator_that_always_fails_is_given_up(data):
    search = DESearchCV(Fails(always=True), C_SPACE, cv=2, max_generations=50, random_state=0)
    with pytest.raises(ValueError, match=r"all 20 fits of 10 candidates failed(.|\n)*too much"):
        search.fit(*data)


class Dies(LogisticRegression):
    """Its process ends, the first time."""

    def __init__(self, C=1.0, marker=None):
        super().__init__(C=C)
        self.marker = marker

    def fit(self, X, y, sample_weight=None):
        if not Path(self.marker).exists():
            Path(self.marker).touch()
            os._exit(1)
        return super().fit(X, y, sample_weight)


@pytest.mark.slow
@pytest.mark.usefixtures("classes_of_this_file_in_workers")
def test_a_worker_that_dies_costs_a_retry(data, tmp_path):
    search = DESearchCV(Dies(marker=str(tmp_path / "died")), C_SPACE, n_jobs=2, **SMALL)
    with pytest.warns(UserWarning, match="a worker process died"):
        search.fit(*data)
    whole = DESearchCV(LogisticRegression(), C_SPACE, **SMALL).fit(*data)
    assert rows(search) == rows(whole)


def test_networks_of_a_worker_that_dies_are_trained_again(data, monkeypatch):
    attempts = []

    def dies_once(*args, **kwargs):
        attempts.append(1)
        if len(attempts) == 1:
            raise TerminatedWorkerError("killed")
        return run_fits(*args, **kwargs)

    space = {"learning_rate": (0.001, 0.1, "log-uniform")}
    whole = DESearchCV(NETWORK, space, **SMALL).fit(*data)
    monkeypatch.setattr(_evaluation, "run_fits", dies_once)
    with pytest.warns(UserWarning, match="a worker process died"):
        search = clone(whole).fit(*data)
    assert rows(search) == rows(whole)

    def dies(*args, **kwargs):
        raise TerminatedWorkerError("killed again")

    monkeypatch.setattr(_evaluation, "run_fits", dies)
    with (
        pytest.warns(UserWarning, match="a worker process died"),
        pytest.raises(TerminatedWorkerError),
    ):
        clone(whole).fit(*data)


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"search_spaces": {}}, "search space is {}"),
        ({"search_spaces": []}, "empty list"),
        ({"search_spaces": {"max_itr": (5, 9)}}, "did you mean 'max_iter'"),
        ({"search_spaces": {"C": (1.0, 0.1)}}, "low must be below high"),
        ({"search_spaces": {"C": (0.0, 1.0, "log-uniform")}}, "needs low > 0"),
        ({"search_spaces": {"class_weight__7": (1, 9)}}, "unknown label in class_weight__ '7'"),
        ({"population_size": 2}, "population_size"),
        ({"max_generations": 0}, "max_generations"),
        ({"pbest_fraction": 0.0}, "pbest_fraction"),
        ({"adaptation_rate": 2.0}, "adaptation_rate"),
        ({"patience": 0}, "patience"),
        ({"time_budget_s": 0}, "time_budget_s"),
        ({"x0": "usual"}, "x0"),
        ({"x0": {"max_iter": 9}}, "unknown parameter of x0 'max_iter'"),
        ({"x0": [[1.0]]}, "a point must be a dict"),
        ({"x0": {"C": -1.0}}, "not in its search space"),
        ({"x0": [{"C": 1.0}] * 4, "population_size": 3}, "x0 has 4 points"),
        ({"callbacks": ["print"]}, "can't be called"),
        ({"scoring": ["g_mean", "macro_f1"]}, "multi-metric scoring"),
        ({"cv": []}, "no split"),
    ],
)
def test_bad_input(params, message, data):
    calls = []

    class Counts(LogisticRegression):
        def fit(self, X, y):
            calls.append(1)
            return super().fit(X, y)

    search = DESearchCV(Counts(), C_SPACE).set_params(**params)
    with pytest.raises(ValueError, match=message):
        search.fit(*data)
    assert not calls


def test_one_fold_that_lacks_a_class_is_no_end(data):
    X, y = data
    keep = np.flatnonzero((y != 2) | (np.cumsum(y == 2) <= 2))
    X, y = X[keep], y[keep]
    search = DESearchCV(
        LogisticRegression(), class_weight_space(y), **SMALL | {"cv": StratifiedKFold(2)}
    ).fit(X, y)
    assert np.isfinite(search.best_score_)
