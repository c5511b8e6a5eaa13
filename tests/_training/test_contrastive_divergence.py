"""Contrastive divergence against gradients by autograd and exact likelihoods of tiny machines."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch

from skimbal._training.batches import Batches
from skimbal._training.contrastive_divergence import (
    ContrastiveDivergence,
    PretrainingPlan,
    StackedMachines,
    divergence,
    step_size,
    train_layer,
    train_stacks,
)
from skimbal._training.row_order import RowOrder
from skimbal.exceptions import NonFiniteLossError
from skimbal.modules import RBM

PLAN = PretrainingPlan(
    visible="bernoulli",
    n_epochs=1,
    learning_rate=0.1,
    momentum=0.0,
    weight_decay=0.0,
    n_gibbs_steps=1,
    persistent=False,
    batch_size=10,
)
PARAMETERS = ("weight", "hidden_bias", "visible_bias")
# The six bars and stripes on a grid of two by two.
BARS = torch.tensor(
    [[0, 0, 0, 0], [1, 1, 1, 1], [1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0], [0, 1, 0, 1]],
    dtype=torch.float64,
)
CLOUDS = torch.tensor([[2.0, 2.0, -1.0], [-2.0, 1.0, 1.0]], dtype=torch.float64).repeat(30, 1)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def states(n):
    return torch.tensor(list(product([0.0, 1.0], repeat=n)), dtype=torch.float64)


def make_rbm(visible="bernoulli", n_visible=4, n_hidden=3, scale=0.3):
    draws = generator(7)
    weight = scale * torch.randn(n_hidden, n_visible, generator=draws, dtype=torch.float64)
    bias = scale * torch.randn(n_hidden, generator=draws, dtype=torch.float64)
    return RBM(weight, bias, visible=visible)


def clouds():
    """Two clouds of unit variance in three dimensions."""
    return CLOUDS + torch.randn(CLOUDS.shape, generator=generator(3), dtype=torch.float64)


def log_partition(rbm):
    """Logarithm of the sum (Bernoulli) or integral (Gaussian) of exp(-E), by enumeration."""
    if rbm.visible == "bernoulli":
        return torch.logsumexp(-rbm.free_energy(states(len(rbm.visible_bias))), dim=0)
    h = states(len(rbm.hidden_bias))
    mean = rbm.visible_bias + h @ rbm.weight
    # Completing the square in v leaves (|b + W'h|^2 - |b|^2) / 2.
    exponents = h @ rbm.hidden_bias + 0.5 * (
        mean.square().sum(dim=1) - rbm.visible_bias.square().sum()
    )
    n_visible = len(rbm.visible_bias)
    return torch.logsumexp(exponents, dim=0) + 0.5 * n_visible * np.log(2 * np.pi)


def log_likelihood(rbm, data):
    """Exact mean log-likelihood."""
    return -rbm.free_energy(data).mean() - log_partition(rbm)


def gaussian_mixture_log_likelihood(rbm, data):
    """The same for Gaussian units, as the density of a mixture of 2^n_hidden Gaussians."""
    h = states(len(rbm.hidden_bias))
    mean = rbm.visible_bias + h @ rbm.weight
    logits = h @ rbm.hidden_bias + 0.5 * mean.square().sum(dim=1)
    components = torch.distributions.MultivariateNormal(mean, torch.eye(mean.shape[1]).double())
    mixture = torch.distributions.MixtureSameFamily(
        torch.distributions.Categorical(logits=logits), components
    )
    return mixture.log_prob(data).mean()


def rows_of(data, sample_weight, plan, order):
    return Batches([(data,)], [sample_weight], plan.batch_size, 8, [RowOrder(order, len(data))])


def train_rbm(rbm, data, sample_weight, plan, order, noise):
    """Train one machine; return its errors."""
    rows = rows_of(data, sample_weight, plan, order)
    errors = train_layer([rbm], rows, plan, [noise])[:, 0]
    if (error := divergence([errors], plan)) is not None:
        raise error
    return errors


def train(rbm, data, sample_weight=None, **settings):
    plan = replace(PLAN, batch_size=len(data), **settings)
    return train_rbm(rbm, data, sample_weight, plan, generator(1), generator(2))


class OneMachine:
    """Contrastive divergence of one machine, without the axis of the machines."""

    def __init__(self, rbm, plan, noise, trainer_class=ContrastiveDivergence):
        self.machines = StackedMachines([rbm])
        self.trainer = trainer_class(self.machines, plan, [noise])

    def fantasies(self, v, h):
        return tuple(states[0].clone() for states in self.trainer.fantasies(v[None], h[None]))

    def step(self, v, weight):
        error = self.trainer.step(v[None], weight[None])
        self.machines.write()
        return error[0].sqrt()

    @property
    def chains(self):
        return self.trainer.chains[0]


def uniform(n):
    return torch.full((n,), 1.0 / n, dtype=torch.float64)


def parameters(rbm):
    return [getattr(rbm, name).clone() for name in PARAMETERS]


class WithoutNoise(ContrastiveDivergence):
    def fantasies(self, v, h):
        v = self.rbm.visible_mean(h)
        return v, self.rbm.hidden_proba(v)


def mean_field(rbm, plan):
    """Contrastive divergence without noise: the fantasies are means."""
    return OneMachine(rbm, plan, None, WithoutNoise)


def free_energy_gradient(rbm, fantasies, data, data_weight, fantasy_weight):
    """Gradient of the free energy at the fantasies minus that at the data, by autograd."""
    leaves = [getattr(rbm, name).clone().requires_grad_() for name in PARAMETERS]
    twin = RBM(*leaves[:2], visible=rbm.visible)
    twin.visible_bias = leaves[2]
    difference = fantasy_weight @ twin.free_energy(fantasies) - data_weight @ twin.free_energy(data)
    return torch.autograd.grad(difference, leaves)


@pytest.mark.parametrize("visible", ["bernoulli", "gaussian"])
@pytest.mark.parametrize("n_gibbs_steps", [1, 3])
@pytest.mark.parametrize("persistent", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_step_is_the_gradient_of_the_free_energies(visible, n_gibbs_steps, persistent, weighted):
    rbm = make_rbm(visible)
    data = BARS if visible == "bernoulli" else BARS + 0.5
    weight = torch.arange(1.0, 7.0).double() / 21 if weighted else uniform(6)
    plan = replace(PLAN, n_gibbs_steps=n_gibbs_steps, persistent=persistent)
    drawn, _ = OneMachine(rbm, plan, generator()).fantasies(data, rbm.hidden_proba(data))
    fantasy_weight = uniform(6) if persistent else weight
    expected = free_energy_gradient(rbm, drawn, data, weight, fantasy_weight)
    before = parameters(rbm)
    norm = OneMachine(rbm, plan, generator()).step(data, weight)
    for old, new, gradient in zip(before, parameters(rbm), expected, strict=True):
        torch.testing.assert_close(new - old, plan.learning_rate * gradient)
        assert gradient.any()
    torch.testing.assert_close(norm, (data - drawn).norm())


def test_expected_step_of_cd_one_by_enumeration():
    """Mean of many sampled updates against the exact expectation over all Gibbs steps."""
    rbm, n = make_rbm(), 200_000
    v, h = states(4), states(3)
    h_on = rbm.hidden_proba(BARS)
    p_h = torch.stack([(h_on * x + (1 - h_on) * (1 - x)).prod(1) for x in h], dim=1)
    v_on = rbm.visible_mean(h)
    p_v = torch.stack([(v_on * x + (1 - v_on) * (1 - x)).prod(1) for x in v], dim=1)
    model = (p_h @ p_v).mean(0)
    expected = h_on.T @ BARS / 6 - (rbm.hidden_proba(v) * model[:, None]).T @ v
    data, before = BARS.repeat(n // 6, 1), rbm.weight.clone()
    OneMachine(rbm, PLAN, generator()).step(data, uniform(len(data)))
    torch.testing.assert_close((rbm.weight - before) / 0.1, expected, rtol=0.0, atol=5 / n**0.5)


def test_momentum_adds_the_former_step():
    rbm, plan = make_rbm(), replace(PLAN, momentum=0.8)
    trainer, start = mean_field(rbm, plan), parameters(rbm)
    trainer.step(BARS, uniform(6))
    middle = parameters(rbm)
    trainer.step(BARS, uniform(6))
    fresh = make_rbm()
    for name, value in zip(PARAMETERS, middle, strict=True):
        getattr(fresh, name).copy_(value)
    mean_field(fresh, PLAN).step(BARS, uniform(6))
    for a, b, with_momentum, without in zip(
        start, middle, parameters(rbm), parameters(fresh), strict=True
    ):
        torch.testing.assert_close(with_momentum, without + 0.8 * (b - a))


def test_weight_decay_shrinks_the_weights_and_no_bias():
    plain, decayed = make_rbm(), make_rbm()
    before = plain.weight.clone()
    mean_field(plain, PLAN).step(BARS, uniform(6))
    mean_field(decayed, replace(PLAN, weight_decay=0.3)).step(BARS, uniform(6))
    torch.testing.assert_close(decayed.weight, plain.weight - 0.1 * 0.3 * before)
    torch.testing.assert_close(decayed.hidden_bias, plain.hidden_bias)
    torch.testing.assert_close(decayed.visible_bias, plain.visible_bias)


def test_integer_sample_weights_are_repetition():
    times = torch.tensor([2, 0, 1, 3, 1, 1])
    weighted, repeated = make_rbm(), make_rbm()
    mean_field(weighted, PLAN).step(BARS, times.double() / 8)
    mean_field(repeated, PLAN).step(BARS.repeat_interleave(times, 0), uniform(8))
    for one, other in zip(parameters(weighted), parameters(repeated), strict=True):
        torch.testing.assert_close(one, other)


def test_integer_sample_weights_are_repetition_in_the_mean_of_many_draws():
    times, n = torch.tensor([2, 1, 3, 1, 1, 1]), 30_000
    weighted, repeated = make_rbm(), make_rbm()
    train(weighted, BARS.repeat(n, 1), times.repeat(n).double())
    train(repeated, BARS.repeat_interleave(times, 0).repeat(n, 1))
    for one, other in zip(parameters(weighted), parameters(repeated), strict=True):
        torch.testing.assert_close(one, other, rtol=0.0, atol=0.1 * 5 / n**0.5)


@pytest.mark.parametrize("persistent", [False, True])
def test_sample_weights_of_one_are_none(persistent):
    settings = {"n_epochs": 20, "persistent": persistent}
    weighted, plain = make_rbm(), make_rbm()
    errors = train(weighted, BARS, torch.ones(6).double(), **settings)
    np.testing.assert_allclose(errors, train(plain, BARS, **settings))
    torch.testing.assert_close(parameters(weighted), parameters(plain))


def test_sample_weight_raises_the_likelihood_of_its_sample():
    weight = torch.ones(6).double()
    weight[2] = 50.0
    weighted, plain = make_rbm(), make_rbm()
    train(weighted, BARS, weight, n_epochs=300)
    train(plain, BARS, n_epochs=300)
    assert log_likelihood(weighted, BARS[[2]]) > log_likelihood(plain, BARS[[2]]) + 0.5


def test_persistent_chains_go_on_from_batch_to_batch():
    rbm, plan = make_rbm(), replace(PLAN, persistent=True)
    trainer = OneMachine(rbm, plan, generator())
    first, _ = trainer.fantasies(BARS, rbm.hidden_proba(BARS))
    torch.testing.assert_close(trainer.chains, first)
    twin = OneMachine(rbm, PLAN, generator(5))
    trainer.trainer.generators = [generator(5)]
    going_on, _ = trainer.fantasies(BARS, rbm.hidden_proba(BARS))
    from_chains, _ = twin.fantasies(first, rbm.hidden_proba(first))
    torch.testing.assert_close(going_on, from_chains)


@pytest.mark.parametrize("persistent", [False, True])
def test_chains_do_not_depend_on_the_batch_and_fantasies_of_cd_do(persistent):
    rbm, plan = make_rbm(scale=3.0), replace(PLAN, persistent=persistent)
    drawn = []
    for v in (BARS.repeat(9, 1), torch.ones(54, 4).double()):
        trainer = OneMachine(rbm, plan, generator())
        trainer.trainer.chains = torch.zeros_like(v)[None] if persistent else None
        drawn.append(trainer.fantasies(v, rbm.hidden_proba(v))[0])
    assert (drawn[0] == drawn[1]).all() == persistent


def test_persistent_chains_of_a_smaller_batch_leave_the_others():
    rbm = make_rbm()
    trainer = OneMachine(rbm, replace(PLAN, persistent=True), generator())
    trainer.fantasies(BARS, rbm.hidden_proba(BARS))
    before = trainer.chains.clone()
    fantasy, _ = trainer.fantasies(BARS[:2], rbm.hidden_proba(BARS[:2]))
    assert len(fantasy) == 2
    assert (trainer.chains[2:] == before[2:]).all()
    assert (trainer.chains[:2] == fantasy).all()


@pytest.mark.parametrize(
    "settings",
    [{"n_gibbs_steps": 1}, {"n_gibbs_steps": 5}, {"persistent": True}, {"momentum": 0.9}],
    ids=str,
)
def test_training_raises_the_exact_likelihood(settings):
    rbm, data = make_rbm(n_hidden=4), BARS.repeat(50, 1)
    before = log_likelihood(rbm, data)
    errors = train(rbm, data, n_epochs=500, learning_rate=0.5, **settings)
    # Six of sixteen patterns: a perfect model has log(1/6), the uniform one log(1/16).
    assert before < np.log(1 / 16)
    assert np.log(1 / 11) < log_likelihood(rbm, data) < np.log(1 / 6)
    if "persistent" not in settings:
        assert errors[-20:].mean() < errors[:20].mean()


@pytest.mark.parametrize(
    ("settings", "tolerance"), [({"n_gibbs_steps": 25}, 0.03), ({"persistent": True}, 0.1)], ids=str
)
def test_samples_of_the_model_lead_where_the_exact_gradient_leads(settings, tolerance):
    exact, sampled = make_rbm(n_hidden=4), make_rbm(n_hidden=4)
    for _ in range(600):
        model = torch.softmax(-exact.free_energy(states(4)), dim=0)
        gradients = free_energy_gradient(exact, states(4), BARS, uniform(6), model)
        for name, gradient in zip(PARAMETERS, gradients, strict=True):
            getattr(exact, name).add_(gradient, alpha=0.5)
    train(sampled, BARS.repeat(50, 1), n_epochs=600, learning_rate=0.5, **settings)
    best, reached = log_likelihood(exact, BARS).item(), log_likelihood(sampled, BARS).item()
    assert best > np.log(1 / 8)
    assert reached == pytest.approx(best, abs=tolerance)


def test_gaussian_likelihood_is_that_of_the_mixture():
    rbm = make_rbm("gaussian", n_visible=3, n_hidden=2)
    rbm.visible_bias.copy_(torch.tensor([0.5, -1.0, 0.2]))
    torch.testing.assert_close(
        log_likelihood(rbm, clouds()), gaussian_mixture_log_likelihood(rbm, clouds())
    )


@pytest.mark.parametrize("persistent", [False, True])
def test_training_raises_the_exact_likelihood_of_gaussian_units(persistent):
    rbm, data = make_rbm("gaussian", n_visible=3, n_hidden=2), clouds()
    before = gaussian_mixture_log_likelihood(rbm, data)
    train(rbm, data, learning_rate=0.05, n_epochs=300, persistent=persistent)
    reached = gaussian_mixture_log_likelihood(rbm, data)
    one_gaussian = -0.5 * (data.var(0).sum() + 3 * np.log(2 * np.pi))
    assert reached > max(before, one_gaussian) + 0.5


def test_stack_trains_each_machine_on_the_activations_of_the_one_below():
    rbms = [make_rbm("gaussian"), make_rbm(n_visible=3, n_hidden=2)]
    plan = replace(PLAN, n_epochs=4)
    rows = rows_of(BARS, None, plan, generator(1))
    errors = [e[:, 0] for e in train_stacks([rbms], rows, plan, [generator(2)])]
    lower, upper = make_rbm("gaussian"), make_rbm(n_visible=3, n_hidden=2)
    order, noise = generator(1), generator(2)
    lower_errors = train_rbm(lower, BARS, None, plan, order, noise)
    upper_errors = train_rbm(upper, lower.hidden_proba(BARS), None, plan, order, noise)
    np.testing.assert_array_equal(errors, [lower_errors, upper_errors])
    for trained, expected in zip(rbms, (lower, upper), strict=True):
        torch.testing.assert_close(parameters(trained), parameters(expected))


def test_batches_hold_every_row_once_an_epoch():
    """With a step too small to matter, the error of an epoch is the mean over all rows."""
    rbm = make_rbm(scale=0.0)
    rbm.visible_bias.fill_(100.0)  # fantasies are all ones
    plan = replace(PLAN, n_epochs=3, batch_size=4, learning_rate=1e-12)
    errors = train_rbm(rbm, BARS, None, plan, generator(), generator())
    np.testing.assert_allclose(errors, (1 - BARS).mean().item())


def test_no_epochs_change_nothing():
    rbm = make_rbm()
    errors = train(rbm, BARS, n_epochs=0)
    assert errors.shape == (0,)
    torch.testing.assert_close(parameters(rbm), parameters(make_rbm()))


def test_same_generators_same_machine():
    one, same = make_rbm(), make_rbm()
    before = torch.random.get_rng_state()
    np.testing.assert_array_equal(train(one, BARS, n_epochs=9), train(same, BARS, n_epochs=9))
    assert (one.weight == same.weight).all()
    assert (torch.random.get_rng_state() == before).all()


def first_bad_epoch(rbm, data, settings):
    """Epoch in which the weights stop to be finite, counted from 1."""
    plan = replace(PLAN, batch_size=len(data), **settings)
    trainer, order = OneMachine(rbm, plan, generator(2)), generator(1)
    errors = [1.0 + data.square().mean() if rbm.visible == "gaussian" else 1.0]
    for epoch in range(1, plan.n_epochs + 1):
        sums = trainer.step(data[torch.randperm(len(data), generator=order)], uniform(len(data)))
        errors.append(sums.item() / data.numel())
        if not (errors[-1] <= 10 * max(min(errors), 1.0) and rbm.weight.isfinite().all()):
            return epoch
    raise AssertionError("did not diverge")


@pytest.mark.parametrize(
    ("visible", "settings"),
    [
        ("gaussian", {"learning_rate": 50.0, "n_epochs": 200}),
        # Bernoulli fantasies stay 0 or 1; only the weights show that something is wrong.
        ("bernoulli", {"learning_rate": 1e8, "weight_decay": 1e3, "n_epochs": 200}),
    ],
)
def test_divergence_names_the_epoch_and_the_learning_rate(visible, settings):
    epoch = first_bad_epoch(make_rbm(visible), BARS, settings)
    train(make_rbm(visible), BARS, **{**settings, "n_epochs": epoch - 1})
    with pytest.raises(
        NonFiniteLossError, match=rf"epoch {epoch}; lower pretrain_learning_rate \(got [15]"
    ):
        train(make_rbm(visible), BARS, **settings)


@pytest.mark.parametrize(
    ("visible", "n_hidden", "expected"),
    [
        ("gaussian", 1, 0.02),
        ("gaussian", 64, 0.02),
        ("gaussian", 128, 0.01),
        ("gaussian", 4096, 0.0003125),
        ("bernoulli", 64, 0.02),
        ("bernoulli", 4096, 0.02),
    ],
)
def test_step_size_follows_kind_and_width(visible, n_hidden, expected):
    rbm = RBM(torch.zeros(n_hidden, 3), torch.zeros(n_hidden), visible=visible)
    assert step_size("auto", rbm) == expected
    assert step_size(0.5, rbm) == 0.5


def wide_data(kind, n_features, n=300):
    """Standardized data of different kinds: independent, all alike, with rare large values."""
    rng = np.random.default_rng(0)
    if kind == "normal":
        X = rng.normal(size=(n, n_features))
    elif kind == "alike":
        X = rng.normal(size=(n, 1)) + 0.05 * rng.normal(size=(n, n_features))
    else:
        X = rng.standard_t(2, size=(n, n_features))
    return torch.as_tensor((X - X.mean(axis=0)) / X.std(axis=0), dtype=torch.float32)


@pytest.mark.parametrize("kind", ["normal", "alike", "heavy"])
@pytest.mark.parametrize(
    ("n_features", "n_hidden"), [(2, 1), (2, 1000), (30, 64), (30, 512), (300, 512), (1000, 1)]
)
def test_automatic_steps_hold_for_all_widths(kind, n_features, n_hidden):
    weight = torch.empty(n_hidden, n_features)
    torch.nn.init.xavier_uniform_(weight, generator=generator())
    rbm = RBM(weight, torch.zeros(n_hidden), visible="gaussian")
    plan = replace(
        PLAN, visible="gaussian", learning_rate="auto", momentum=0.5, batch_size=64, n_epochs=20
    )
    errors = train_rbm(rbm, wide_data(kind, n_features), None, plan, generator(1), generator(2))
    assert errors.max() < 3.0  # with no weights it is 2
    assert errors[-1] < errors[0] + 0.3


def test_a_step_that_is_too_large_for_the_width_is_an_error_while_all_is_finite():
    weight = 0.01 * torch.randn(512, 1000, generator=generator())
    rbm = RBM(weight, torch.zeros(512), visible="gaussian")
    plan = replace(PLAN, visible="gaussian", learning_rate=0.02, batch_size=300, n_epochs=9)
    with pytest.raises(NonFiniteLossError, match="layer 0 has grown more than tenfold"):
        train_rbm(rbm, wide_data("normal", 1000), None, plan, generator(1), generator(2))
    assert weight.isfinite().all()


def test_a_machine_that_diverges_leaves_the_others_of_its_stack_alone():
    data = torch.stack([wide_data("normal", 30)] * 2)
    rbms = [
        RBM(scale * torch.ones(8, 30), torch.zeros(8), visible="gaussian") for scale in (0.01, 1e4)
    ]
    rows = Batches([(x,) for x in data], [None] * 2, 64, 8, [RowOrder(generator(), 300)] * 2)
    plan = replace(PLAN, visible="gaussian", learning_rate=0.02, n_epochs=3)
    errors = train_layer(rbms, rows, plan, [generator(1), generator(2)])
    assert np.isfinite(errors[:, 0]).all()
    assert np.isnan(errors[:, 1]).all()
