"""Columns of dates, lists, complex numbers and the like: an error names them, wherever they go."""

import datetime
import re

import numpy as np
import pandas as pd
import pytest
import torch
from imblearn.over_sampling import SMOTE, RandomOverSampler
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skimbal import (
    AdaBoostNetClassifier,
    BalancedBaggingNetClassifier,
    CNN1DClassifier,
    DBNClassifier,
    DESearchCV,
    ECSDBNClassifier,
    FixedCostClassifier,
    MLPClassifier,
    NetClassifier,
    TunedCostClassifierCV,
)
from skimbal.ensemble import WeightedELMClassifier
from skimbal.preprocessing import Spectrogram, TableEncoder, index_windows
from skimbal.sampling import ClusterOverSampler, ConditionalVAESampler, NDSampler

N = 24
Y = (np.arange(N) % 3 == 0).astype(int)
NET = MLPClassifier(hidden_layer_sizes=(2,), max_epochs=1)
SCALED = make_pipeline(StandardScaler(), LogisticRegression())
TAKE_NUMBERS = {
    "network": NET,
    "belief network": DBNClassifier(hidden_layer_sizes=(2,), pretrain_epochs=1, max_epochs=1),
    "convolution": CNN1DClassifier(n_filters=(2,), max_epochs=1),
    "bagging": BalancedBaggingNetClassifier(NET, n_estimators=2),
    "bagging as given": BalancedBaggingNetClassifier(
        LogisticRegression(), encoding=None, n_estimators=2
    ),
    "boosting": AdaBoostNetClassifier(NET, n_estimators=1),
    "extreme learning": WeightedELMClassifier(),
    "fixed costs": FixedCostClassifier(LogisticRegression()),
    "fixed costs of a pipeline": FixedCostClassifier(SCALED),
    "tuned costs": TunedCostClassifierCV(LogisticRegression(), cv=2),
    "tuned costs of a network": TunedCostClassifierCV(make_pipeline(StandardScaler(), NET), cv=2),
    "costs of a belief network": ECSDBNClassifier(hidden_layer_sizes=(2,), cost_cv=2),
    "search": DESearchCV(
        LogisticRegression(), {"C": (0.1, 1.0)}, cv=2, max_generations=1, error_score="raise"
    ),
    "clusters": ClusterOverSampler(),
    "generative sampler": ConditionalVAESampler(),
    "sampler": NDSampler(SMOTE()),
    "spectrogram": Spectrogram(),
    "table encoder": TableEncoder(),
}
DAYS = pd.date_range("2024-01-01", periods=N)
COLUMNS = {
    "datetime64": (DAYS, "holds dates or times; make numbers of them, such as the days"),
    "datetime64 with a zone": (DAYS.tz_localize("UTC"), "holds dates or times; make numbers"),
    "dates": (
        [datetime.date(2024, 1, 1)] * N,
        "holds dates or times; make numbers of them, such as the days since a date",
    ),
    "timestamps": (list(DAYS), "holds dates or times"),
    "periods": (DAYS.to_period("D"), "holds dates or times"),
    "durations": (DAYS - DAYS[0], "holds dates or times; make numbers"),
    "intervals": (pd.interval_range(0, N), "holds intervals, such as ("),
    "complex": (np.arange(N) + 1j, "holds complex numbers, such as "),
    "lists": ([[1, 2]] * N, "holds [1, 2] (list); only numbers"),
    "mixed": ([1.0, "a"] * (N // 2), "holds values of several types, such as 1.0 (float)"),
    "texts of dates": (DAYS.astype(str), "holds texts that look like dates, such as '2024-01-"),
}


def fit(estimator, X):
    estimator = clone(estimator)
    return (estimator.fit_resample if hasattr(estimator, "fit_resample") else estimator.fit)(X, Y)


def with_column(values):
    column = pd.Series(values, dtype=object if isinstance(values, list) else None)
    return pd.DataFrame({"a": np.arange(N, dtype=float), "when": column})


@pytest.mark.parametrize("kind", COLUMNS)
@pytest.mark.parametrize("name", TAKE_NUMBERS)
def test_the_column_is_named_with_what_it_holds_and_the_way_out(name, kind):
    values, message = COLUMNS[kind]
    estimator = TAKE_NUMBERS[name]
    if kind == "texts of dates" and "pipeline" in repr(estimator).lower():
        pytest.skip("what a pipeline does with texts is left to its steps")
    with pytest.raises(ValueError, match=re.escape(f"'when' {message}")):
        fit(estimator, with_column(values))


@pytest.mark.parametrize("name", TAKE_NUMBERS)
def test_columns_of_arrays_are_named_by_their_number(name):
    X = np.empty((N, 2), dtype=object)
    X[:, 0], X[:, 1] = 1.0, [datetime.date(2024, 1, 1)] * N
    with pytest.raises(ValueError, match="column 1 holds dates or times"):
        fit(TAKE_NUMBERS[name], X)


@pytest.mark.parametrize("dtype", ["M8[D]", "m8[h]"])
@pytest.mark.parametrize("shape", [(N, 2), (N, 1, 12)], ids=["table", "signals"])
@pytest.mark.parametrize("estimator", [NET, CNN1DClassifier(max_epochs=1)], ids=["table", "conv"])
def test_arrays_of_dates_do_not_become_nanoseconds(estimator, shape, dtype):
    X = np.zeros(shape, dtype=dtype)
    with pytest.raises(
        ValueError, match=r"takes numbers, but columns 0, 1 hold dates or|^X holds dates or"
    ):
        fit(estimator, X)


class TwoInputs(torch.nn.Module):
    def __init__(self, input_shape, n_classes):
        super().__init__()
        self.last = torch.nn.Linear(2, n_classes)

    def forward(self, first, second):
        return self.last(torch.cat([first, second], dim=1))


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (
            DAYS.to_numpy()[:, None],
            "X['second']: NetClassifier takes numbers, but column 0",
        ),
        (pd.DataFrame({"when": ["a"] * N}), "X['second']: NetClassifier takes numbers, but the"),
    ],
    ids=["dates", "texts"],
)
def test_one_of_several_inputs_is_named(second, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        fit(NetClassifier(TwoInputs, max_epochs=1), {"first": np.ones((N, 1)), "second": second})


@pytest.mark.parametrize("dtype", ["M8[s]", "complex"])
def test_windows_of_other_recordings_are_refused(dtype):
    with pytest.raises(ValueError, match=r"recordings have the types \['.*'\]; give real numbers"):
        index_windows([np.zeros((1, 40), dtype=dtype)], size=10, step=10)


@pytest.mark.parametrize("name", ["network", "bagging", "extreme learning", "clusters"])
def test_columns_with_missing_values_are_named(name):
    table = with_column(np.arange(N)).assign(b=pd.array([1, None] * (N // 2), dtype="Int64"))
    table.loc[3, "a"] = np.nan
    message = r"contains NaN: the columns 'a', 'b' hold missing values; .*TableEncoder.*Imputer"
    with pytest.raises(ValueError, match=message):
        fit(TAKE_NUMBERS[name], table)


def test_a_network_names_them_in_prediction_too():
    table = with_column(np.arange(N))
    for estimator in (NET, FixedCostClassifier(LogisticRegression())):
        fitted = fit(estimator, table)
        with pytest.raises(ValueError, match="'when' holds dates or times"):
            fitted.predict(table.assign(when=DAYS))


def test_all_columns_of_a_kind_are_named_and_the_first_twelve_shown():
    table = with_column(DAYS).assign(then=DAYS, text="a")
    with pytest.raises(ValueError, match="the columns 'when', 'then' hold dates or times"):
        fit(NET, table)
    many = pd.DataFrame({f"c{i}": DAYS for i in range(15)})
    with pytest.raises(ValueError, match="'c10', 'c11' and 3 more hold dates"):
        fit(NET, many)


@pytest.mark.parametrize(
    "index", [1000.5 + np.arange(N), np.arange(N)[::-1] + 0.5, np.arange(N) * 5 % N + 0.5]
)
@pytest.mark.parametrize("kind", ["mixed", "complex", "intervals", "texts of dates"])
def test_the_index_of_a_frame_is_of_no_account(kind, index):
    values, message = COLUMNS[kind]
    table = with_column(values).set_axis(index)
    for estimator in (NET, TableEncoder()):
        with pytest.raises(ValueError, match=re.escape(f"'when' {message}")):
            fit(estimator, table)


@pytest.mark.parametrize("estimator", [NET, WeightedELMClassifier(), ClusterOverSampler()])
def test_a_series_is_no_table(estimator):
    with pytest.raises(ValueError, match=r"X has shape \(24,\)|Expected a 2-dimensional"):
        fit(estimator, pd.Series(np.arange(N, dtype=float)))


def test_columns_of_a_table_of_arrow_are_named():
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table({"a": np.arange(N, dtype=float), "type": ["L", "M"] * (N // 2)})
    with pytest.raises(ValueError, match="the column 'type' holds texts"):
        fit(NET, table)


STEPS = make_pipeline(
    make_column_transformer(
        (OneHotEncoder(), ["type"]), ("drop", ["when"]), remainder="passthrough"
    ),
    LogisticRegression(),
)


@pytest.mark.parametrize(
    "estimator",
    [STEPS, CalibratedClassifierCV(STEPS, cv=2), TunedCostClassifierCV(STEPS, cv=2)],
    ids=["pipeline", "calibrated", "costs"],
)
def test_columns_that_a_step_takes_are_not_blamed(estimator):
    table = with_column(DAYS).assign(type=["L", "M"] * (N // 2), color=["red"] * N)
    with pytest.raises(ValueError, match=r"^could not convert string to float: 'red'$"):
        fit(FixedCostClassifier(estimator), table)
    with pytest.raises(ValueError, match="but the column 'color' holds values of several types"):
        fit(FixedCostClassifier(estimator), table.assign(color=[1.5, "red"] * (N // 2)))


def test_columns_of_categories_are_not_blamed_where_they_are_taken():
    table = with_column(np.arange(N)).assign(type=pd.Categorical(["L", "P"] * (N // 2)))
    trees = FixedCostClassifier(HistGradientBoostingClassifier(max_iter=1))
    with pytest.raises(ValueError, match="but the column 'when' holds texts"):
        fit(trees, table.assign(when=["red", "blue"] * (N // 2)))


def test_a_text_of_a_parameter_is_not_one_of_the_table():
    class Failing(LogisticRegression):
        def fit(self, X, y):
            return float("strong")

    with pytest.raises(ValueError, match=r"^could not convert string to float: 'strong'$"):
        fit(FixedCostClassifier(Failing()), with_column(["L", "M"] * (N // 2)))


def test_a_table_of_dates_only_is_named_where_a_fit_takes_it_for_numbers():
    with pytest.raises(ValueError, match="but the column 'when' holds dates or times"):
        fit(TAKE_NUMBERS["tuned costs"], with_column(DAYS)[["when"]])


def test_a_fitted_classifier_has_its_own_name_in_errors():
    fitted = LogisticRegression().fit(with_column(np.arange(N)), Y)
    tuned = TunedCostClassifierCV(fitted, cv="prefit").fit(with_column(np.arange(N)), Y)
    with pytest.raises(ValueError, match=r"^LogisticRegression takes numbers, but the column"):
        tuned.predict(with_column(DAYS))


def test_what_takes_dates_is_left_alone():
    dates = with_column(DAYS)
    encoded = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression())
    assert fit(FixedCostClassifier(encoded), dates).predict(dates).shape == (N,)
    X, _ = fit(NDSampler(RandomOverSampler()), dates)
    assert set(X["when"]) == set(DAYS)


def test_numbers_and_categories_of_numbers_pass():
    for values in (pd.Categorical([1, 2] * (N // 2)), [*map(str, range(N))], [1, 2.5] * (N // 2)):
        fit(NET, with_column(values))


def test_other_errors_stay_what_they_are():
    class Failing(LogisticRegression):
        def fit(self, X, y):
            raise ValueError("no luck today")

    with pytest.raises(ValueError, match=r"^no luck today$"):
        fit(FixedCostClassifier(Failing()), with_column(DAYS))
