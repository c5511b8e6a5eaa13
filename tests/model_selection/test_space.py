"""Search spaces: what users may write, the unit cube and back."""

import pickle

import numpy as np
import pytest
import scipy.stats
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC, LinearSVC
from skopt.space import Categorical, Integer, Real

from skimbal import MLPClassifier
from skimbal.losses import Focal
from skimbal.model_selection._space import SearchSpace

EVERYTHING = {
    "real": (-2.0, 6.0),
    "log": Real(0.01, 100, "log-uniform"),
    "integer": (1, 4),
    "log_integer": Integer(1, 1000, "log-uniform"),
    "names": Categorical(["a", "b", "c"]),
    "dicts": [{0: 1, 1: 5}, {0: 1, 1: 50}, None],
    "lists": [[1, 2], [3]],
    "array": np.logspace(-2, 0, 3),
    "switch": (True, False),
    "words": ("x", "y"),
    "continuous": scipy.stats.loguniform(0.1, 10),
    "unbounded": scipy.stats.norm(1, 2),
    "discrete": scipy.stats.randint(2, 5),
    "counts": scipy.stats.poisson(3),
}


@pytest.fixture
def space():
    return SearchSpace.parse(EVERYTHING)


def test_kinds(space):
    kinds = dict(zip(space.names, space.kinds, strict=True))
    assert kinds["integer"] == ("integer", 4)
    assert kinds["names"] == ("categorical", 3)
    assert kinds["switch"] == ("categorical", 2)
    reals = {"real", "log", "log_integer", "continuous", "unbounded", "discrete", "counts"}
    assert {name for name, kind in kinds.items() if kind == ("real", None)} == reals
    assert space.n_dims == len(EVERYTHING)


@pytest.mark.parametrize(
    ("name", "u", "value"),
    [
        ("real", 0.25, 0.0),
        ("log", 0.25, 0.1),
        ("integer", 0.2499, 1),
        ("integer", 0.25, 2),
        ("integer", 1.0, 4),
        ("names", 0.34, "b"),
        ("dicts", 1.0, None),
        ("lists", 0.0, [1, 2]),
        ("continuous", 0.5, 1.0),
        ("unbounded", 0.5, 1.0),
        ("discrete", 0.0, 2),
        ("discrete", 0.34, 3),
        ("discrete", 1.0, 4),
        ("counts", 0.0, 0),
    ],
)
def test_values_by_hand(space, name, u, value):
    result = space.dimensions[name].value(u)
    assert type(result) is type(value)
    assert result == (pytest.approx(value, abs=1e-12) if isinstance(value, float) else value)


def test_bounds_are_reached_and_kept(space):
    for u in (0.0, 1.0):
        params = space.to_params(np.full(space.n_dims, u))
        assert params["real"] == (6.0 if u else -2.0)
        assert params["log"] == pytest.approx(100.0 if u else 0.01)
        assert 0.01 <= params["log"] <= 100
        assert params["log_integer"] == (1000 if u else 1)
        assert np.isfinite(params["unbounded"])


def test_there_and_back(space):
    rng = np.random.default_rng(0)
    for u in rng.random((200, space.n_dims)):
        params = space.to_params(u)
        back = space.from_params(params)
        is_real = [dimension.n_values is None for dimension in space.dimensions.values()]
        np.testing.assert_allclose(back[is_real], u[is_real], atol=1e-9)
        np.testing.assert_allclose(space.snap(u[None])[0], back, atol=1e-9)
        again = space.to_params(back)
        assert {k: v for k, v in again.items() if not isinstance(v, float)} == {
            k: v for k, v in params.items() if not isinstance(v, float)
        }


def test_equal_parts_are_equally_likely(space):
    rng = np.random.default_rng(0)
    draws = [space.to_params(u) for u in rng.random((4000, space.n_dims))]
    for name, n in (("integer", 4), ("names", 3), ("switch", 2), ("discrete", 3)):
        counts = np.unique([str(draw[name]) for draw in draws], return_counts=True)[1]
        assert len(counts) == n
        assert scipy.stats.chisquare(counts).pvalue > 1e-3
    values = np.array([draw["log_integer"] for draw in draws])
    edges = [np.log(0.5), np.log(9.5), np.log(99.5), np.log(1000.5)]
    expected = np.diff(edges) / np.ptp(edges) * len(values)
    counts = [np.sum(values < 9.5), np.sum((values > 9.5) & (values < 99.5)), np.sum(values > 99.5)]
    assert scipy.stats.chisquare(counts, expected).pvalue > 1e-3


def test_number_of_points():
    assert SearchSpace.parse({"a": (1, 4), "b": ["x", "y"]}).n_points == 8
    assert SearchSpace.parse({"a": (1, 4), "b": (0.0, 1.0)}).n_points == np.inf


def test_what_is_given_is_not_changed_and_a_space_is_pickled(space):
    given = {"C": Real(1, 2), "kernel": ["rbf"]}
    SearchSpace.parse(given)
    assert given == {"C": Real(1, 2), "kernel": ["rbf"]}
    again = pickle.loads(pickle.dumps(space))
    u = np.random.default_rng(0).random(space.n_dims)
    assert str(again.to_params(u)) == str(space.to_params(u))
    assert SearchSpace.parse(space).dimensions == space.dimensions


@pytest.mark.parametrize(
    ("dimension", "message"),
    [
        ((1.0, 1.0), "low must be below high"),
        ((5, 2), "low must be below high"),
        ((0.0, np.inf), "must be finite"),
        ((np.nan, 1.0), "must be finite"),
        ((0.0, 1.0, "log-uniform"), "needs low > 0"),
        ((0, 10, "log-uniform"), "needs low > 0"),
        ((1.0, 2.0, "log-unifrom"), "did you mean 'log-uniform'"),
        ([], "empty list"),
        (3.0, "which is not allowed; give"),
        ("rbf", "which is not allowed; give"),
    ],
)
def test_dimensions_that_are_none(dimension, message):
    with pytest.raises(ValueError, match=message) as error:
        SearchSpace.parse({"C": dimension})
    assert "'C'" in str(error.value)


@pytest.mark.parametrize("spaces", [{}, [], None, "C", {1: (1, 2)}])
def test_spaces_that_are_none(spaces):
    with pytest.raises(ValueError, match="search space"):
        SearchSpace.parse(spaces)


def test_unknown_parameters_name_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'learning_rate'"):
        SearchSpace.parse({"learning_rte": (0.1, 1.0)}, MLPClassifier())
    space = {"loss__gamma": (0.0, 5.0)}
    assert SearchSpace.parse(space, MLPClassifier(loss=Focal())).n_dims == 1
    with pytest.raises(ValueError, match="unknown parameter of MLPClassifier 'loss__gamma'"):
        SearchSpace.parse(space, MLPClassifier())


def test_parameters_of_a_part_that_is_searched_itself():
    pipeline = Pipeline([("model", LinearSVC())])
    space = {"model": Categorical([SVC(), LogisticRegression()]), "model__gamma": (0.1, 1.0)}
    assert SearchSpace.parse(space, pipeline).n_dims == 2
    with pytest.raises(ValueError, match="unknown parameter of Pipeline 'model__gama'"):
        SearchSpace.parse({"model": [SVC()], "model__gama": (0.1, 1.0)}, pipeline)


def test_start_points_widen_bounds():
    space = SearchSpace.parse({"C": (1.0, 10.0, "log-uniform"), "n": (2, 5), "kind": ["a", "b"]})
    wider, names = space.widened({"C": 0.5, "n": 9, "kind": "a"})
    assert names == ["C", "n"]
    assert wider.to_params([0.0, 1.0, 0.0]) == {"C": 0.5, "n": 9, "kind": "a"}
    assert space.dimensions["C"].low == 1.0
    for point in ({"C": 0.0}, {"C": "large"}, {"n": 2.5}, {"kind": "c"}):
        with pytest.raises(ValueError, match="not in its search space"):
            space.widened(point)
    with pytest.raises(ValueError, match="not in its search space"):
        space.from_params({"C": 0.5, "n": 2, "kind": "a"})


@pytest.mark.parametrize(
    "values", [("rbf", "poly"), (None, 5), (True, False), (1, 3, 5), ((1, 1), (1, 2))]
)
def test_tuples_of_texts_and_of_none_are_categories(values):
    assert SearchSpace.parse({"a": values}).dimensions["a"].categories == values


def test_a_range_is_categories():
    assert SearchSpace.parse({"a": range(2, 9, 3)}).dimensions["a"].categories == (2, 5, 8)
