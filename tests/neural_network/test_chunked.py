import gc
import os
import tracemalloc
import warnings
from itertools import accumulate

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from skorch.callbacks import Callback
from torch.profiler import ProfilerActivity, profile

from skimbal import (
    CNN1DClassifier,
    CNN2DClassifier,
    DBNClassifier,
    MLPClassifier,
    NetClassifier,
    TunedCostClassifierCV,
)
from skimbal._training.chunked import (
    ChunkedBatches,
    ChunkedInputs,
    ChunkOrder,
    drawn_rows,
    own_pages,
)
from skimbal.exceptions import NonFiniteLossError
from skimbal.neural_network import cross_fit
from skimbal.preprocessing import ChunkedTable
from skimbal.sampling import resolve_batches

rng = np.random.default_rng(0)
N = 4000
X = rng.normal(size=(N, 64)).astype(np.float32)
Y = (X[:, 0] + X[:, 1] + 0.3 * rng.normal(size=N) > 1.6).astype(int)
SMALL = {"batch_size": 64, "max_epochs": 2, "random_state": 0}


def two_layers(input_shape, n_classes):
    """A module that is no stack: it has batch normalization."""
    first, last = torch.nn.Linear(*input_shape, 8), torch.nn.Linear(8, n_classes)
    return torch.nn.Sequential(first, torch.nn.BatchNorm1d(8), torch.nn.ReLU(), last)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files that are sorted by class, as the worst case for chunks."""
    folder = tmp_path_factory.mktemp("rows")
    order = np.argsort(Y, kind="stable")
    np.save(folder / "a.npy", X[order][:2500])
    np.save(folder / "b.npy", X[order][2500:])
    return folder


@pytest.fixture(scope="module")
def labels():
    return np.sort(Y)


def table_of(folder, buffer_bytes=2**21):
    return ChunkedTable.from_npy(folder, buffer_bytes=buffer_bytes)


NETWORKS = {
    "mlp": MLPClassifier(**SMALL),
    "mixup": MLPClassifier(mixup=0.2, augmentation="noise", **SMALL),
    "balanced": MLPClassifier(sampler="balanced", **SMALL),
    "two_phase": MLPClassifier(sampler="two_phase", **SMALL),
    "dynamic": MLPClassifier(sampler="dynamic", class_weight="balanced", **SMALL),
    "early": MLPClassifier(early_stopping=True, scoring="roc_auc", **SMALL),
    "scored": MLPClassifier(scoring="roc_auc", **SMALL),
    "dbn": DBNClassifier(pretrain_epochs=2, pretrain_class_weight="balanced", **SMALL),
    "net": NetClassifier(two_layers, **SMALL),
    "net_balanced": NetClassifier(two_layers, sampler="balanced", mixup=0.2, **SMALL),
}


@pytest.mark.parametrize(
    ("name", "is_weighted"),
    [
        *((name, False) for name in NETWORKS),
        *((name, True) for name in ("mlp", "two_phase", "net")),
    ],
)
def test_fit_and_predict(name, is_weighted, folder, labels):
    table, network = table_of(folder), NETWORKS[name]
    weight = np.where(np.arange(N) % 3 == 0, 0.0, 1.0 + np.arange(N) % 2) if is_weighted else None
    proba = network.fit(table, labels, weight).predict_proba(table)
    rows = np.asarray(table)
    np.testing.assert_array_equal(proba, network.predict_proba(rows))
    for method in ("predict", "predict_log_proba", "decision_function", "transform"):
        of_table, of_rows = (getattr(network, method)(given) for given in (table, rows))
        np.testing.assert_array_equal(of_table, of_rows)
    assert network.score(table, labels) == network.score(rows, labels)
    again = network.fit(table, labels, weight).predict_proba(table)
    np.testing.assert_array_equal(again, proba)  # the same seed
    assert proba[labels == 1, 1].mean() > proba[labels == 0, 1].mean()


def test_a_network_learns_as_from_the_array(folder, labels):
    network = MLPClassifier(batch_size=128, max_epochs=5, random_state=0)
    rows = np.asarray(table_of(folder))
    in_memory = network.fit(rows, labels).history_["train_loss"].iloc[-1]
    mean, scale = network.input_mean_, network.input_scale_
    in_chunks = network.fit(table_of(folder), labels).history_["train_loss"].iloc[-1]
    assert in_chunks == pytest.approx(in_memory, rel=0.3)
    np.testing.assert_allclose(network.input_mean_, mean, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(network.input_scale_, scale, rtol=1e-12)


class Drawn:
    """The first column of the rows of a buffer, in the order in which they are drawn."""

    def __init__(self, X, target, weight, order):
        self.X, self.orders = X, [order]

    def epoch(self, plans):
        yield self.X[self.orders[0].draw(), 0].numpy().astype(int)


def epoch_of(table, labels, sampler=None, n_epochs=1):
    """The numbers of the rows of each buffer of the last epoch, and the batches."""
    inputs = ChunkedInputs(table, lambda X: X[:, :1])
    counts = np.bincount(labels).astype(float)
    order = ChunkOrder(torch.Generator().manual_seed(0), len(table), sampler, counts)
    batches = ChunkedBatches(inputs, torch.as_tensor(labels), None, 100, order, Drawn)
    for epoch in range(n_epochs):
        order.begin_epoch(epoch + 1, n_epochs)
        buffers = list(batches.epoch([None]))
    return buffers, batches


@pytest.fixture(scope="module")
def numbered(tmp_path_factory):
    """Rows whose first column is their number."""
    path = tmp_path_factory.mktemp("numbered") / "a.npy"
    rows = np.zeros((60_000, 16), dtype=np.float32)
    rows[:, 0] = np.arange(len(rows))
    np.save(path, rows)
    return path


def test_each_row_comes_once_and_far_rows_are_mixed(numbered):
    labels = np.zeros(60_000, dtype=int)
    buffers, _ = epoch_of(ChunkedTable.from_npy(numbered, buffer_bytes=2**22), labels)
    assert len(buffers) > 2
    assert {len(rows) % 100 for rows in buffers} == {0}
    np.testing.assert_array_equal(np.sort(np.concatenate(buffers)), np.arange(60_000))
    for rows in buffers:  # 4096 rows are a chunk
        assert len(np.unique(rows // 4096)) >= 3
        assert np.abs(np.corrcoef(rows, np.arange(len(rows)))[0, 1]) < 0.05
    again, _ = epoch_of(ChunkedTable.from_npy(numbered, buffer_bytes=2**22), labels)
    np.testing.assert_array_equal(np.concatenate(again), np.concatenate(buffers))
    second, _ = epoch_of(ChunkedTable.from_npy(numbered, buffer_bytes=2**22), labels, None, 2)
    assert not np.array_equal(np.concatenate(second), np.concatenate(buffers))


def test_balanced_batches_of_rows_that_are_sorted_by_class(numbered):
    labels = np.zeros(60_000, dtype=int)
    labels[-300:] = 2  # few: all stay in memory
    labels[-10_300:-300] = 1
    table = ChunkedTable.from_npy(numbered, buffer_bytes=2**22)
    buffers, batches = epoch_of(table, labels, resolve_batches("balanced"))
    assert batches.is_whole.tolist() == [False, False, True]
    for rows in buffers:
        share = np.bincount(labels[rows], minlength=3) / len(rows)
        np.testing.assert_allclose(share, 1 / 3, atol=0.03)
    drawn = np.concatenate(buffers)
    assert len(drawn) == 60_000
    assert (np.bincount(drawn, minlength=60_000)[-300:] > 20).all()


def test_drawn_rows_are_as_many_as_asked_for_and_uniform():
    targets = np.repeat(np.array([0, 1], dtype=np.uint8), [300_000, 200])[::-1]
    total = np.zeros(len(targets))
    for seed in range(50):
        mask = drawn_rows(targets, [30_000, 20], np.random.RandomState(seed))
        assert np.bincount(targets[mask]).tolist() == [30_000, 20]
        total += mask
    assert total[targets == 0].mean() == pytest.approx(5.0)
    assert total.max() < 25
    halves = total[targets == 0].reshape(2, -1).mean(axis=1)
    np.testing.assert_allclose(halves, 5.0, rtol=0.01)


@pytest.mark.parametrize(
    ("network", "mode"),
    [
        (MLPClassifier(**SMALL), "r"),
        (MLPClassifier(standardize=False, **SMALL), "r"),
        (MLPClassifier(**SMALL), "r+"),
        (MLPClassifier(early_stopping=True, sampler="balanced", **SMALL), "c"),
        (DBNClassifier(pretrain_epochs=1, **SMALL), "r"),
        (NetClassifier(two_layers, **SMALL), "r"),
    ],
    ids=["mlp", "as_given", "writable", "copied_on_write", "dbn", "net"],
)
def test_a_memory_map_is_as_good_as_the_array(network, mode, tmp_path):
    rows = np.tile(X, (5, 1))  # large enough not to be copied
    labels = np.tile(Y, 5)
    np.save(tmp_path / "a.npy", rows)
    mapped = np.load(tmp_path / "a.npy", mmap_mode=mode)
    expected = network.set_params(batch_size=2048, max_epochs=1).fit(rows, labels)
    proba = expected.predict_proba(rows[:100])
    network.fit(mapped, labels)
    np.testing.assert_array_equal(network.predict_proba(mapped[:100]), proba)
    np.testing.assert_array_equal(mapped, rows)


def test_partial_fit_and_cost_search(folder, labels):
    table, network = table_of(folder), MLPClassifier(**SMALL)
    network.partial_fit(table, labels, classes=[0, 1]).partial_fit(table, labels)
    assert network.n_iter_ == 2
    tuned = TunedCostClassifierCV(network, cv="prefit").fit(table, labels)
    assert tuned.predict(table).shape == (N,)
    tuned = TunedCostClassifierCV(network, cv=0.2, random_state=0).fit(table, labels)
    assert tuned.best_score_ > 0.7
    proba = cross_fit(network, table, labels, 2)
    assert np.isfinite(proba).all()


def test_networks_of_one_population_are_as_single_ones(folder, labels):
    table, half = table_of(folder), np.arange(N) % 2 == 0
    network = MLPClassifier(**SMALL)
    proba = cross_fit(network, table, labels, [(half.nonzero()[0], (~half).nonzero()[0])])
    alone = network.fit(table[half], labels[half]).predict_proba(table[~half])
    np.testing.assert_array_equal(proba[~half], alone)


def test_signals_and_images(tmp_path):
    signals = X[:800].reshape(800, 4, 16)
    np.save(tmp_path / "signals.npy", signals)
    table = ChunkedTable.from_npy(tmp_path / "signals.npy")
    network = CNN1DClassifier(max_epochs=1, random_state=0).fit(table, Y[:800])
    np.testing.assert_array_equal(network.predict_proba(table), network.predict_proba(signals))
    mlp = MLPClassifier(max_epochs=1, random_state=0).fit(table, Y[:800])
    np.testing.assert_array_equal(mlp.predict_proba(table), mlp.predict_proba(signals))
    np.save(tmp_path / "images.npy", X[:800].reshape(800, 8, 8))
    gray = ChunkedTable.from_npy(tmp_path / "images.npy")
    with pytest.raises(ValueError, match=r"images of shape \(n_channels, height, width\)"):
        CNN2DClassifier(max_epochs=1).fit(gray, Y[:800])
    with pytest.raises(ValueError, match=r"write the rows as \(n_samples, n_features\)"):
        DBNClassifier().fit(table, Y[:800])


def test_names_of_columns(tmp_path):
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame(X[:500, :3], columns=["wear", "force", "heat"]).assign(failed=Y[:500])
    frame.to_parquet(tmp_path / "a.parquet", row_group_size=100)
    table = ChunkedTable.from_parquet(tmp_path, label="failed")
    network = MLPClassifier(max_epochs=1, random_state=0).fit(table, table.y)
    assert network.feature_names_in_.tolist() == ["wear", "force", "heat"]
    expected = network.predict_proba(frame.drop(columns="failed"))
    np.testing.assert_array_equal(network.predict_proba(table), expected)
    other = ChunkedTable.from_parquet(tmp_path, columns=["wear", "heat", "force"])
    with pytest.raises(ValueError, match="feature names"):
        network.predict(other)


def peak_of_live_bytes(function):
    """Bytes of the tensors and arrays that a function has at a time; not those of the allocator.

    The peaks of tensors and of arrays are added, which is at least the peak of both.
    """
    gc.collect()
    tracemalloc.start()
    try:
        with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as record:
            before, _ = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            function()
            arrays = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    events = [e for e in record.profiler.kineto_results.events() if e.name() == "[memory]"]
    events.sort(key=lambda event: event.start_ns())
    return arrays + max(accumulate(event.nbytes() for event in events))


@pytest.mark.parametrize(
    ("name", "buffer_bytes"),
    [
        *((name, 2**24) for name in ("mlp", "balanced", "dbn")),
        pytest.param("dbn", 2**25, marks=pytest.mark.slow),
    ],
)
def test_tensors_and_arrays_of_a_fit_take_at_most_the_buffer(
    name, buffer_bytes, tmp_path, monkeypatch
):
    n_rows = buffer_bytes // 100  # 1.28 times the buffer
    rows = np.random.default_rng(0).random((n_rows, 32), dtype=np.float32)
    labels = np.arange(n_rows) % 2
    np.save(tmp_path / "a.npy", rows)
    # The pages of a buffer are not seen by the profiler of torch.
    monkeypatch.setattr(
        "skimbal._training.chunked.own_pages",
        lambda shape, dtype, device: torch.empty(shape, dtype=dtype, device=device),
    )
    settings = {"batch_size": 4096, "hidden_layer_sizes": (8,), "early_stopping": False}
    network = clone(NETWORKS[name]).set_params(max_epochs=1, **settings)
    network.fit(ChunkedTable.from_npy(tmp_path / "a.npy")[:2000], labels[:2000])  # imports modules
    table = ChunkedTable.from_npy(tmp_path / "a.npy", buffer_bytes=buffer_bytes)
    peak = peak_of_live_bytes(lambda: network.fit(table, labels))
    assert 0.5 * buffer_bytes < peak < 1.3 * buffer_bytes


def test_a_prediction_takes_its_answer_and_some_blocks(tmp_path):
    rows = np.random.default_rng(0).random((200_000, 32), dtype=np.float32)  # 26 MB
    np.save(tmp_path / "a.npy", rows)
    network = NETWORKS["mlp"].fit(rows[:2000], np.arange(2000) % 2)
    table = ChunkedTable.from_npy(tmp_path / "a.npy")
    network.predict_proba(table[:2000])  # imports modules
    answer = 200_000 * 2 * 8
    assert peak_of_live_bytes(lambda: network.predict_proba(table)) < answer + 2**24


def test_pages_of_a_buffer():
    tensor = own_pages((3, 2), torch.float64, torch.device("cpu"))
    tensor.copy_(torch.arange(6.0).view(3, 2))
    assert tensor.dtype == torch.float64
    assert tensor.tolist() == [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
    assert own_pages((0, 2), torch.float32, torch.device("cpu")).shape == (0, 2)


# ---------------------------------------------------------------- bad input


class Touches(Callback):
    """Changes a file at the end of the first epoch."""

    def __init__(self, path):
        self.path = path

    def on_epoch_end(self, net, **kwargs):
        state = os.stat(self.path)
        os.utime(self.path, ns=(state.st_atime_ns, state.st_mtime_ns + 1_000_000))


@pytest.mark.parametrize("kind", ["chunks", "memory map"])
def test_a_file_that_changes_leaves_the_network_as_it_was(kind, tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, X)
    rows = ChunkedTable.from_npy(path) if kind == "chunks" else np.load(path, mmap_mode="r")
    network = MLPClassifier(**SMALL).fit(rows, Y)
    expected, net = network.predict_proba(X), network.net_
    network.set_params(callbacks=[lambda: Touches(path)], random_state=1)
    with pytest.raises(ValueError, match=r"a\.npy has changed while its rows were in use"):
        network.fit(rows, Y)
    assert network.net_ is net
    np.testing.assert_array_equal(network.predict_proba(X), expected)


def test_partial_fit_on_a_memory_map_that_changes(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, X)
    rows = np.load(path, mmap_mode="r")
    network = MLPClassifier(callbacks=[lambda: Touches(path)], **SMALL).fit(X, Y)
    expected = network.predict_proba(X)
    with pytest.raises(ValueError, match=r"a\.npy has changed"):
        network.partial_fit(rows, Y)
    np.testing.assert_array_equal(network.predict_proba(X), expected)


def test_labels_of_another_length(folder, labels):
    with pytest.raises(ValueError, match=r"inconsistent numbers of samples: \[4000, 3999\]"):
        MLPClassifier().fit(table_of(folder), labels[1:])


def test_a_chunk_with_a_missing_number(tmp_path):
    bad = X.copy()
    bad[3000, 3] = np.nan
    np.save(tmp_path / "a.npy", bad)
    table = ChunkedTable.from_npy(tmp_path)
    network = MLPClassifier(**SMALL)
    with pytest.raises(ValueError, match=r"row 3000 of .*a\.npy has nan in column 3"):
        network.fit(table, Y)
    assert not hasattr(network, "classes_")
    network.fit(table[:3000], Y[:3000])
    with pytest.raises(ValueError, match=r"row 3000 of .*a\.npy has nan"):
        network.predict_proba(table)


def test_numbers_beyond_float32(tmp_path):
    bad = X.astype(np.float64)
    bad[3000, 3] = 1e300
    np.save(tmp_path / "a.npy", bad)
    with pytest.raises(ValueError, match=r"in rows 0 to 4000 of X: sample 3000 .* size 1e\+300"):
        MLPClassifier(**SMALL).fit(ChunkedTable.from_npy(tmp_path), Y)


def test_robust_standardization_is_refused(folder, labels):
    network = MLPClassifier(standardize="robust", **SMALL)
    with pytest.raises(ValueError, match="standardize='robust' needs all values of a column"):
        network.fit(table_of(folder), labels)
    assert not hasattr(network, "classes_")


def test_a_buffer_that_is_too_small_says_how_large_it_must_be(folder, labels):
    network = MLPClassifier(**SMALL)
    with pytest.raises(ValueError, match=r"too small for chunks of 1024 .* buffer_bytes=\d+ or"):
        network.fit(table_of(folder, 2**17), labels)
    try:
        network.fit(table_of(folder, 2**17), labels)
    except ValueError as error:
        least = int(str(error).split("give buffer_bytes=")[1].split()[0])
    network.fit(table_of(folder, least), labels)


def test_a_class_of_one_row(folder):
    labels = np.zeros(N, dtype=int)
    labels[5] = 1
    with pytest.raises(ValueError, match="class 1 has 1 sample, but early_stopping=True needs 2"):
        MLPClassifier(early_stopping=True, **SMALL).fit(table_of(folder), labels)


def test_a_loss_that_diverges_leaves_nothing(folder, labels):
    network = MLPClassifier(optimizer="sgd", learning_rate=1e30, **SMALL)
    with warnings.catch_warnings(), pytest.raises(NonFiniteLossError, match="lower learning_rate"):
        network.fit(table_of(folder), labels)
    assert not hasattr(network, "net_")


def test_bernoulli_units_take_numbers_from_0_to_1(tmp_path, folder, labels):
    with pytest.raises(ValueError, match=r"X lies in \[-.*visible='bernoulli'"):
        DBNClassifier(visible="bernoulli", **SMALL).fit(table_of(folder), labels)
    np.save(tmp_path / "a.npy", X > 0)
    network = DBNClassifier(pretrain_epochs=1, **SMALL).fit(ChunkedTable.from_npy(tmp_path), Y)
    assert network.visible_ == "bernoulli"
    np.testing.assert_array_equal(
        network.predict_proba(ChunkedTable.from_npy(tmp_path)), network.predict_proba(X > 0)
    )
