"""A stack of RBMs is the hidden part of a sigmoid network."""

import torch

from skimbal.modules import MLP, stack_rbms


def make_network(sizes=(5, 4, 3)):
    generator = torch.Generator().manual_seed(0)
    return MLP(
        6,
        sizes,
        2,
        activation="sigmoid",
        dropout=0.3,
        generator=generator,
        noise_generator=generator,
    )


def test_stack_has_a_machine_for_each_hidden_layer():
    rbms = stack_rbms(make_network(), visible="gaussian")
    assert [tuple(rbm.weight.shape) for rbm in rbms] == [(5, 6), (4, 5), (3, 4)]
    assert [rbm.visible for rbm in rbms] == ["gaussian", "bernoulli", "bernoulli"]
    assert [len(rbm.visible_bias) for rbm in rbms] == [6, 5, 4]


def test_stack_shares_memory_with_the_network():
    network = make_network()
    rbms = stack_rbms(network, visible="bernoulli")
    for i, (rbm, layer) in enumerate(zip(rbms, network.hidden_layers(), strict=True)):
        rbm.weight.fill_(i + 1.0)
        rbm.hidden_bias.fill_(-i)
        assert (layer.weight == i + 1.0).all()
        assert (layer.bias == -i).all()
        assert layer.weight.requires_grad
        assert not rbm.weight.requires_grad


def test_network_is_the_stack_unrolled():
    network = make_network().eval()
    x = torch.randn(7, 6, generator=torch.Generator().manual_seed(1))
    activations = x
    for rbm in stack_rbms(network, visible="gaussian"):
        activations = rbm.hidden_proba(activations)
    torch.testing.assert_close(network.features(x), activations)
