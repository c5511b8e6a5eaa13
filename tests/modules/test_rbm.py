"""RBMs of a few units against enumeration of all their states, and against scikit-learn's."""

from itertools import product

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.special import logsumexp
from sklearn.neural_network import BernoulliRBM

from skimbal.modules import RBM, bernoulli

N_VISIBLE, N_HIDDEN = 4, 3


def binary_states(n):
    """All states of n binary units, shape (2^n, n)."""
    return torch.tensor(list(product([0.0, 1.0], repeat=n)), dtype=torch.float64)


V, H = binary_states(N_VISIBLE), binary_states(N_HIDDEN)


def make_rbm(visible, n_visible=N_VISIBLE, n_hidden=N_HIDDEN, seed=0):
    """A machine in float64 with random weights and biases."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    rbm = RBM(draw(n_hidden, n_visible), draw(n_hidden), visible=visible)
    rbm.visible_bias.copy_(draw(n_visible))
    return rbm


def energy(rbm, v, h):
    """E(v, h) of the definition, for one v and one h, term by term."""
    interaction = sum(h[j] * rbm.weight[j, i] * v[i] for j in range(len(h)) for i in range(len(v)))
    if rbm.visible == "bernoulli":
        visible = -sum(b * x for b, x in zip(rbm.visible_bias, v, strict=True))
    else:
        visible = sum((x - b) ** 2 for b, x in zip(rbm.visible_bias, v, strict=True)) / 2
    return float(
        visible - sum(c * x for c, x in zip(rbm.hidden_bias, h, strict=True)) - interaction
    )


def energies(rbm, visibles, hiddens=H):
    """Energies of all pairs, shape (n_visible_states, n_hidden_states)."""
    return np.array([[energy(rbm, v, h) for h in hiddens] for v in visibles])


def real_inputs(n=5):
    return torch.randn(n, N_VISIBLE, generator=torch.Generator().manual_seed(1)).double()


@pytest.mark.parametrize("visible", ["bernoulli", "gaussian"])
def test_free_energy_sums_the_hidden_states_out(visible):
    rbm = make_rbm(visible)
    inputs = V if visible == "bernoulli" else real_inputs()
    expected = -logsumexp(-energies(rbm, inputs), axis=1)
    np.testing.assert_allclose(rbm.free_energy(inputs), expected, rtol=1e-12)


@pytest.mark.parametrize("visible", ["bernoulli", "gaussian"])
def test_hidden_proba_is_the_conditional(visible):
    rbm = make_rbm(visible)
    inputs = V if visible == "bernoulli" else real_inputs()
    log_joint = -energies(rbm, inputs)
    posterior = np.exp(log_joint - logsumexp(log_joint, axis=1, keepdims=True))
    np.testing.assert_allclose(rbm.hidden_proba(inputs), posterior @ H.numpy(), rtol=1e-12)


def test_bernoulli_visible_mean_is_the_conditional():
    rbm = make_rbm("bernoulli")
    log_joint = -energies(rbm, V)
    conditional = np.exp(log_joint - logsumexp(log_joint, axis=0, keepdims=True))
    np.testing.assert_allclose(rbm.visible_mean(H), conditional.T @ V.numpy(), rtol=1e-12)


def test_bernoulli_partition_function_by_either_sum():
    rbm = make_rbm("bernoulli")
    over_visible = torch.logsumexp(-rbm.free_energy(V), dim=0).item()
    assert over_visible == pytest.approx(logsumexp(-energies(rbm, V)), rel=1e-12)


def test_gaussian_conditional_and_partition_function_by_integration():
    rbm = make_rbm("gaussian", n_visible=1)

    def integrate(f):
        return quad(lambda v: f(torch.tensor([[v]], dtype=torch.float64)), -20, 20)[0]

    def weight_of(h):
        return lambda v: np.exp(-energy(rbm, v[0], h))

    for h in H:
        mean = integrate(lambda v, h=h: v.item() * weight_of(h)(v)) / integrate(weight_of(h))
        assert rbm.visible_mean(h[None]).item() == pytest.approx(mean, rel=1e-8)
    summed = sum(integrate(weight_of(h)) for h in H)
    assert integrate(lambda v: np.exp(-rbm.free_energy(v).item())) == pytest.approx(summed)


def log_likelihood(rbm, data):
    """Exact mean log-likelihood of a Bernoulli machine."""
    return -rbm.free_energy(data).mean() - torch.logsumexp(-rbm.free_energy(V), dim=0)


def test_gradient_of_the_likelihood_is_that_of_the_free_energy():
    """Data statistics minus those of the model, against differences of the likelihood."""
    rbm = make_rbm("bernoulli")
    data = V[[0, 3, 5, 5, 12]]
    model = torch.softmax(-rbm.free_energy(V), dim=0)
    h_data, h_model = rbm.hidden_proba(data), rbm.hidden_proba(V)
    statistics = {
        "weight": h_data.T @ data / 5 - (h_model * model[:, None]).T @ V,
        "hidden_bias": h_data.mean(0) - model @ h_model,
        "visible_bias": data.mean(0) - model @ V,
    }
    for name, expected in statistics.items():
        parameter = getattr(rbm, name)
        flat, differences = parameter.view(-1), []
        for i in range(len(flat)):
            ends = []
            for step in (1e-5, -2e-5):
                flat[i] += step
                ends.append(log_likelihood(rbm, data).item())
            flat[i] += 1e-5
            differences.append((ends[0] - ends[1]) / 2e-5)
        np.testing.assert_allclose(expected.reshape(-1), differences, atol=1e-8, err_msg=name)
        parameter.requires_grad_()
        (by_autograd,) = torch.autograd.grad(log_likelihood(rbm, data), parameter)
        torch.testing.assert_close(by_autograd, expected)
        parameter.requires_grad_(False)


def test_agrees_with_scikit_learn():
    rbm = make_rbm("bernoulli")
    reference = BernoulliRBM(n_components=N_HIDDEN).fit(V.numpy())
    reference.components_ = rbm.weight.numpy()
    reference.intercept_hidden_ = rbm.hidden_bias.numpy()
    reference.intercept_visible_ = rbm.visible_bias.numpy()
    inputs = torch.rand(20, N_VISIBLE, generator=torch.Generator().manual_seed(2)).double()
    np.testing.assert_allclose(rbm.hidden_proba(inputs), reference.transform(inputs.numpy()))
    np.testing.assert_allclose(rbm.free_energy(inputs), reference._free_energy(inputs.numpy()))


def test_order_of_the_hidden_units_does_not_matter():
    rbm, order = make_rbm("bernoulli"), [2, 0, 1]
    permuted = RBM(rbm.weight[order], rbm.hidden_bias[order], visible="bernoulli")
    permuted.visible_bias.copy_(rbm.visible_bias)
    torch.testing.assert_close(permuted.free_energy(V), rbm.free_energy(V))
    torch.testing.assert_close(permuted.hidden_proba(V), rbm.hidden_proba(V)[:, order])
    torch.testing.assert_close(permuted.visible_mean(H[:, order]), rbm.visible_mean(H))


def test_free_energy_without_weights():
    zero = torch.zeros(N_HIDDEN, N_VISIBLE, dtype=torch.float64)
    rbm = RBM(zero, zero[:, 0], visible="gaussian")
    v = real_inputs()
    expected = v.square().sum(1) / 2 - N_HIDDEN * np.log(2)
    torch.testing.assert_close(rbm.free_energy(v), expected)


@pytest.mark.parametrize("visible", ["bernoulli", "gaussian"])
def test_free_energy_and_conditionals_of_large_inputs_are_finite(visible):
    rbm = make_rbm(visible)
    v = 1e4 * real_inputs()
    for quantity in (rbm.free_energy(v), rbm.hidden_proba(v), rbm.visible_mean(1e4 * H)):
        assert quantity.isfinite().all()


@pytest.mark.parametrize("visible", ["bernoulli", "gaussian"])
def test_moments_of_the_samples(visible):
    rbm, n = make_rbm(visible), 40_000
    h = H[5].expand(n, -1)
    v = rbm.sample_visible(h, torch.Generator().manual_seed(0))
    mean = rbm.visible_mean(H[5][None])[0]
    variance = mean * (1 - mean) if visible == "bernoulli" else torch.ones(N_VISIBLE).double()
    # Five standard errors: passes for all but one seed in 10^5.
    assert ((v.mean(0) - mean).abs() < 5 * (variance / n).sqrt()).all()
    torch.testing.assert_close(v.var(0), variance, rtol=0.05, atol=0.0)
    correlation = torch.corrcoef(v.T) - torch.eye(N_VISIBLE)
    assert correlation.abs().max() < 5 / n**0.5
    assert v.dtype == torch.float64


def test_bernoulli_samples_are_zero_or_one():
    rbm = make_rbm("bernoulli")
    v = rbm.sample_visible(H, torch.Generator().manual_seed(0))
    assert set(v.unique().tolist()) == {0.0, 1.0}


def test_bernoulli_of_certain_events():
    proba = torch.tensor([0.0, 1.0]).expand(10_000, 2)
    draws = bernoulli(proba, torch.Generator().manual_seed(0))
    assert (draws == proba).all()


def test_samples_come_from_the_generator_alone():
    rbm, state = make_rbm("gaussian"), torch.random.get_rng_state()
    draws = [rbm.sample_visible(H, torch.Generator().manual_seed(seed)) for seed in (3, 3, 4)]
    assert (draws[0] == draws[1]).all()
    assert (draws[0] != draws[2]).any()
    assert (torch.random.get_rng_state() == state).all()


def test_parameters_are_shared_and_the_visible_bias_begins_at_zero():
    weight, bias = torch.ones(3, 4), torch.ones(3)
    rbm = RBM(weight, bias, visible="gaussian")
    assert rbm.weight is weight
    assert rbm.hidden_bias is bias
    assert rbm.visible_bias.tolist() == [0.0] * 4
