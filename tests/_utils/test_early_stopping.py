"""When validation data end the training of a network."""

import numpy as np
import pytest

from skimbal import CNN1DClassifier, MLPClassifier
from skimbal._utils import _early_stopping
from skimbal._utils._early_stopping import is_asked_for, is_automatic, stops_early
from skimbal._utils._groups import holds_out
from skimbal.ensemble._stopping import stops_out_of_bag
from skimbal.neural_network import validation_rows
from skimbal.neural_network._by_rows import network_stops_early

N = 60
X = np.random.default_rng(0).normal(size=(N, 3))
Y = np.arange(N) % 2


@pytest.fixture(autouse=True)
def many(monkeypatch):
    """Sixty rows are many."""
    monkeypatch.setattr(_early_stopping, "MIN_ROWS_TO_STOP", N)


@pytest.mark.parametrize("n_samples", [1, N - 1, N, 10 * N])
@pytest.mark.parametrize("is_table", [False, True], ids=["signals", "table"])
@pytest.mark.parametrize("own", [False, True], ids=["none", "own"])
def test_true_and_false_hold_for_all_data(n_samples, is_table, own):
    options = {"is_table": is_table, "has_own_validation": own}
    assert stops_early(True, n_samples, **options)
    assert not stops_early(False, n_samples, **options)
    assert stops_early("auto", n_samples, **options) == (own or (is_table and n_samples >= N))


@pytest.mark.parametrize("given", [True, False, np.True_, np.False_, "auto"], ids=str)
def test_a_setting_is_automatic_asked_for_or_off(given):
    kinds = [is_automatic(given), is_asked_for(given), not given]
    assert kinds == [isinstance(given, str), given in (True, np.True_), given in (False, np.False_)]


@pytest.mark.parametrize("inputs", [X, X[1:], X[:, None], X[1:, None]], ids=lambda i: str(i.shape))
@pytest.mark.parametrize("early_stopping", [True, False, "auto"], ids=str)
def test_all_that_ask_get_one_answer(inputs, early_stopping):
    kind = MLPClassifier if inputs.ndim == 2 else CNN1DClassifier
    network = kind(early_stopping=early_stopping)
    answers = {
        network_stops_early(network, inputs),
        stops_out_of_bag(network, inputs, {}),
        validation_rows(network, inputs, Y[: len(inputs)], random_state=0) is not None,
    }
    if inputs.ndim == 2:
        answers.add(holds_out(network, len(inputs)))
    assert len(answers) == 1
