"""The dense networks that the tests run over."""

import pytest

from skimbal import DBNClassifier, MLPClassifier

NETWORKS = [
    MLPClassifier(hidden_layer_sizes=(8,), max_epochs=15, learning_rate=0.01, random_state=0),
    DBNClassifier(
        hidden_layer_sizes=(8,),
        max_epochs=15,
        pretrain_epochs=2,
        learning_rate=0.02,
        random_state=0,
    ),
]


each_network = pytest.mark.parametrize("network", NETWORKS, ids=lambda n: type(n).__name__)
