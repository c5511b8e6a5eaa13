"""Each augmentation against a computation in NumPy, its bounds, and the errors of its checks."""

import math
import pickle

import numpy as np
import pytest
import torch
from scipy.stats import kstest, norm
from sklearn.base import clone

from skimbal.augmentation import (
    BaseAugmentation,
    Crop,
    Cutout,
    Flip,
    FrequencyMask,
    Noise,
    Scaling,
    Shift,
    TimeMask,
    all_augmentations,
    resolve_augmentation,
)

N = 200
SHAPES = {1: (6,), 2: (3, 20), 3: (2, 16, 24)}
VALUES = [
    Noise(0.3),
    Scaling(0.4),
    Shift(0.25),
    Shift(0.25, mode="zeros"),
    TimeMask(0.3, n_masks=2),
    FrequencyMask(0.4),
    Flip(),
    Flip(0.2),
    Crop(),
    Cutout(),
    Cutout(0.3),
]
CASES = [(value, SHAPES[n]) for value in VALUES for n in value.n_axes]


def batch(shape, n=N, seed=0):
    # Numbers of at least 1, so that a 0 is a mask or has come in from outside.
    return torch.rand(n, *shape, generator=torch.Generator().manual_seed(seed)) + 1.0


def draw(value, shape, n=N, seed=1):
    return torch.rand(n, value.n_drawn(shape), generator=torch.Generator().manual_seed(seed))


def with_noise(value, x, u):
    return x + value.strength * norm.ppf(u + 2.0**-25).reshape(x.shape)


def scaled(value, x, u):
    return x * ((1 - value.strength) + u[0] * 2 * value.strength)


def shifted(value, x, u):
    largest = math.floor(value.fraction * x.shape[-1])
    step = math.floor(u[0] * (2 * largest + 1)) - largest
    out = np.roll(x, step, axis=-1)
    if value.mode == "zeros" and step:
        out[..., slice(step) if step > 0 else slice(step, None)] = 0
    return out


def masked(value, x, u):
    out = x.copy()
    rows = np.moveaxis(out, -1 if isinstance(value, TimeMask) else -2, 0)
    for first, second in u.reshape(-1, 2):
        width = math.floor(first * (math.floor(value.fraction * len(rows)) + 1))
        start = math.floor(second * (len(rows) - width + 1))
        rows[start : start + width] = 0
    return out


def flipped(value, x, u):
    return x[..., ::-1] if u[0] < value.probability else x


def cropped(value, x, u):
    shifts = [math.floor(value.fraction * side) for side in x.shape[1:]]
    padded = np.pad(x, [(0, 0), *((shift, shift) for shift in shifts)])
    top, left = (math.floor(n * (2 * m + 1)) for n, m in zip(u, shifts, strict=True))
    return padded[:, top : top + x.shape[1], left : left + x.shape[2]]


def cut_out(value, x, u):
    out, spans = x.copy(), []
    for number, side in zip(u, x.shape[1:], strict=True):
        size = math.floor(value.fraction * side)
        first = math.floor(number * side) - size // 2
        spans.append(slice(max(first, 0), max(first + size, 0)))
    out[(slice(None), *spans)] = 0
    return out


IN_NUMPY = {
    Noise: with_noise,
    Scaling: scaled,
    Shift: shifted,
    TimeMask: masked,
    FrequencyMask: masked,
    Flip: flipped,
    Crop: cropped,
    Cutout: cut_out,
}


def expected(value, x, u):
    """One changed sample, computed in NumPy."""
    return IN_NUMPY[type(value)](value, x.astype(np.float64), u.astype(np.float64))


@pytest.mark.parametrize(("value", "shape"), CASES, ids=str)
def test_formulas_against_numpy(value, shape):
    X, drawn = batch(shape, n=25), draw(value, shape, n=25)
    before = X.clone()
    value.check(shape)
    changed = value.apply(X, drawn)
    assert torch.equal(X, before)
    assert changed.dtype == X.dtype
    for x, u, got in zip(X.numpy(), drawn.numpy(), changed.numpy(), strict=True):
        np.testing.assert_allclose(got, expected(value, x, u), rtol=0, atol=2e-5)
    assert not torch.equal(changed, X)


@pytest.mark.parametrize(("value", "shape"), CASES, ids=str)
@pytest.mark.parametrize("extreme", [0.0, 1.0 - 2.0**-24])
def test_extreme_numbers_stay_within_bounds(value, shape, extreme):
    X = batch(shape, n=3)
    drawn = torch.full((3, value.n_drawn(shape)), extreme)
    changed = value.apply(X, drawn)
    assert changed.isfinite().all()
    for x, u, got in zip(X.numpy(), drawn.numpy(), changed.numpy(), strict=True):
        np.testing.assert_allclose(got, expected(value, x, u), rtol=0, atol=1e-5)


@pytest.mark.parametrize(("value", "shape"), CASES, ids=str)
def test_a_row_depends_on_its_own_numbers_alone(value, shape):
    X, drawn = batch(shape), draw(value, shape)
    changed = value.apply(X, drawn)
    rows = torch.arange(N).flip(0)[:50]
    assert torch.equal(value.apply(X[rows], drawn[rows]), changed[rows])


@pytest.mark.parametrize(("value", "shape"), CASES, ids=str)
def test_gradients_flow_through(value, shape):
    X, step, weight = (batch(shape, n=3, seed=seed).double() for seed in range(3))
    drawn = draw(value, shape, n=3)
    X.requires_grad_()
    (gradient,) = torch.autograd.grad((weight * value.apply(X, drawn)).sum(), X)
    difference = value.apply(X + step, drawn) - value.apply(X, drawn)  # they are affine in X
    torch.testing.assert_close((weight * difference).sum(), (gradient * step).sum())


def test_noise_is_normal_and_independent():
    noise = Noise(1.0)
    z = noise.apply(torch.zeros(400, 50), draw(noise, (50,), n=400)).numpy()
    assert kstest(z.ravel(), "norm").pvalue > 0.01
    assert np.abs(np.corrcoef(z.T) - np.eye(50)).max() < 0.25
    ends = noise.apply(torch.zeros(1, 2), torch.tensor([[0.0, 1.0 - 2.0**-24]]))
    assert float(ends.sum()) == 0.0
    assert 5.0 < float(ends[0, 1]) < 5.5


def test_bounds_are_reached():
    X = torch.ones(4000, 1, 20)
    factors = Scaling(0.3).apply(X, draw(Scaling(), (1, 20), n=4000))[:, 0, 0]
    assert 0.7 <= factors.min() < 0.701
    assert 1.299 < factors.max() <= 1.3
    ramp = torch.arange(20.0).expand(4000, 1, 20)
    moved = Shift(0.2).apply(ramp, draw(Shift(), (1, 20), n=4000))[:, 0, 0]
    assert sorted(moved.unique().tolist()) == [0, 1, 2, 3, 4, 16, 17, 18, 19]
    is_masked = TimeMask(0.25).apply(X, draw(TimeMask(), (1, 20), n=4000)) == 0
    assert sorted(is_masked.sum(dim=2).unique().tolist()) == [0, 1, 2, 3, 4, 5]
    assert is_masked.any(dim=0).all()  # every place is masked in some sample


@pytest.mark.parametrize(
    ("value", "shape", "message"),
    [
        (Noise(0.0), (4,), "'strength' parameter of Noise"),
        (Noise(-1.0), (4,), "'strength' parameter of Noise"),
        (Noise("strong"), (4,), "'strength' parameter of Noise"),
        (Scaling(1.0), (4,), "'strength' parameter of Scaling"),
        (Shift(1.5), (1, 20), "'fraction' parameter of Shift"),
        (Shift(mode="reflect"), (1, 20), "'mode' parameter of Shift"),
        (TimeMask(0.0), (1, 20), "'fraction' parameter of TimeMask"),
        (TimeMask(n_masks=0), (1, 20), "'n_masks' parameter of TimeMask"),
        (Flip(1.1), (1, 8, 8), "'probability' parameter of Flip"),
        (Crop(2), (1, 8, 8), "'fraction' parameter of Crop"),
        (Cutout(0), (1, 8, 8), "'fraction' parameter of Cutout"),
        (Shift(), (4,), r"takes signals \(channels, length\).* samples of shape \(4,\)"),
        (TimeMask(), (4,), "takes signals"),
        (FrequencyMask(), (2, 20), r"takes images .* samples of shape \(2, 20\)"),
        (Flip(), (2, 20), "takes images"),
        (Shift(0.04), (1, 20), "does nothing: fraction=0.04 of an axis of 20 .* raise it to 0.05"),
        (TimeMask(0.01), (1, 20), "does nothing"),
        (FrequencyMask(0.1), (1, 4, 20), "an axis of 4 entries"),
        (Cutout(0.1), (1, 4, 20), "an axis of 4 entries"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused(value, shape, message):
    with pytest.raises(ValueError, match=message):
        value.check(shape)


@pytest.mark.parametrize("value", VALUES, ids=str)
def test_values_are_parameters(value):
    copies = [clone(value), pickle.loads(pickle.dumps(value)), eval(repr(value))]
    for copy in copies:
        assert type(copy) is type(value)
        assert copy.get_params() == value.get_params()
    name = next(iter(value.get_params()))
    assert copies[0].set_params(**{name: 0.125}).get_params()[name] == 0.125


def test_names_stand_for_values():
    for name, cls in all_augmentations().items():
        (value,) = resolve_augmentation(name)
        assert type(value) is cls
    noise = Noise(0.2)
    assert resolve_augmentation([noise, "flip"])[0] is noise
    assert resolve_augmentation(np.array(["noise", "flip"]))[1].get_params() == Flip().get_params()
    for nothing in (None, (), []):
        assert resolve_augmentation(nothing) == ()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("nose", "unknown augmentation 'nose'; did you mean 'noise'"),
        (["noise", 0.1], "augmentation has 0.1; give names"),
        (Noise, r"the class Noise; give an instance, Noise\(\)"),
        ({"noise": 0.1}, "give names such as 'noise'"),
    ],
)
def test_other_things_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        resolve_augmentation(given)


def test_the_base_class_is_abstract():
    with pytest.raises(TypeError, match="abstract"):
        BaseAugmentation()
