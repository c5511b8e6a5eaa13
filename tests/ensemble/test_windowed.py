"""Recordings classified by their windows: what is fitted, averaged, weighted and refused."""

import pickle
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline as make_imbalanced_pipeline
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score, cross_validate
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVC

from skimbal import CNN1DClassifier, MLPClassifier, TunedCostClassifierCV, WindowedClassifier
from skimbal.ensemble._window_fit import split_stateless, transform_in_chunks
from skimbal.ensemble._window_prediction import mean_by_recording
from skimbal.preprocessing import Spectrogram, WindowIndex, flatten, index_windows

FLATTEN = FunctionTransformer(flatten)
LOGISTIC = make_pipeline(FLATTEN, LogisticRegression())
LEVELS = make_pipeline(Spectrogram(window=8, hop=4), FLATTEN, LogisticRegression())
NETWORK = MLPClassifier(hidden_layer_sizes=(4,), max_epochs=3, random_state=0)


def make_recordings(n=12, n_channels=2, length=(40, 90), seed=0):
    """Recordings of two classes, whose second has a tone; sample t of recording r is findable."""
    rng = np.random.default_rng(seed)
    y = np.array(["quiet", "loud"])[np.arange(n) % 3 // 2]
    recordings = []
    for label in y:
        own = rng.normal(size=(n_channels, rng.integers(*length)))
        recordings.append(own + (label == "loud") * 2 * np.sin(np.arange(own.shape[1])))
    return recordings, y


X, Y = make_recordings()


class Spy(ClassifierMixin, BaseEstimator):
    """Remembers the windows that it is fitted on; its probabilities are its own."""

    seen: list = []

    def __init__(self, posterior_of_first=0.5):
        self.posterior_of_first = posterior_of_first

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.unique(y)
        self.X_, self.y_, self.sample_weight_ = X, y, sample_weight
        type(self).seen.append(("fit", X))
        return self

    def predict_proba(self, X):
        assert X.ndim == 3
        type(self).seen.append(("predict", X))
        first = (
            np.clip(X[:, 0, 0], 0, 1)
            if self.posterior_of_first is None
            else np.full(len(X), self.posterior_of_first)
        )
        return np.column_stack([first, 1 - first])


class SpyNetwork(MLPClassifier):
    """Remembers what its `fit` is given."""

    def _fit_coroutine(self, X, y, sample_weight=None, groups=None, **own_validation):
        self.given_, self.groups_ = X, groups
        fitted = yield from super()._fit_coroutine(np.asarray(X), y, sample_weight, groups)
        return fitted


@pytest.fixture(autouse=True)
def forget():
    Spy.seen = []


def naive_windows(recordings, size, steps):
    return [
        (r, x[:, start : start + size])
        for r, (x, step) in enumerate(zip(recordings, steps, strict=True))
        for start in range(0, x.shape[1] - size + 1, step)
    ]


def test_fits_on_the_windows_of_all_recordings():
    weight = np.arange(1.0, 13.0)
    fitted = WindowedClassifier(Spy(), size=20, step=7).fit(X, Y, sample_weight=weight)
    windows = naive_windows(X, 20, [7] * 12)
    np.testing.assert_array_equal(fitted.estimator_.X_, [window for _, window in windows])
    np.testing.assert_array_equal(fitted.estimator_.y_, [Y[r] for r, _ in windows])
    np.testing.assert_array_equal(fitted.estimator_.sample_weight_, [weight[r] for r, _ in windows])
    assert fitted.classes_.tolist() == ["loud", "quiet"]
    assert fitted.n_windows_.sum() == len(windows)
    assert fitted.n_channels_in_ == 2
    assert (fitted.size_, fitted.step_) == (20, 7)


def test_steps_of_classes_are_only_for_training():
    classifier = WindowedClassifier(Spy(), size=20, step=10, steps_per_class={"loud": 3})
    fitted = classifier.fit(X, Y)
    windows = naive_windows(X, 20, np.where(Y == "loud", 3, 10))
    np.testing.assert_array_equal(fitted.estimator_.X_, [window for _, window in windows])
    assert [len(proba) for proba in fitted.predict_proba_windows(X)] == [
        (x.shape[1] - 20) // 10 + 1 for x in X
    ]


def test_probability_of_a_recording_is_the_mean_of_its_windows():
    recordings, y = [np.clip(x, 0, 1) for x in X], Y
    fitted = WindowedClassifier(Spy(None), size=15, step=4).fit(recordings, y)
    by_window = fitted.predict_proba_windows(recordings)
    for x, proba, mean in zip(recordings, by_window, fitted.predict_proba(recordings), strict=True):
        first = x[0, : x.shape[1] - 14 : 4]
        np.testing.assert_allclose(proba, np.column_stack([first, 1 - first]))
        np.testing.assert_allclose(mean, [first.mean(), 1 - first.mean()])
    labels = fitted.predict_windows(recordings)
    assert [len(own) for own in labels] == [len(proba) for proba in by_window]
    np.testing.assert_array_equal(
        np.concatenate(labels), fitted.classes_[np.concatenate(by_window).argmax(axis=1)]
    )


def test_mean_by_recording_by_hand():
    proba = np.array([[0.0, 1.0], [0.5, 0.5], [0.2, 0.8]])
    means = mean_by_recording(proba, np.array([0, 0, 1]))
    np.testing.assert_allclose(means, [[0.25, 0.75], [0.2, 0.8]])


@pytest.mark.parametrize(
    "estimator", [LOGISTIC, LEVELS, NETWORK], ids=["rows", "levels", "network"]
)
@pytest.mark.parametrize("memory_limit", [1, 4000])
def test_chunks_change_nothing(estimator, memory_limit):
    whole = WindowedClassifier(estimator, size=20, step=7).fit(X, Y)
    chunked = WindowedClassifier(estimator, size=20, step=7, memory_limit=memory_limit).fit(X, Y)
    np.testing.assert_allclose(chunked.predict_proba(X), whole.predict_proba(X), rtol=0, atol=1e-12)


def test_a_pipeline_is_fitted_as_if_in_one_go():
    pipeline = make_pipeline(
        Spectrogram(window=8, hop=4), FLATTEN, StandardScaler(), LogisticRegression()
    )
    fitted = WindowedClassifier(pipeline, size=20, step=7, memory_limit=4000).fit(X, Y)
    windows = naive_windows(X, 20, [7] * 12)
    arrays = np.array([window for _, window in windows])
    separate = clone(pipeline).fit(arrays, [Y[r] for r, _ in windows])
    np.testing.assert_allclose(
        fitted.estimator_.predict_proba(arrays), separate.predict_proba(arrays)
    )
    assert list(fitted.estimator_.named_steps) == list(pipeline.named_steps)
    assert not hasattr(pipeline[-1], "coef_")


def test_what_is_stateless():
    assert split_stateless(LEVELS) == 2
    assert split_stateless(make_pipeline("passthrough", FLATTEN, StandardScaler(), LOGISTIC)) == 2
    assert split_stateless(make_pipeline(StandardScaler(), FLATTEN, LOGISTIC)) == 0
    assert split_stateless(make_imbalanced_pipeline(RandomOverSampler(), FLATTEN, LOGISTIC)) == 0
    assert split_stateless(make_pipeline(LOGISTIC)) == 0


def test_samplers_stand_inside():
    pipeline = make_imbalanced_pipeline(
        Spectrogram(window=8, hop=4),
        FLATTEN,
        RandomOverSampler(random_state=0),
        KNeighborsClassifier(),
    )
    fitted = WindowedClassifier(pipeline, size=20, step=20).fit(X, Y)
    counts = np.bincount(fitted.estimator_[-1]._y)
    assert counts[0] == counts[1] == fitted.n_windows_.max()


def test_networks_are_given_the_index_itself():
    fitted = WindowedClassifier(
        SpyNetwork(hidden_layer_sizes=(3,), max_epochs=1, random_state=0), size=20, step=7
    ).fit(X, Y)
    assert isinstance(fitted.estimator_.given_, WindowIndex)
    assert np.shares_memory(fitted.estimator_.given_.recordings[3], X[3])
    np.testing.assert_array_equal(fitted.estimator_.groups_, fitted.estimator_.given_.recording)


def test_network_is_the_one_that_windows_train():
    fitted = WindowedClassifier(NETWORK, size=20, step=7).fit(X, Y)
    windows = index_windows(X, 20, 7)
    separate = clone(NETWORK).fit(np.asarray(windows), Y[windows.recording])
    np.testing.assert_allclose(  # moments of the inputs are sums in another order
        np.concatenate(fitted.predict_proba_windows(X)),
        separate.predict_proba(np.asarray(windows)),
        rtol=0,
        atol=1e-6,
    )


def test_weights_of_recordings_reach_the_last_step():
    weight = np.where(Y == "loud", 0.01, 1.0)
    equal = WindowedClassifier(LEVELS, size=20).fit(X, Y)
    weighted = WindowedClassifier(LEVELS, size=20).fit(X, Y, sample_weight=weight)
    windows = index_windows(X, 20, 20)
    separate = clone(LEVELS).fit(
        np.asarray(windows),
        Y[windows.recording],
        logisticregression__sample_weight=weight[windows.recording],
    )
    np.testing.assert_allclose(
        weighted.estimator_[-1].coef_, separate[-1].coef_, rtol=1e-4, atol=1e-7
    )
    assert weighted.predict_proba(X)[:, 0].mean() < equal.predict_proba(X)[:, 0].mean()


def test_weights_are_routed():
    weight = np.where(Y == "loud", 0.01, 1.0)
    steps = [FLATTEN, PCA(3, random_state=0)]
    plain = WindowedClassifier(make_pipeline(*steps, LogisticRegression()), size=20)
    expected = plain.fit(X, Y, sample_weight=weight).predict_proba(X)
    with config_context(enable_metadata_routing=True):
        last = LogisticRegression().set_fit_request(sample_weight=True)
        routed = WindowedClassifier(make_pipeline(*steps, last), size=20)
        proba = routed.fit(X, Y, sample_weight=weight).predict_proba(X)
    np.testing.assert_allclose(proba, expected)


def test_weights_that_nothing_takes_are_warned_of():
    classifier = WindowedClassifier(make_pipeline(FLATTEN, KNeighborsClassifier()), size=20)
    with pytest.warns(UserWarning, match="KNeighborsClassifier takes no sample_weight"):
        classifier.fit(X, Y, sample_weight=np.ones(len(Y)))


@pytest.mark.parametrize("groups", [None, np.arange(12) // 2])
def test_no_window_is_on_both_sides_of_a_split(groups):
    """Each recording has values of its own, so a window tells where it is from."""
    recordings = [np.full((1, 30 + r), float(r)) for r in range(12)]
    cv = 3 if groups is None else GroupKFold(3)
    cross_val_score(WindowedClassifier(Spy(), size=10, step=3), recordings, Y, cv=cv, groups=groups)
    assert [what for what, _ in Spy.seen] == ["fit", "predict"] * 3
    for (_, train), (_, test) in zip(Spy.seen[::2], Spy.seen[1::2], strict=True):
        sides = [set(np.unique(windows)) for windows in (train, test)]
        assert not sides[0] & sides[1]
        assert sides[0] | sides[1] == set(range(12))
        if groups is not None:
            grouped = [{groups[int(r)] for r in side} for side in sides]
            assert not grouped[0] & grouped[1]


def as_object_array(recordings):
    array = np.empty(len(recordings), dtype=object)
    array[:] = recordings
    return array


@pytest.mark.parametrize(
    "wrap",
    [
        list,
        tuple,
        as_object_array,
        lambda x: pd.Series(x),
        lambda x: [own[0].tolist() for own in x],
    ],
    ids=["list", "tuple", "object array", "Series", "lists of numbers"],
)
def test_recordings_in_any_wrapping(wrap):
    recordings, y = make_recordings(n_channels=1)
    expected = cross_val_score(WindowedClassifier(LEVELS, size=20, step=5), recordings, y, cv=3)
    assert expected.mean() > 0.7
    scores = cross_val_score(WindowedClassifier(LEVELS, size=20, step=5), wrap(recordings), y, cv=3)
    np.testing.assert_array_equal(scores, expected)


def test_array_list_and_rows_are_the_same_recordings():
    recordings, y = make_recordings(n_channels=1, length=(50, 51))
    array = np.array(recordings)
    results = [
        WindowedClassifier(LEVELS, size=20, step=5).fit(data, y).predict_proba(data)
        for data in (recordings, array, array[:, 0], array[:, 0].tolist(), list(array[:, 0]))
    ]
    for result in results[1:]:
        np.testing.assert_allclose(result, results[0], rtol=0, atol=1e-12)


def test_whole_recordings_are_windows_too():
    recordings, y = make_recordings(length=(50, 51))
    fitted = WindowedClassifier(LOGISTIC).fit(recordings, y)
    assert fitted.size_ == fitted.step_ == 50
    assert fitted.n_windows_.sum() == len(y)
    with pytest.raises(ValueError, match="size=None takes whole recordings"):
        WindowedClassifier(LOGISTIC).fit(X, Y)


def test_search_over_windows_and_estimator():
    grid = {"size": [10, 20], "step": [5, 10], "estimator__logisticregression__C": [0.1, 1.0]}
    search = GridSearchCV(WindowedClassifier(LEVELS), grid, cv=3).fit(X, Y)
    assert len(search.cv_results_["params"]) == 8
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_estimator_.size_ == search.best_params_["size"]
    assert search.predict(X).shape == (12,)


def test_scorers_of_probabilities():
    scores = cross_validate(
        WindowedClassifier(LEVELS, size=20, step=5), X, Y, cv=3, scoring=["roc_auc"]
    )
    assert scores["test_roc_auc"].mean() > 0.7


def test_costs_of_a_network_decide():
    costs = np.array([[0.0, 1.0], [1e6, 0.0]])
    network = clone(NETWORK).set_params(cost_matrix=costs)
    fitted = WindowedClassifier(make_pipeline(Spectrogram(window=8), network), size=20).fit(X, Y)
    assert set(fitted.predict(X)) == {"quiet"}
    assert fitted.predict_proba(X).argmax(axis=1).sum() < 12
    assert {label for own in fitted.predict_windows(X) for label in own} == {"quiet"}


def test_costs_are_tuned_on_recordings():
    recordings, y = make_recordings(n=18, length=(50, 51))
    tuned = TunedCostClassifierCV(WindowedClassifier(LEVELS, size=20), cv=2, random_state=0)
    assert tuned.fit(np.array(recordings), y).costs_.shape == (2,)


@pytest.mark.parametrize(
    ("params", "recordings", "y", "message"),
    [
        ({"size": 60}, X, Y, r"recording \d+: a recording of \d+ samples is shorter"),
        ({"size": 20}, [*X[:5], X[5][:1], *X[6:]], Y, "recording 5 has 1 channels"),
        ({"size": 20}, [*X[:5], np.full((2, 30), np.nan), *X[6:]], Y, "recording 5: .*NaN"),
        ({"size": 20}, [*X[:5], np.full((2, 30), "a"), *X[6:]], Y, "recording 5 is"),
        ({"size": 20}, [*X[:5], np.zeros((1, 2, 30)), *X[6:]], Y, "recording 5 is"),
        ({"size": 20}, np.zeros((12, 2, 30, 1)), Y, "recordings are"),
        ({"size": 20, "step": 0}, X, Y, "'step' parameter"),
        ({"size": 0}, X, Y, "'size' parameter"),
        ({"size": 20, "steps_per_class": pd.Series({"load": 3})}, X, Y, r"\['load'\], but the"),
        ({"size": 20, "steps_per_class": {"loud": 0}}, X, Y, r"steps_per_class\['loud'\]"),
        ({"size": 20}, X, Y[:-1], "inconsistent numbers of samples"),
        ({"size": 20}, X, ["one"] * 12, "y has 1 class"),
        ({"size": 20}, [], [], "0 sample"),
        ({"size": 20, "on_short": "drop"}, X, Y, "on_short"),
        ({"size": 20, "estimator": LinearSVC()}, X, Y, "'estimator' parameter"),
        ({"size": 20, "estimator": RandomForestClassifier()}, X, Y, "step in front"),
        (
            {"size": 20, "estimator": make_pipeline(Spectrogram(8), StandardScaler(), LOGISTIC)},
            X,
            Y,
            r"\(\d+, 2, 5, 7\); put a step in front",
        ),
    ],
)
def test_bad_input(params, recordings, y, message):
    classifier = WindowedClassifier(LOGISTIC).set_params(**params)
    with pytest.raises(ValueError, match=message):
        classifier.fit(recordings, y)


def test_other_channels_or_short_recordings_in_prediction():
    fitted = WindowedClassifier(LOGISTIC, size=20).fit(X, Y)
    with pytest.raises(ValueError, match="have 1 channels, but WindowedClassifier was fitted"):
        fitted.predict([x[:1] for x in X])
    with pytest.raises(ValueError, match="recording 1: a recording of 19"):
        fitted.predict([X[0], X[1][:, :19]])


def short_ones():
    """The recordings of the test with two short ones, and the numbers of these."""
    recordings = [x.copy() for x in X]
    recordings[1], recordings[4] = recordings[1][:, :7], recordings[4][:, :19]
    return recordings, [1, 4]


@pytest.mark.parametrize("fit_short", [False, True])
def test_short_recordings_are_padded_with_zeros(fit_short):
    recordings, short = short_ones()
    padded = list(recordings)
    for number in short:
        missing = 20 - recordings[number].shape[1]
        padded[number] = np.pad(recordings[number], ((0, 0), (0, missing)))
    classifier = WindowedClassifier(LOGISTIC, size=20, on_short="pad")
    classifier.fit(recordings if fit_short else X, Y)
    expected = WindowedClassifier(LOGISTIC, size=20).fit(padded if fit_short else X, Y)
    proba = classifier.predict_proba(recordings)
    np.testing.assert_array_equal(proba, expected.predict_proba(padded))
    np.testing.assert_array_equal(classifier.n_windows_, expected.n_windows_)
    assert len(classifier.predict([recordings[1]])) == 1


def test_short_recordings_are_skipped():
    recordings, short = short_ones()
    kept = np.setdiff1d(np.arange(len(X)), short)
    classifier = WindowedClassifier(LOGISTIC, size=20, on_short="skip").fit(recordings, Y)
    expected = WindowedClassifier(LOGISTIC, size=20).fit([X[i] for i in kept], Y[kept])
    np.testing.assert_array_equal(classifier.n_windows_, expected.n_windows_)
    with pytest.warns(UserWarning, match=r"the recordings \[1, 4\] are shorter than the window"):
        proba = classifier.predict_proba(recordings)
    np.testing.assert_array_equal(proba[kept], expected.predict_proba([X[i] for i in kept]))
    shares = np.unique(Y, return_counts=True)[1] / len(Y)
    np.testing.assert_allclose(proba[short], [shares] * 2)
    with pytest.warns(UserWarning, match="are shorter"):
        by_window = classifier.predict_proba_windows(recordings)
    assert [len(by_window[number]) for number in short] == [0, 0]
    assert len(by_window) == len(X)
    with pytest.warns(UserWarning, match="are shorter"):
        assert [len(labels) for labels in classifier.predict_windows([recordings[1]])] == [0]
    with pytest.warns(UserWarning, match="are shorter"):
        labels = classifier.predict([recordings[1]])
    assert labels.tolist() == [classifier.classes_[shares.argmax()]]


def test_weights_and_skipped_recordings():
    recordings, short = short_ones()
    weight = np.arange(1.0, len(X) + 1)
    kept = np.setdiff1d(np.arange(len(X)), short)
    classifier = WindowedClassifier(LOGISTIC, size=20, on_short="skip")
    classifier.fit(recordings, Y, sample_weight=weight)
    expected = WindowedClassifier(LOGISTIC, size=20)
    expected.fit([X[i] for i in kept], Y[kept], sample_weight=weight[kept])
    long = [X[i] for i in kept]
    np.testing.assert_array_equal(classifier.predict_proba(long), expected.predict_proba(long))
    assert classifier.class_prior_.sum() == pytest.approx(1)


def test_a_class_of_short_recordings_alone():
    recordings = [x[:, :10] if label == "loud" else x for x, label in zip(X, Y, strict=True)]
    classifier = WindowedClassifier(LOGISTIC, size=20, on_short="skip")
    with pytest.raises(ValueError, match=r"recordings of the classes \['loud'\] are shorter"):
        classifier.fit(recordings, Y)
    classifier.set_params(on_short="pad").fit(recordings, Y)


def test_networks_on_padded_recordings():
    recordings, _ = short_ones()
    network = CNN1DClassifier(n_filters=(2,), max_epochs=1, random_state=0)
    classifier = WindowedClassifier(network, size=20, on_short="pad").fit(recordings, Y)
    assert np.isfinite(classifier.predict_proba(recordings)).all()


def test_a_failed_fit_leaves_the_old_one():
    fitted = WindowedClassifier(LOGISTIC, size=20).fit(X, Y)
    before = fitted.predict_proba(X)
    with pytest.raises(ValueError, match="shorter"):
        fitted.set_params(size=500).fit(X, Y)
    np.testing.assert_array_equal(fitted.predict_proba(X), before)


def test_input_attributes_are_those_of_the_last_fit():
    recordings, y = make_recordings(n_channels=1, length=(50, 51))
    table = np.array(recordings)[:, 0]
    classifier = WindowedClassifier(LOGISTIC, size=20).fit(table, y)
    assert classifier.n_features_in_ == 50
    assert not hasattr(classifier.fit(recordings, y), "n_features_in_")
    classifier.fit(table, y).fit(table[:, None], y)
    assert not hasattr(classifier, "n_features_in_")


def test_pickle_and_clone():
    fitted = WindowedClassifier(LEVELS, size=20, step=5, steps_per_class={"loud": 2}).fit(X, Y)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))
    assert clone(fitted).steps_per_class == {"loud": 2}


def test_windows_of_long_recordings_are_never_an_array():
    """Stateless steps get chunks in training, everything does in prediction."""
    signal = np.random.default_rng(0).normal(size=(4, 1, 300_000)).astype(np.float32)  # 4.8 MB
    y = np.array([0, 1, 0, 1])
    means = FunctionTransformer(_mean_of_windows)
    classifier = WindowedClassifier(
        make_pipeline(means, LogisticRegression()), size=4800, step=200, memory_limit=2**20
    )
    tracemalloc.start()
    try:
        classifier.fit(signal, y).predict_proba(signal)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    all_windows = classifier.n_windows_.sum() * 4800 * 4
    assert all_windows > 20 * signal.nbytes
    assert peak < signal.nbytes


def _mean_of_windows(windows):
    return windows.mean(axis=2)


def test_transform_in_chunks_is_the_transform():
    windows = index_windows(X, 20, 7)
    spectrogram = Spectrogram(window=8)
    np.testing.assert_array_equal(
        transform_in_chunks(spectrogram, windows, 4), spectrogram.transform(np.asarray(windows))
    )


# ---------------------------------------------------------------- decision function, features


def test_decision_function_is_the_log_odds_of_the_mean():
    fitted = WindowedClassifier(LEVELS, size=20, step=5).fit(X, Y)
    proba = fitted.predict_proba(X)
    np.testing.assert_allclose(fitted.decision_function(X), np.log(proba[:, 1] / proba[:, 0]))
    scores = cross_validate(fitted, X, Y, cv=3, scoring="roc_auc")["test_score"]
    assert scores.mean() > 0.7


def test_decision_function_of_three_classes_is_the_logarithm():
    y = np.arange(12) % 3
    fitted = WindowedClassifier(LOGISTIC, size=20).fit(X, y)
    np.testing.assert_allclose(fitted.decision_function(X), np.log(fitted.predict_proba(X)))


def test_decision_function_of_certainty_is_finite():
    fitted = WindowedClassifier(Spy(0.0), size=20).fit(X, Y)
    np.testing.assert_allclose(fitted.decision_function(X), -np.log(np.finfo(float).tiny))


@pytest.mark.parametrize("network", [NETWORK, make_pipeline(Spectrogram(window=8), NETWORK)])
def test_features_are_the_mean_of_the_activations_of_the_windows(network):
    fitted = WindowedClassifier(network, size=20, step=7, memory_limit=4000).fit(X, Y)
    expected = [
        fitted.estimator_.transform(np.asarray(index_windows([x], 20, 7))).mean(axis=0) for x in X
    ]
    np.testing.assert_allclose(fitted.transform(X), expected, rtol=0, atol=1e-12)
    again = clone(fitted).fit_transform(X, Y)
    np.testing.assert_allclose(again, expected, rtol=0, atol=1e-12)
    chain = make_pipeline(clone(fitted), StandardScaler(), LogisticRegression())
    assert chain.fit(X, Y).predict(X).shape == (12,)


def test_features_need_a_transform_and_windows():
    assert not hasattr(WindowedClassifier(LOGISTIC), "transform")
    assert not hasattr(WindowedClassifier(LOGISTIC).fit(np.zeros((2, 1, 5)), [0, 1]), "transform")
    recordings, _ = short_ones()
    fitted = WindowedClassifier(NETWORK, size=20, on_short="skip").fit(recordings, Y)
    with pytest.raises(ValueError, match=r"the recordings \[1, 4\] are shorter .* no features"):
        fitted.transform(recordings)


# ---------------------------------------------------------------- partial_fit

SGD = SGDClassifier(loss="log_loss", random_state=0)
STATELESS = make_pipeline(Spectrogram(window=8, hop=4), FLATTEN, SGD)


def partly_fitted(estimator, **params):
    """Fitted in two parts, of which the second lacks a class."""
    classifier = WindowedClassifier(estimator, size=20, step=7, **params)
    loud = Y == "loud"
    first, second = np.flatnonzero(~loud | (np.arange(12) < 6)), np.flatnonzero(loud)[2:]
    for rows in (first, second):
        classifier.partial_fit([X[i] for i in rows], Y[rows], classes=["quiet", "loud"])
    return classifier, (first, second)


@pytest.mark.parametrize("memory_limit", [1000, 2**24])
def test_partial_fit_trains_the_last_step(memory_limit):
    classifier, parts = partly_fitted(STATELESS, memory_limit=memory_limit)
    expected = clone(SGD)
    for rows in parts:
        windows = index_windows([X[i] for i in rows], 20, 7)
        images = Spectrogram(window=8, hop=4).fit_transform(np.asarray(windows))
        expected.partial_fit(flatten(images), Y[rows][windows.recording], ["loud", "quiet"])
    np.testing.assert_allclose(classifier.estimator_[-1].coef_, expected.coef_)
    whole = WindowedClassifier(STATELESS, size=20, step=7).fit(X, Y)
    np.testing.assert_array_equal(classifier.n_windows_, whole.n_windows_)
    np.testing.assert_allclose(classifier.class_prior_, whole.class_prior_)
    assert classifier.peaks_by_type_ == whole.peaks_by_type_
    assert classifier.predict(X).shape == (12,)
    assert len(classifier.stream().feed(X[0])) == len(classifier.predict_proba_windows(X[:1])[0])


def test_partial_fit_of_a_network_gets_the_index():
    classifier, parts = partly_fitted(NETWORK)
    expected = clone(NETWORK)
    for rows in parts:
        windows = index_windows([X[i] for i in rows], 20, 7)
        expected.partial_fit(windows, Y[rows][windows.recording], ["loud", "quiet"])
    np.testing.assert_array_equal(
        np.concatenate(classifier.predict_proba_windows(X)),
        expected.predict_proba(np.asarray(index_windows(X, 20, 7))),
    )


def test_partial_fit_continues_a_fit_with_what_it_has_learned():
    pipeline = make_pipeline(FLATTEN, StandardScaler(), clone(SGD))
    classifier = WindowedClassifier(pipeline, size=20).fit(X, Y)
    mean, coef = classifier.estimator_[1].mean_.copy(), classifier.estimator_[-1].coef_.copy()
    classifier.partial_fit([x + 1 for x in X], Y)
    np.testing.assert_array_equal(classifier.estimator_[1].mean_, mean)
    assert not np.allclose(classifier.estimator_[-1].coef_, coef)


def test_weights_and_parameters_reach_partial_fit():
    weight = np.where(Y == "loud", 0.0, 1.0)
    weight[2] = 3.0
    classifier = WindowedClassifier(make_pipeline(FLATTEN, SGD), size=20)
    classifier.partial_fit(X, Y, classes=np.unique(Y), sample_weight=weight)
    used = np.flatnonzero(weight)
    windows = index_windows([X[i] for i in used], 20, 20)
    expected = clone(SGD).partial_fit(
        flatten(np.asarray(windows)),
        Y[used][windows.recording],
        np.unique(Y),
        sample_weight=weight[used][windows.recording],
    )
    np.testing.assert_allclose(classifier.estimator_[-1].coef_, expected.coef_)
    np.testing.assert_allclose(classifier.class_prior_, [3 / 11, 8 / 11])
    balanced = clone(NETWORK).set_params(class_weight="balanced")
    counted = WindowedClassifier(balanced, size=20)
    counted.partial_fit(X, Y, classes=np.unique(Y), class_counts={"loud": 100, "quiet": 300})
    np.testing.assert_allclose(counted.estimator_.class_weight_, [2, 2 / 3])


def test_costs_follow_a_stream_of_recordings():
    classifier = WindowedClassifier(NETWORK, size=20)
    tuned = TunedCostClassifierCV(classifier, window=30, search_every=10, random_state=0)
    for _ in range(3):
        tuned.partial_fit(X, Y, classes=np.unique(Y))
    assert tuned.window_counts_.sum() == 24
    assert tuned.predict(X).shape == (12,)


@pytest.mark.parametrize(
    ("estimator", "params", "call", "message"),
    [
        (SGD, {}, {"classes": None}, "classes must be passed on the first call"),
        (SGD, {}, {"classes": ["quiet", "lout"]}, r"labels \['loud'\], which are not in"),
        (SGD, {}, {"classes": ["loud"]}, "1 class"),
        (SGD, {"on_short": "skip", "size": 500}, {}, "no recording has a window"),
        (SGD, {"size": 500}, {}, "shorter than the window"),
        (SGD, {}, {"sample_weight": np.zeros(12)}, "at least one non-zero"),
        (
            make_pipeline(FLATTEN, PCA(2), SGD),
            {},
            {},
            "the step 'pca' learns from all data",
        ),
        (
            make_imbalanced_pipeline(FLATTEN, RandomOverSampler(), SGD),
            {},
            {},
            "the step 'randomoversampler' draws samples anew",
        ),
        (clone(NETWORK).set_params(early_stopping=True), {}, {}, "no epochs to stop early"),
    ],
)
def test_bad_input_of_partial_fit(estimator, params, call, message):
    if estimator is SGD:
        estimator = make_pipeline(FLATTEN, SGD)
    classifier = WindowedClassifier(estimator, size=20).set_params(**params)
    before = dict(vars(classifier))
    with pytest.raises(ValueError, match=message):
        classifier.partial_fit(X, Y, **{"classes": ["loud", "quiet"], **call})
    assert vars(classifier) == before


def test_partial_fit_needs_a_last_step_that_has_it():
    assert not hasattr(WindowedClassifier(LOGISTIC), "partial_fit")
    classifier, _ = partly_fitted(STATELESS)
    before = classifier.predict_proba(X)
    with pytest.raises(ValueError, match="have 1 channels"):
        classifier.partial_fit([x[:1] for x in X], Y)
    with pytest.raises(ValueError, match="not the same as on last call"):
        classifier.partial_fit(X, Y, classes=["a", "b"])
    np.testing.assert_array_equal(classifier.predict_proba(X), before)
