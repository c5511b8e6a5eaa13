import pickle
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from imblearn.base import is_sampler
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import make_pipeline
from imblearn.under_sampling import NearMiss, RandomUnderSampler, TomekLinks
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.preprocessing import FunctionTransformer

from skimbal.preprocessing import flatten
from skimbal.sampling import NDSampler

from .checks import parametrize_with_checks

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 2, 3, 5))
Y = np.repeat(["usual", "rare"], [48, 12])
X[48:] += 1.0
SAMPLERS = [
    SMOTE(random_state=0),
    RandomOverSampler(random_state=0),
    RandomOverSampler(shrinkage=0.1, random_state=0),
    RandomUnderSampler(random_state=0),
    NearMiss(),
    TomekLinks(),
]


@pytest.mark.filterwarnings("ignore:.*pandas sparse")
@pytest.mark.filterwarnings("ignore::FutureWarning")
@parametrize_with_checks(
    [NDSampler(SMOTE(random_state=0)), NDSampler(RandomUnderSampler(random_state=0))]
)
def test_common_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("sampler", SAMPLERS, ids=repr)
def test_samples_are_those_of_the_rows(sampler):
    X_new, y_new = NDSampler(sampler).fit_resample(X, Y)
    rows, expected = sampler.fit_resample(X.reshape(60, -1), Y)
    np.testing.assert_array_equal(X_new, rows.reshape(-1, 2, 3, 5))
    np.testing.assert_array_equal(y_new, expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.uint8])
@pytest.mark.parametrize("sampler", [SAMPLERS[0], SAMPLERS[1], SAMPLERS[3]], ids=repr)
def test_type_stays(sampler, dtype):
    data = (20 * X + 100).astype(dtype)
    X_new, _ = NDSampler(sampler).fit_resample(data, Y)
    assert X_new.dtype == dtype


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32])
@pytest.mark.parametrize("sampler", SAMPLERS, ids=repr)
def test_whole_numbers_are_resampled_as_numbers(sampler, dtype):
    """Differences of narrow integers overflow: a mean of 10 and 250 was far from both."""
    limits = np.iinfo(dtype)
    full = np.random.default_rng(1).uniform(limits.min, limits.max, X.shape).astype(dtype)
    X_new, y_new = NDSampler(sampler).fit_resample(full, Y)
    expected, y_expected = NDSampler(sampler).fit_resample(full.astype(np.float64), Y)
    assert X_new.dtype == dtype
    np.testing.assert_array_equal(y_new, y_expected)
    nearest = np.clip(np.rint(expected), limits.min, limits.max)
    # Single precision may round a value near a half the other way.
    assert np.abs(X_new.astype(np.float64) - nearest).max() <= 1.0


@pytest.mark.parametrize("sampler", [SAMPLERS[1], SAMPLERS[3]], ids=repr)
@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint16, bool])
def test_chosen_rows_are_exact(sampler, dtype):
    largest = 1 if dtype is bool else np.iinfo(dtype).max
    data = np.random.default_rng(1).integers(0, largest, X.shape, endpoint=True).astype(dtype)
    fitted = NDSampler(sampler)
    X_new, _ = fitted.fit_resample(data, Y)
    np.testing.assert_array_equal(X_new, data[fitted.sample_indices_])


def test_new_samples_of_truth_values():
    X_new, _ = NDSampler(SMOTE(random_state=0)).fit_resample(X > 0, Y)
    assert X_new.dtype == bool


@pytest.mark.parametrize("sampler", [SAMPLERS[1], *SAMPLERS[3:]], ids=repr)
def test_chosen_rows_are_named(sampler):
    fitted = NDSampler(sampler)
    X_new, y_new = fitted.fit_resample(X, Y)
    np.testing.assert_array_equal(X_new, X[fitted.sample_indices_])
    np.testing.assert_array_equal(y_new, Y[fitted.sample_indices_])


def test_chosen_rows_are_copied_once():
    data = np.zeros((400, 4, 2500), dtype=np.float32)  # 16 MB
    y = np.repeat([0, 1], [300, 100])
    tracemalloc.start()
    try:
        X_new, _ = NDSampler(RandomUnderSampler(random_state=0)).fit_resample(data, y)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert X_new.shape == (200, 4, 2500)
    assert peak < 1.2 * X_new.nbytes


def test_samples_that_are_not_contiguous():
    strided = X[:, :, ::-1, ::2]
    X_new, _ = NDSampler(SMOTE(random_state=0)).fit_resample(strided, Y)
    np.testing.assert_array_equal(X_new[:60], strided)


def test_nested_lists_and_tables():
    sampler = NDSampler(SMOTE(random_state=0))
    X_new, y_new = sampler.fit_resample(X[:, 0].tolist(), Y.tolist())
    assert X_new.shape == (96, 3, 5)
    assert len(y_new) == 96
    assert not hasattr(sampler, "n_features_in_")
    table = pd.DataFrame(X[:, 0, 0], columns=list("abcde"))
    table_new, series_new = sampler.fit_resample(table, pd.Series(Y))
    assert isinstance(table_new, pd.DataFrame)
    assert isinstance(series_new, pd.Series)
    assert sampler.get_feature_names_out().tolist() == list("abcde")


def test_stands_in_a_pipeline():
    sampler = NDSampler(SMOTE(random_state=0))
    assert is_sampler(sampler)
    pipeline = make_pipeline(sampler, FunctionTransformer(flatten), LogisticRegression())
    assert cross_val_score(pipeline, X, Y, cv=3, scoring="balanced_accuracy").mean() > 0.9
    pipeline.set_params(ndsampler__sampler__k_neighbors=2).fit(X, Y)
    assert pipeline[0].sampler_.k_neighbors == 2


def test_pickle_repr_and_fit():
    sampler = NDSampler(SMOTE(random_state=0)).fit(X, Y)
    assert sampler.sampling_strategy_ == {"rare": 36}
    again = pickle.loads(pickle.dumps(sampler))
    np.testing.assert_array_equal(again.fit_resample(X, Y)[0], sampler.fit_resample(X, Y)[0])
    assert repr(sampler) == "NDSampler(sampler=SMOTE(random_state=0))"


@pytest.mark.parametrize(
    ("sampler", "data", "message"),
    [
        (LogisticRegression(), X, "'sampler' parameter"),
        (SMOTE(), np.where(X > 2, np.nan, X), "NaN"),
        (SMOTE(), X[:-1], "inconsistent numbers of samples"),
    ],
)
def test_bad_input(sampler, data, message):
    with pytest.raises(ValueError, match=message):
        NDSampler(sampler).fit_resample(data, Y)
