"""The wrapper of a user's network: last layer, features, frozen parts and random numbers."""

from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy

import pytest
import torch
from torch import nn

from skimbal.modules import Dropout, OwnNetwork, replace_dropout, seeded


def layers(*more):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), *more, nn.ReLU(), nn.Linear(4, 2))


X = torch.linspace(-1.0, 1.0, 15).view(5, 3)


def test_features_are_what_the_last_layer_is_given():
    own = OwnNetwork(layers(), "2")
    logits, features = own(X, with_features=True)
    assert torch.equal(logits, own.output(features))
    assert torch.equal(logits, own(X))
    assert not own.output._forward_pre_hooks


def test_a_network_without_a_last_layer_has_no_features():
    logits, features = OwnNetwork(layers())(X, with_features=True)
    assert logits.shape == (5, 2)
    assert features.shape == (5, 0)
    with pytest.raises(ValueError, match="no features"):
        _ = OwnNetwork(layers()).output


def test_threads_get_their_own_features():
    own = OwnNetwork(nn.Sequential(nn.Identity(), nn.Linear(3, 2)), "1").eval()
    inputs = [torch.full((2, 3), float(i)) for i in range(40)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda x: own(x, with_features=True)[1], inputs))
    assert all(torch.equal(*pair) for pair in zip(found, inputs, strict=True))


@pytest.mark.parametrize(("network", "head"), [(layers(), "2"), (nn.Linear(3, 2), "")])
def test_the_last_layer_is_replaced(network, head):
    own = OwnNetwork(network, head, frozen=[name for name, _ in network.named_parameters()])
    layer = nn.Linear(own.output.in_features, 7)
    own.replace_output(layer)
    assert own.output is layer
    assert own(X).shape == (5, 7)
    assert all(parameter.requires_grad for parameter in layer.parameters())
    assert own.frozen == (("0.weight", "0.bias") if head else ())


def test_frozen_parts_are_evaluated_until_their_epoch():
    body = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Sequential(nn.Dropout(0.5)))
    network = nn.Sequential(body, nn.Linear(4, 2))
    frozen = [name for name, _ in network.named_parameters() if name.startswith("0.")]
    own = OwnNetwork(network, "1", frozen=frozen, unfreeze_epoch=3).train()
    assert own.frozen_parts == ("0",)
    assert not any(part.training for part in body.modules())
    assert network[1].training
    for epoch, is_trained in ((1, False), (2, False), (3, True)):
        own.begin_epoch(epoch)
        own.train()
        assert all(part.training == is_trained for part in body.modules())
        assert all(p.requires_grad == is_trained for p in body.parameters())


def test_a_part_of_which_one_parameter_is_trained_stays_in_training():
    own = OwnNetwork(layers(nn.BatchNorm1d(4)), frozen=["0.weight", "1.weight", "1.bias"]).train()
    assert own.frozen_parts == ("1",)
    assert own.network[0].training


def test_batch_normalization_of_a_single_row():
    own = OwnNetwork(layers(nn.BatchNorm1d(4))).train()
    norm = own.network[1]
    own(X)
    moments = norm.running_mean.clone(), norm.running_var.clone()
    expected = deepcopy(own).eval()(X[:1])
    torch.testing.assert_close(own(X[:1]), expected)
    assert torch.equal(norm.running_mean, moments[0])
    assert torch.equal(norm.running_var, moments[1])
    assert norm.training


def test_channels_of_a_single_image_have_moments():
    network = nn.Sequential(nn.BatchNorm2d(1), nn.Flatten(), nn.Linear(4, 2))
    own = OwnNetwork(network).train()
    own(torch.arange(4.0).view(1, 1, 2, 2))
    assert int(network[0].num_batches_tracked) == 1


def test_random_numbers_are_drawn_from_the_generator():
    network = nn.Sequential(nn.Dropout(0.5), nn.Linear(3, 2))
    outputs = []
    for seed in (0, 0, 1):
        own = OwnNetwork(network, generator=torch.Generator().manual_seed(seed)).train()
        torch.manual_seed(seed)
        state = torch.get_rng_state()
        outputs.append(torch.stack([own(X) for _ in range(4)]))
        assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(outputs[0], outputs[1])
    assert not torch.equal(outputs[0], outputs[2])
    assert not torch.equal(outputs[0][0], outputs[0][1])


def test_dropout_is_replaced_once_for_each_layer():
    shared = nn.Dropout(0.3)
    network = nn.Sequential(shared, nn.Sequential(nn.Dropout(0.0), shared), nn.AlphaDropout(0.2))
    generator = torch.Generator()
    replace_dropout(network, generator)
    assert type(network[0]) is Dropout
    assert network[0] is network[1][1]
    assert (network[0].p, network[0].generator) == (0.3, generator)
    assert type(network[1][0]) is nn.Dropout  # it draws nothing
    assert type(network[2]) is nn.AlphaDropout


def test_a_seed_holds_for_a_block():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    with seeded(5, "cpu"):
        first = torch.rand(3)
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(torch.rand(3, generator=torch.Generator().manual_seed(5)), first)
