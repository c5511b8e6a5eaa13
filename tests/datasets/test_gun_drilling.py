"""The simulated gun drills: counts, splits, seeds, files and what wear does to the signals."""

import numpy as np
import pytest

from skimbal.datasets import _gun_drilling as module
from skimbal.datasets import make_gun_drilling
from skimbal.datasets._gun_drilling import ARRAYS, wear_curve

N = 22_000


@pytest.fixture(scope="module")
def drills():
    return make_gun_drilling(N, random_state=0)


def test_counts_are_those_that_were_asked_for(drills):
    assert drills.data.shape == (N, 14)
    assert drills.target.sum() == N / 11
    assert drills.tools["state"].value_counts().to_dict() == {"worn": 11, "chipped": 6, "broken": 3}
    assert make_gun_drilling(N, imbalance_ratio=1, random_state=0).target.mean() == 0.5


def test_a_tool_has_its_share_of_the_machining_time(drills):
    share = drills.tools.machining_time_s / drills.tools.machining_time_s.sum()
    np.testing.assert_allclose(np.bincount(drills.tool) / N, share, atol=1e-4)


def test_depth_is_speed_times_feed_times_time(drills):
    """50 mm, as the article says."""
    tools = drills.tools
    depth_mm = tools.spindle_speed_rpm * tools.feed_um / 1000 * tools.machining_time_s / 60
    np.testing.assert_allclose(depth_mm, 50.0, atol=0.01)


def test_a_tool_wears_until_it_is_faulty_and_stays_so(drills):
    for k in range(20):
        wear = drills.wear_mm[drills.tool == k]
        assert (np.diff(wear) >= 0).all()
        np.testing.assert_array_equal(drills.target[drills.tool == k], wear >= np.float32(0.3))


def test_wear_raises_force_torque_and_vibration(drills):
    for k in range(20):
        own = drills.data[drills.tool == k]
        early, late = own[: len(own) // 3], own[-len(own) // 12 :]
        assert (late[:, 12:].mean(axis=0) > 1.1 * early[:, 12:].mean(axis=0)).all()
        assert late[:, :12].std() > early[:, :12].std()


def test_the_wear_curve_starts_at_zero_and_rises():
    assert wear_curve(0.0) == 0.0
    assert wear_curve(1.0) == pytest.approx(1.0)
    assert (np.diff(wear_curve(np.linspace(0, 1.2, 50))) > 0).all()


def test_the_same_seed_gives_the_same_signals(drills):
    again = make_gun_drilling(N, random_state=0)
    np.testing.assert_array_equal(again.data, drills.data)
    assert (make_gun_drilling(N, random_state=1).data != drills.data).any(axis=1).all()


def test_files_hold_what_memory_would(drills, tmp_path):
    written = make_gun_drilling(N, random_state=0, out=tmp_path / "new")
    assert isinstance(written.data, np.memmap)
    for name, dtype in ARRAYS.items():
        assert np.load(tmp_path / "new" / f"{name}.npy").dtype == dtype
        np.testing.assert_array_equal(written[name], drills[name])
    X, y = make_gun_drilling(N, random_state=0, return_X_y=True)
    np.testing.assert_array_equal(X, drills.data)
    np.testing.assert_array_equal(y, drills.target)


def test_an_interrupt_leaves_no_file(tmp_path, monkeypatch):
    def interrupted(arrays, runs):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "fill", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make_gun_drilling(N, out=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_files_are_not_overwritten(tmp_path):
    (tmp_path / "target.npy").write_bytes(b"mine")
    with pytest.raises(ValueError, match=r"has target.npy already; give another folder"):
        make_gun_drilling(N, out=tmp_path)
    assert (tmp_path / "target.npy").read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_samples": 100}, "n_samples=100 is not usable; give an integer >= 2000"),
        ({"n_samples": 2.5e4}, "n_samples=25000.0 is not usable"),
        ({"imbalance_ratio": 0.5}, "imbalance_ratio=0.5 is not usable; give a number >= 1"),
        ({"n_samples": 2000, "imbalance_ratio": 1000}, "leaves a tool without"),
        ({"out": 3}, "out=3 is not usable; give the path of a folder"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_gun_drilling(**arguments)
