"""Dense networks: values, initial weights, dropout and the source of their randomness."""

import pytest
import torch

from skimbal.modules import ACTIVATIONS, MLP, Dropout


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def make_mlp(sizes=(8, 5), *, activation="relu", dropout=0.0, n_inputs=6, n_classes=3, seed=0):
    return MLP(
        n_inputs,
        sizes,
        n_classes,
        activation=activation,
        dropout=dropout,
        generator=generator(seed),
        noise_generator=generator(seed + 1),
    )


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_layers_are_applied_one_after_another(activation):
    network = make_mlp(activation=activation)
    x = torch.randn(7, 6, generator=generator())
    features = x
    for layer in network.hidden_layers():
        features = ACTIVATIONS[activation]()(features @ layer.weight.T + layer.bias)
    assert features.shape == (7, 5)
    logits, returned = network(x, with_features=True)
    torch.testing.assert_close(returned, features)
    torch.testing.assert_close(logits, features @ network.output.weight.T + network.output.bias)


def test_inputs_are_flattened():
    x = torch.randn(4, 2, 3, generator=generator())
    network = make_mlp()
    torch.testing.assert_close(network(x), network(x.reshape(4, 6)))


def test_value_by_hand():
    network = make_mlp((2,), n_inputs=2, n_classes=2)
    hidden = network.hidden_layers()[0]
    with torch.no_grad():
        hidden.weight.copy_(torch.tensor([[1.0, 2.0], [-1.0, 0.5]]))
        hidden.bias.copy_(torch.tensor([0.5, 0.0]))
        network.output.weight.copy_(torch.tensor([[1.0, 1.0], [2.0, -3.0]]))
    # relu([1.5, -1]) = [1.5, 0]
    assert network(torch.tensor([[1.0, 0.0]])).tolist() == [[1.5, 3.0]]


def test_no_hidden_layer_is_a_linear_model():
    network = make_mlp(())
    x = torch.randn(4, 6, generator=generator())
    torch.testing.assert_close(network(x), x @ network.output.weight.T)
    assert network.hidden_layers() == []


def test_hidden_layers_from_the_input_up():
    layers = make_mlp((8, 5, 4), dropout=0.5).hidden_layers()
    assert [(layer.in_features, layer.out_features) for layer in layers] == [(6, 8), (8, 5), (5, 4)]


def test_initial_weights_fill_the_glorot_interval():
    network = make_mlp((200, 100), n_inputs=50, n_classes=4)
    for layer in [*network.hidden_layers(), network.output]:
        bound = (6 / (layer.in_features + layer.out_features)) ** 0.5
        assert 0.95 * bound < layer.weight.abs().max() <= bound
        assert layer.weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.05)
        assert not layer.bias.any()


def test_same_generator_same_weights():
    one, same, other = (make_mlp(seed=seed).state_dict() for seed in (0, 0, 1))
    assert all((one[name] == same[name]).all() for name in one)
    assert (one["output.weight"] != other["output.weight"]).any()


def test_global_random_state_is_not_touched():
    before = torch.random.get_rng_state()
    network = make_mlp(dropout=0.5)
    network.train()(torch.ones(3, 6))
    assert (torch.random.get_rng_state() == before).all()


def test_dropout_keeps_the_mean_and_drops_its_share():
    y = Dropout(0.25, generator())(torch.ones(200_000))
    assert y.unique().tolist() == [0.0, pytest.approx(4 / 3)]
    assert (y == 0).float().mean().item() == pytest.approx(0.25, abs=0.005)
    assert y.mean().item() == pytest.approx(1.0, abs=0.01)


def test_dropout_draws_anew_for_each_batch_from_its_generator():
    layer, twin = Dropout(0.5, generator()), Dropout(0.5, generator())
    x = torch.ones(50)
    first = layer(x)
    assert (first == twin(x)).all()
    assert (first != layer(x)).any()


def test_dropout_does_nothing_in_prediction():
    network = make_mlp(dropout=0.5)
    x = torch.randn(4, 6, generator=generator())
    assert (network.train()(x) != network(x)).any()
    state = network.features[3].generator.get_state()
    torch.testing.assert_close(network.eval()(x), make_mlp()(x))
    assert (network.features[3].generator.get_state() == state).all()


def test_dropout_of_nothing_makes_no_layer():
    assert not any(isinstance(layer, Dropout) for layer in make_mlp().modules())
    assert sum(isinstance(layer, Dropout) for layer in make_mlp(dropout=0.1).modules()) == 2
