"""The scale of recordings: what is known about it, and when there is a warning."""

import warnings

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skimbal import WindowedClassifier
from skimbal.ensemble._scale import advice_on_scale, joined_peaks, peak, peaks_by_type
from skimbal.preprocessing import flatten

ROWS = make_pipeline(FunctionTransformer(flatten), LogisticRegression())
rng = np.random.default_rng(0)
UNIT = [rng.uniform(-0.9, 0.9, size=(1, 40)) for _ in range(6)]
Y = np.arange(6) % 2


def as_type(recordings, name, scale):
    return [(scale * x).astype(name) for x in recordings]


@pytest.mark.parametrize(
    ("known", "given", "advice"),
    [
        (("float32", 0.9), ("int16", 30000.0), "divide them by 32768"),
        (("float64", 1.0), ("int32", 2.0**31), "divide them by 2147483648"),
        (("float64", 0.5), ("uint8", 200.0), "make them float32, subtract 128 and divide by 128"),
        (("float64", 0.5), ("int64", 30000.0), "divide them by 32768"),
        (("float32", 1.3), ("int16", 30000.0), "divide them by 32768"),
        (("float32", 30.0), ("int16", 30000.0), "bring all recordings to one unit"),
        (("int16", 30000.0), ("float32", 0.9), "in training, divide them by 32768"),
        (("int16", 30000.0), ("int32", 2.0**30), "for int32, divide them by 2147483648"),
        (("int32", 2.0**30), ("int16", 30000.0), "for int16, divide them by 32768"),
        (("uint8", 200.0), ("int16", 150.0), "for uint8, make them float32, subtract 128"),
        (("float64", 0.05), ("float64", 5.1), "bring all recordings to one unit"),
        (("int16", 5.0), ("int16", 501.0), "bring all recordings to one unit"),
        (("float64", 0.05), ("float64", 5.0), None),
        (("float64", 30000.0), ("int16", 30000.0), None),
        (("int16", 30000.0), ("float64", 30000.0), None),
        (("int16", 30000.0), ("int64", 30000.0), None),
        (("int16", 30000.0), ("float64", 0.0), None),
        (("float64", 0.0), ("int16", 3.0), None),
        (("float64", 0.9), ("int64", 1.0), None),
        (("float64", 0.9), ("bool", 1.0), None),
    ],
)
def test_advice(known, given, advice):
    found = advice_on_scale(known, given)
    assert found is None if advice is None else advice in found


def test_peaks():
    assert peak(np.array([-3, 2], dtype=np.int16)) == 3
    assert peak(np.empty((1, 0))) == 0
    assert peak(np.array([True])) == 1
    array = np.array([[[1.0, -4.0]], [[2.0, 3.0]]], dtype=np.float32)
    assert peaks_by_type(array) == peaks_by_type(list(array)) == {"float32": 4.0}
    assert joined_peaks({"a": 1.0, "b": 2.0}, {"b": 3.0, "c": 0.0}) == {"a": 1, "b": 3, "c": 0}


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        (UNIT, as_type(UNIT, "int16", 30000), "are int16 with .* those of the training are float"),
        (as_type(UNIT, "int16", 30000), UNIT, "are float64 with .* of the training are int16"),
        (UNIT, as_type(UNIT, "float32", 500), "are float32 with values up to 4"),
        (np.stack(UNIT), np.stack(as_type(UNIT, "int16", 30000)), "divide them by 32768"),
    ],
)
@pytest.mark.parametrize("method", ["predict", "predict_proba_windows", "decision_function"])
def test_prediction_on_another_scale(train, test, message, method):
    classifier = WindowedClassifier(ROWS, size=20).fit(train, Y)
    with pytest.warns(UserWarning, match=message):
        getattr(classifier, method)(test)


def test_recordings_of_several_scales_in_a_fit():
    mixed = [*UNIT[:3], *as_type(UNIT[3:], "int16", 30000)]
    with pytest.warns(UserWarning, match="some recordings are int16 .* but others are float64"):
        classifier = WindowedClassifier(ROWS, size=20).fit(mixed, Y)
    assert set(classifier.peaks_by_type_) == {"float64", "int16"}
    with warnings.catch_warnings():  # both scales are known
        warnings.simplefilter("error")
        classifier.predict(mixed)


def test_peaks_of_the_training_are_kept():
    classifier = WindowedClassifier(ROWS, size=20).fit(UNIT, Y)
    assert classifier.peaks_by_type_ == {"float64": max(np.abs(x).max() for x in UNIT)}
