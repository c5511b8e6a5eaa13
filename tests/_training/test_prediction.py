"""What a trained module computes, whatever samples come with it."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from scipy import sparse

from skimbal._training.inputs import WindowInputs
from skimbal._training.prediction import (
    MAX_ROWS_OF_NUMPY,
    forward,
    in_blocks,
    predict_arrays,
    predict_logits,
)
from skimbal._training.tables import TableInputs
from skimbal.modules import NormalizedLinear
from skimbal.preprocessing import index_windows

from .nets import Convolution, generator, mlp_module

TABLE = torch.randn(70, 5, generator=generator(1))
SIGNALS = torch.randn(70, 2, 8, generator=generator(2))
MODULES = pytest.mark.parametrize(
    ("module", "X"),
    [(mlp_module(dropout=0.5), TABLE), (Convolution(batch_norm=True), SIGNALS)],
    ids=["dense", "convolution"],
)


@MODULES
def test_features_and_logits_are_the_modules(module, X):
    features, logits = forward(deepcopy(module).train(), X)
    with torch.no_grad():
        expected, of_expected = deepcopy(module).eval()(X, with_features=True)
    torch.testing.assert_close(logits, expected)
    torch.testing.assert_close(features, of_expected)
    assert not logits.requires_grad


@MODULES
@pytest.mark.parametrize("rows", [slice(0, 1), slice(31, 33), slice(69, None, -1)])
def test_a_sample_has_the_same_answer_in_any_company(module, X, rows):
    rows = np.arange(70)[rows]
    whole = predict_arrays(module, X.numpy())
    some = predict_arrays(module, X.numpy()[rows])
    for a, b in zip(whole, some, strict=True):
        assert a.dtype == np.float64
        # Exactly with blocks of equal size; else but for the rounding of double precision.
        is_exact = isinstance(module, Convolution)
        np.testing.assert_allclose(b, a[rows], rtol=0, atol=0.0 if is_exact else 1e-14)


def test_dense_networks_answer_in_double_precision():
    module = mlp_module()
    features, logits = predict_arrays(module, TABLE.numpy())
    expected, of_expected = deepcopy(module).double()(TABLE.double(), with_features=True)
    np.testing.assert_allclose(logits, expected.detach(), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(features, of_expected.detach(), rtol=1e-12, atol=1e-12)
    assert module.output.weight.dtype == torch.float32


@pytest.mark.parametrize("n_rows", [1, 31, 32, 33, 70])
def test_blocks_are_filled_up_and_cut(n_rows):
    module = Convolution().eval()
    with torch.no_grad():
        features, logits = in_blocks(module, SIGNALS[:n_rows])
        torch.testing.assert_close(logits, module(SIGNALS[:n_rows]))
    assert features.shape == (n_rows, 24)


@pytest.mark.parametrize("kind", [Convolution, lambda: mlp_module(sizes=(6,))])
def test_windows_are_predicted_as_their_array(kind):
    recordings = [np.random.default_rng(0).normal(size=(2, 60)).astype(np.float32)]
    windows = index_windows(recordings, size=8, step=1)
    module, flat = kind(), lambda X: X
    if not isinstance(module, Convolution):
        flat = lambda X: X[:, 0, :5]  # noqa: E731 - as short as what it does
    lazy = forward(module, WindowInputs(windows, flat))
    array = forward(module, torch.as_tensor(flat(np.asarray(windows))))
    for a, b in zip(lazy, array, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "elu", "gelu"])
def test_few_rows_of_a_dense_network_are_computed_as_many(activation):
    module = mlp_module(activation=activation, dropout=0.5)
    whole = predict_arrays(module, TABLE.numpy())
    few = predict_arrays(module, TABLE.numpy()[:MAX_ROWS_OF_NUMPY])
    one = predict_arrays(module, TABLE.numpy()[2:3])
    for of_whole, of_few, of_one in zip(whole, few, one, strict=True):
        np.testing.assert_allclose(of_few, of_whole[:MAX_ROWS_OF_NUMPY], rtol=0, atol=1e-14)
        np.testing.assert_array_equal(of_one, of_few[2:3])


def test_the_normalized_layer_has_the_same_answer_for_few_rows():
    module = mlp_module()
    layer = NormalizedLinear(module.output.in_features, 3, scale=2.0, generator=generator(5))
    module.output = layer
    whole, few = (predict_logits(module, TABLE.numpy()[:n]) for n in (70, 2))
    np.testing.assert_allclose(few, whole[:2], rtol=0, atol=1e-14)


@pytest.mark.parametrize("n_rows", [1, 4, 9])
def test_sparse_rows_have_the_bits_of_dense_ones(n_rows):
    module, X = mlp_module(), TABLE.double().numpy()[:n_rows]
    rows = TableInputs(sparse.csr_array(X), lambda dense: dense)
    for of_sparse, of_dense in zip(
        predict_arrays(module, rows), predict_arrays(module, X), strict=True
    ):
        np.testing.assert_array_equal(of_sparse, of_dense)
