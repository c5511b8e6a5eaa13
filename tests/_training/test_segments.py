import numpy as np
import pytest

from skimbal import DBNClassifier, MLPClassifier
from skimbal._training import batches, segments

rng = np.random.default_rng(0)
X = rng.normal(size=(1500, 6)).astype(np.float32)
Y = (X[:, 0] + X[:, 1] > 1.0).astype(int)
WEIGHT = rng.uniform(0.5, 2.0, size=1500)
SMALL = {"batch_size": 100, "max_epochs": 2, "random_state": 0}


@pytest.mark.parametrize(
    "network",
    [
        MLPClassifier(**SMALL),
        MLPClassifier(sampler="two_phase", augmentation="noise", **SMALL),
        MLPClassifier(sampler="balanced", dropout=0.2, loss="ldam", **SMALL),
        MLPClassifier(mixup=0.2, **SMALL),
        DBNClassifier(pretrain_epochs=2, **SMALL),
        DBNClassifier(pretrain_epochs=2, persistent=True, visible="gaussian", **SMALL),
    ],
    ids=["mlp", "two_phase", "balanced", "mixup", "dbn", "persistent"],
)
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["", "weighted"])
def test_an_epoch_in_segments_is_the_same_epoch(network, weight, monkeypatch):
    expected = network.fit(X, Y, weight).predict_proba(X)
    made = []
    monkeypatch.setattr(batches, "ROWS_OF_SEGMENT", 350)
    monkeypatch.setattr(segments, "ROWS_OF_SEGMENT", 350)
    buffers = segments.SegmentedBatches._buffers
    monkeypatch.setattr(
        segments.SegmentedBatches,
        "_buffers",
        lambda self: (made.append(len(b.row_of_slot)) or b for b in buffers(self)),
    )
    np.testing.assert_array_equal(network.fit(X, Y, weight).predict_proba(X), expected)
    assert bool(made) == (not network.mixup or isinstance(network, DBNClassifier))
    assert len(made) % 4 == 0  # of 400, 400, 400 and 300 rows
