import math

import numpy as np
import pandas as pd
import pytest
import torch
from imblearn.pipeline import make_pipeline
from scipy import stats
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from skimbal.exceptions import NonFiniteLossError
from skimbal.sampling import ConditionalGANSampler, ConditionalVAESampler
from skimbal.sampling._adversarial import (
    discriminator_loss,
    generator_loss,
    relative_spread,
    warn_of_collapse,
)
from skimbal.sampling._samples import in_type
from skimbal.sampling._variational import gaussian_log_likelihood, kl_to_standard_normal

from .checks import parametrize_with_checks

SETTINGS = {"max_epochs": 2, "n_hidden": 8, "random_state": 0}
FEW = ConditionalVAESampler(**SETTINGS)
BOTH = [FEW, ConditionalGANSampler(**SETTINGS)]
both = pytest.mark.parametrize("few", BOTH, ids=lambda sampler: type(sampler).__name__)


@pytest.mark.filterwarnings("ignore:.*pandas sparse")
@pytest.mark.filterwarnings("ignore::FutureWarning")
@parametrize_with_checks(BOTH)
def test_common_checks(estimator, check):
    check(estimator)


def test_divergence_by_sampling():
    mean, log_variance = torch.tensor([[0.5, -1.0]]), torch.tensor([[0.3, -0.7]])
    deviation = (0.5 * log_variance).exp()
    z = mean + deviation * torch.randn(200_000, 2, generator=torch.Generator().manual_seed(0))
    q, p = torch.distributions.Normal(mean, deviation), torch.distributions.Normal(0.0, 1.0)
    sampled = (q.log_prob(z) - p.log_prob(z)).sum(dim=1).mean()
    torch.testing.assert_close(
        kl_to_standard_normal(mean, log_variance)[0], sampled, atol=0.01, rtol=0
    )
    assert kl_to_standard_normal(torch.zeros(1, 3), torch.zeros(1, 3)).item() == 0.0


def test_likelihood_is_that_of_scipy():
    rng = np.random.default_rng(0)
    x, mean, log_deviation = rng.normal(size=(4, 3)), rng.normal(size=(4, 3)), rng.normal(size=3)
    expected = stats.norm(mean, np.exp(log_deviation)).logpdf(x).sum(axis=1)
    result = gaussian_log_likelihood(*map(torch.as_tensor, (x, mean, log_deviation)))
    np.testing.assert_allclose(result.numpy(), expected)


def make_data(shape=(6,), n_rare=30):
    """Two classes with means and deviations of their own, in units that are far from standard."""
    rng = np.random.default_rng(0)
    usual = 1000.0 + 20.0 * rng.normal(size=(170, *shape))
    rare = 1100.0 + 5.0 * rng.normal(size=(n_rare, *shape))
    return np.concatenate([usual, rare]), np.repeat(["usual", "rare"], [170, n_rare])


def test_draws_are_like_their_class():
    X, y = make_data()
    sampler = ConditionalVAESampler(random_state=0)
    X_new, y_new = sampler.fit_resample(X, y)
    np.testing.assert_array_equal(X_new[:200], X)
    np.testing.assert_array_equal(y_new[:200], y)
    drawn = X_new[200:]
    assert y_new[200:].tolist() == ["rare"] * 140
    assert sampler.sampling_strategy_ == {"rare": 140}
    assert abs(drawn.mean() - 1100.0) < 10.0
    assert sampler.history_[-1] < sampler.history_[0]
    assert len(np.unique(drawn[:, 0])) == 140


def test_draws_keep_what_goes_together():
    """Values of a window that rise and fall together do so in the drawn ones."""
    rng = np.random.default_rng(0)
    height = rng.normal(size=(220, 1, 1))
    X = height * np.ones((1, 2, 5)) + 0.1 * rng.normal(size=(220, 2, 5))
    y = np.repeat([0, 1], [150, 70])
    X_new, _ = ConditionalVAESampler(random_state=0).fit_resample(X, y)
    drawn = X_new[220:].reshape(80, 10)
    correlation = np.corrcoef(drawn.T)[np.triu_indices(10, 1)]
    assert X_new.shape == (300, 2, 5)
    assert correlation.min() > 0.8
    assert 0.6 < drawn.std() < 1.4


@both
def test_same_seed_same_draws_and_no_global_state(few):
    X, y = make_data()
    state = torch.get_rng_state()
    first = clone(few).fit_resample(X, y)[0]
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(3)
    np.testing.assert_array_equal(clone(few).fit_resample(X, y)[0], first)
    other = clone(few).set_params(random_state=1).fit_resample(X, y)[0]
    assert (other[200:] != first[200:]).all()


@both
def test_constant_values_stay_near_their_constant(few):
    X, y = make_data()
    X[:, 2] = 7.0
    X_new, _ = clone(few).set_params(max_epochs=100).fit_resample(X, y)
    assert np.abs(X_new[:, 2] - 7.0).max() < 2.0


@both
@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.bool_, np.float32])
def test_type_stays(few, dtype):
    X, y = make_data()
    X_new, _ = few.fit_resample((X > 1000).astype(dtype), y)
    assert X_new.dtype == dtype
    assert X_new.max() < 10  # negative values don't wrap around


def test_nearest_numbers_of_a_type():
    values = np.array([-3.0, 0.4, 0.6, 1000.0])
    assert in_type(values, np.dtype(np.uint8)).tolist() == [0, 0, 1, 255]
    assert in_type(values, np.dtype(bool)).tolist() == [False, False, True, True]
    assert in_type(values, np.dtype(np.float32)).dtype == np.float32
    for wide in (np.int64, np.uint64):
        assert in_type(np.array([1e30]), np.dtype(wide))[0] > np.iinfo(wide).max - 4096


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.int64, np.uint8, np.uint64])
def test_the_ends_of_integers(dtype):
    """The largest numbers of 64 bits are no float64, which rounds them up."""
    limits = np.iinfo(dtype)
    values = np.array([-1e30, float(limits.min), 3.4, float(limits.max), 1e30])
    expected = [limits.min, limits.min, 3, limits.max, limits.max]
    assert in_type(values, np.dtype(dtype)).tolist() == expected


@both
def test_wanted_numbers_of_several_classes(few):
    X, _ = make_data()
    y = np.repeat([0, 1, 2], [150, 30, 20])
    _, y_new = clone(few).set_params(sampling_strategy={1: 40, 2: 25}).fit_resample(X, y)
    assert np.bincount(y_new).tolist() == [150, 40, 25]
    _, same = few.fit_resample(X[:60], np.repeat([0, 1], 30))
    assert np.bincount(same).tolist() == [30, 30]


@both
def test_stands_in_a_pipeline_and_takes_frames(few):
    X, y = make_data()
    pipeline = make_pipeline(clone(few), LogisticRegression(max_iter=1000))
    assert pipeline.fit(X, y).predict(X).shape == (200,)
    X_new, y_new = few.fit_resample(pd.DataFrame(X, columns=list("abcdef")), pd.Series(y))
    assert X_new.columns.tolist() == list("abcdef")
    assert len(X_new) == len(y_new) == 340


@both
@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_latent": 0}, "n_latent"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"learning_rate": 1e38}, "learning_rate"),
    ],
)
def test_bad_parameters(few, params, message):
    with pytest.raises(ValueError, match=message):
        clone(few).set_params(**params).fit_resample(*make_data())


@both
def test_training_that_diverges_is_an_error(few):
    with pytest.raises(NonFiniteLossError, match=r"in epoch \d.*lower learning_rate"):
        clone(few).set_params(learning_rate=1e30).fit_resample(*make_data())


@both
def test_nan_is_an_error(few):
    X, y = make_data()
    X[3, 2] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        few.fit_resample(X, y)


@both
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("part", [1.0, 0.9, 1e-3])
@pytest.mark.filterwarnings("ignore:.*encountered in reduce")  # scikit-learn's own sum
def test_rows_are_finite_up_to_the_ends_of_their_type(few, dtype, part):
    largest = float(np.finfo(dtype).max)
    X = part * largest * np.random.default_rng(0).uniform(-1.0, 1.0, size=(60, 3))
    y = np.repeat(["usual", "rare"], [45, 15])
    sampler = clone(few).set_params(max_epochs=20, n_hidden=128)
    new, _ = sampler.fit_resample(X.astype(dtype), y)
    assert new.dtype == dtype
    assert np.isfinite(new).all()
    drawn = new[60:].astype(np.float64) / largest
    assert drawn.std() > 0.1 * part


@both
@pytest.mark.parametrize("value", [1e12, 1e30, 1e38, 1e200])
def test_a_large_constant_stays(few, value):
    X, y = make_data()
    X[:, 0] = value
    new, _ = few.fit_resample(X, y)
    np.testing.assert_allclose(new[:, 0], value, rtol=1e-12)


@both
@pytest.mark.parametrize("scale", [1e-310, 1e-200, 1e-160, 1e-40, 1e40, 1e200])
def test_the_unit_of_the_values_changes_nothing(few, scale):
    X, y = make_data()
    X -= 1000.0
    one, _ = few.fit_resample(X, y)
    other, _ = few.fit_resample(scale * X, y)
    np.testing.assert_allclose(other / scale, one, rtol=1e-4, atol=1e-2)


@both
@pytest.mark.parametrize("learning_rate", [1.0, 1e3, 1e10, 1e30])
@pytest.mark.parametrize("max_epochs", [1, 2, 20])
@pytest.mark.filterwarnings("ignore:the generator draws almost the same sample")
def test_drawn_rows_are_finite_or_an_error(few, learning_rate, max_epochs):
    X, y = make_data()
    sampler = clone(few).set_params(
        learning_rate=learning_rate, max_epochs=max_epochs, batch_size=200
    )
    try:
        new, _ = sampler.fit_resample(X, y)
    except NonFiniteLossError:
        return
    assert np.isfinite(new).all()


# ---------------------------------------------------------------- adversarial


def test_adversarial_losses_by_hand():
    """D is the logistic function of the logits: 1/2 at 0, 3/4 at log 3."""
    real, drawn = torch.tensor([0.0, math.log(3.0)]), torch.tensor([0.0, -math.log(3.0)])
    expected = -np.log([0.5 * 0.5, 0.75 * 0.75])
    np.testing.assert_allclose(discriminator_loss(real, drawn).numpy(), expected, rtol=1e-6)
    np.testing.assert_allclose(generator_loss(drawn).numpy(), -np.log([0.5, 0.25]), rtol=1e-6)


def test_spread_is_a_ratio_of_total_deviations():
    rng = np.random.default_rng(0)
    real = rng.normal(size=(50, 4))
    assert relative_spread(0.25 * real + 7.0, real) == pytest.approx(0.25)
    assert math.isnan(relative_spread(real, real[:1]))
    assert math.isnan(relative_spread(real[:0], real))
    assert math.isnan(relative_spread(real, np.ones((5, 4))))


def test_adversarial_draws_are_like_their_class():
    X, y = make_data(shape=(2, 3))
    sampler = ConditionalGANSampler(max_epochs=150, random_state=0)
    X_new, y_new = sampler.fit_resample(X, y)
    np.testing.assert_array_equal(X_new[:200], X)
    drawn = X_new[200:]
    assert y_new[200:].tolist() == ["rare"] * 140
    assert abs(drawn.mean() - 1100.0) < 25.0
    assert sampler.history_.shape == (150, 2)
    rows, real = drawn.reshape(140, 6), X[170:].reshape(30, 6)
    scale = X.reshape(200, 6).std(axis=0)
    assert sampler.spread_["rare"] == pytest.approx(relative_spread(rows / scale, real / scale))


def test_mode_collapse_is_a_warning_that_says_the_class():
    warn_of_collapse({"usual": 0.1, "lone": math.nan})
    with pytest.warns(UserWarning, match=r"mode collapse.*'rare': 0.05"):
        warn_of_collapse({"usual": 0.9, "rare": 0.05})


def test_draws_that_are_all_the_same_warn():
    """The one hidden unit of this generator dies: its input is negative for all latent values."""
    sampler = ConditionalGANSampler(n_hidden=1, learning_rate=0.1, max_epochs=10, random_state=1)
    with pytest.warns(UserWarning, match="mode collapse"):
        X_new, _ = sampler.fit_resample(*make_data())
    assert sampler.spread_ == {"rare": 0.0}
    assert (X_new[201:] == X_new[200]).all()
