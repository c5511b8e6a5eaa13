"""Small modules and nets to test the parts of the engine with."""

from types import SimpleNamespace

import torch
from torch import nn

from skimbal._training.net import make_net
from skimbal.losses import all_losses, resolve_loss
from skimbal.modules import MLP

N_CLASSES = 3
COUNTS = [50.0, 30.0, 20.0]
COSTS = [[0.0, 1.0, 2.0], [3.0, 0.0, 1.0], [5.0, 2.0, 0.0]]
LOSSES = sorted(all_losses())


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def bound_loss(name="cross_entropy", class_weight=None):
    costs = torch.tensor(COSTS).numpy() if resolve_loss(name).needs_costs else None
    counts = torch.tensor(COUNTS).numpy()
    return resolve_loss(name).bind(counts, class_weight=class_weight, cost_matrix=costs)


def mlp_module(seed=0, sizes=(6, 4), activation="tanh", dropout=0.0):
    given = {"activation": activation, "dropout": dropout}
    seeds = {"generator": generator(seed), "noise_generator": generator(seed + 100)}
    return MLP(5, sizes, N_CLASSES, **given, **seeds)


class Convolution(nn.Module):
    """A convolution, batch normalization and a linear layer, whose parts are named as ours."""

    def __init__(self, seed=0, batch_norm=False):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.features = nn.Sequential(
                nn.Conv1d(2, 4, 3),
                nn.BatchNorm1d(4) if batch_norm else nn.Identity(),
                nn.Tanh(),
                nn.Flatten(),
            )
            self.output = nn.Linear(4 * 6, N_CLASSES)

    def forward(self, x, with_features=False):
        features = self.features(x)
        logits = self.output(features)
        return (logits, features) if with_features else logits


def net_around(module, loss=None, callbacks=(), **settings):
    """An initialized net, with the settings of a training plan."""
    plan = {
        "optimizer": "adam",
        "learning_rate": 0.01,
        "weight_decay": 0.0,
        "batch_size": 8,
        "max_epochs": 5,
        "device": torch.device("cpu"),
        "learning_rates": (),
    }
    plan = SimpleNamespace(**{**plan, **settings})
    loss = bound_loss() if loss is None else loss
    return make_net(module, loss, ["a", "b", "c"], plan, list(callbacks), False)


def gradients_of(module):
    return {name: parameter.grad for name, parameter in module.named_parameters()}
