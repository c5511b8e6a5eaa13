import numpy as np
import pandas as pd
import pytest

from skimbal.datasets import cut_segments
from skimbal.datasets._segments import even_shares, part_bounds


def numbered(*lengths, n_channels=2):
    """Recordings whose samples tell recording and place: 1000 * recording + sample."""
    return [
        np.stack([1000 * r + np.arange(n) + 0.5 * c for c in range(n_channels)]).astype(np.float32)
        for r, n in enumerate(lengths)
    ]


RECORDINGS = numbered(103, 57, 200, 88)
Y = np.array(["a", "a", "b", "c"])


@pytest.mark.parametrize(
    ("n", "capacities", "shares"),
    [
        (0, [3, 3], [0, 0]),
        (1, [3, 3], [1, 0]),
        (6, [3, 3], [3, 3]),
        (7, [1, 9, 2], [1, 4, 2]),
        (8, [0, 5, 5, 5], [0, 3, 3, 2]),
        (5, [5], [5]),
        (0, [0], [0]),
    ],
)
def test_shares_by_hand(n, capacities, shares):
    assert even_shares(n, capacities).tolist() == shares


@pytest.mark.parametrize("seed", range(5))
def test_shares_are_full_even_and_within_the_capacities(seed):
    rng = np.random.default_rng(seed)
    capacities = rng.integers(0, 9, 6)
    for n in range(capacities.sum() + 1):
        shares = even_shares(n, capacities)
        assert shares.sum() == n
        assert (shares <= capacities).all()
        # A place with room left has at most one less than any other.
        assert shares[shares < capacities].min(initial=99) >= shares.max() - 1


def cut(**arguments):
    defaults = {"length": 10, "n_per_class": {"a": 8, "b": 5, "c": 2}, "random_state": 0}
    return cut_segments(RECORDINGS, Y, **{**defaults, **arguments})


def test_segments_are_what_their_start_says():
    segments = cut()
    assert segments.data.shape == (15, 2, 10)
    assert segments.data.dtype == np.float32
    for x, r, s in zip(segments.data, segments.recording, segments.start, strict=True):
        np.testing.assert_array_equal(x, RECORDINGS[r][:, s : s + 10])


def test_counts_classes_and_groups():
    segments = cut(groups=[7, 7, 8, 9])
    assert segments.target.tolist() == ["a"] * 8 + ["b"] * 5 + ["c"] * 2
    np.testing.assert_array_equal(segments.target, Y[segments.recording])
    assert segments.groups.tolist() == [7] * 8 + [8] * 5 + [9] * 2
    np.testing.assert_array_equal(cut().groups, cut().recording)
    assert np.bincount(segments.recording).tolist() == [4, 4, 5, 2]


@pytest.mark.parametrize("seed", range(10))
def test_no_sample_is_in_two_segments(seed):
    segments = cut(n_per_class={"a": 15, "b": 20, "c": 8}, random_state=seed)
    first_channel = segments.data[:, 0].ravel()
    assert len(np.unique(first_channel)) == len(first_channel)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("first", "second"), [((0, 0.5), (0.5, 1)), ((0, 1 / 3), (1 / 3, 0.9))])
def test_parts_that_do_not_overlap_share_no_sample(first, second, seed):
    one, other = (
        cut(part=part, length=7, n_per_class=3, random_state=seed) for part in (first, second)
    )
    assert not np.intersect1d(one.data[:, 0], other.data[:, 0]).size


def test_segments_stay_inside_their_part():
    segments = cut(part=(0.25, 0.75), n_per_class={"b": 10})
    assert sorted(segments.start.tolist()) == list(range(50, 150, 10))
    assert part_bounds(200, (0.25, 0.75)) == (50, 150)


def test_one_number_is_for_every_class():
    assert cut(n_per_class=3).target.tolist() == ["a"] * 3 + ["b"] * 3 + ["c"] * 3


def test_what_is_left_out_of_the_dict_is_left_out():
    assert cut(n_per_class={"c": 1}).target.tolist() == ["c"]
    series = pd.Series([2, 1], ["c", "a"])
    assert cut(n_per_class=series).target.tolist() == ["a", "c", "c"]
    with pytest.raises(ValueError, match=r"n_per_class names the labels \[0, 1\]"):
        cut(n_per_class=pd.Series([2, 1]))


def test_integer_labels():
    segments = cut_segments(RECORDINGS, [1, 1, 0, 0], length=10, n_per_class={0: 1, 1: 2})
    assert segments.target.tolist() == [0, 1, 1]


def test_seeds():
    np.testing.assert_array_equal(cut(random_state=3).start, cut(random_state=3).start)
    starts = {tuple(cut(random_state=seed).start) for seed in range(5)}
    assert len(starts) > 1
    X, y = cut(random_state=3, return_X_y=True)
    np.testing.assert_array_equal(X, cut(random_state=3).data)
    np.testing.assert_array_equal(y, cut(random_state=3).target)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_per_class": {"a": 16}}, "'a' has room for 15 segments of 10 .* 2 recordings, but 16"),
        ({"length": 0}, "length=0 is not usable"),
        ({"length": 10.0}, r"length=10\.0 is not usable"),
        ({"part": (0.6, 0.4)}, "0 <= low < high <= 1"),
        ({"part": "first"}, "part='first' is not usable"),
        (
            {"n_per_class": {"d": 1}},
            r"the classes \['d'\], which are not in y; use \['a', 'b', 'c'\]",
        ),
        ({"n_per_class": {"a": -1}}, r"n_per_class\['a'\]=-1 is not usable; give an integer >= 0"),
        ({"n_per_class": {"a": 1.5}}, r"n_per_class\['a'\]=1\.5 is not usable"),
        ({"n_per_class": 0}, "asks for no segments"),
        ({"on_short": "drop"}, "on_short='drop' is not usable"),
        ({"groups": [1, 2]}, r"groups has shape \(2,\), but with 4 recordings"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        cut(**arguments)


@pytest.mark.parametrize(
    ("recordings", "message"),
    [
        ([], "recordings is empty"),
        ([np.zeros(5)], r"recording 0 has shape \(5,\)"),
        ([np.zeros((1, 5)), np.zeros((2, 5))], r"\[1, 2\] channels"),
        ([np.zeros((0, 5))], r"recording 0 is float64 of shape \(0, 5\).*at least one channel"),
        ([np.zeros((1, 5)), np.full((1, 5), "a")], r"recording 1 is <U1 of shape \(1, 5\)"),
        ([np.zeros((1, 5), dtype=object)], "recording 0 is object of shape"),
        ([np.zeros((1, 5), dtype="M8[s]")], r"recording 0 is datetime64\[s\] of shape"),
    ],
)
def test_bad_recordings(recordings, message):
    with pytest.raises(ValueError, match=message):
        cut_segments(recordings, ["a"] * len(recordings), length=2, n_per_class=1)


SHORT = [np.arange(1.0, 9.0).reshape(2, 4), np.ones((2, 30))]


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["a", None], r"y has 1 missing labels \(None or NaN\)"),
        ([np.nan, np.nan], "y has 2 missing labels"),
        (pd.Series(["a", pd.NA]), "y has 1 missing labels"),
        (np.array([0, "a"], dtype=object), "types that can't be compared"),
    ],
)
def test_labels_that_are_no_classes(y, message):
    with pytest.raises(ValueError, match=message):
        cut_segments([np.zeros((1, 9))] * 2, y, length=2, n_per_class=1)


def test_short_recordings_are_padded():
    drawn = cut_segments(SHORT, [0, 1], length=6, n_per_class=1, on_short="pad", random_state=0)
    assert drawn.data[0].tolist() == [[1, 2, 3, 4, 0, 0], [5, 6, 7, 8, 0, 0]]
    assert drawn.data[1].all()
    assert drawn.start[0] == 0
    with pytest.raises(ValueError, match="room for 1 segments"):
        cut_segments(SHORT, [0, 1], length=6, n_per_class={0: 2}, on_short="pad")


def test_padding_does_not_reach_beyond_the_part():
    recordings = [np.arange(1.0, 11.0)[None]] * 2
    drawn = cut_segments(
        recordings, [0, 1], length=6, n_per_class=1, part=(0.5, 0.8), on_short="pad"
    )
    assert drawn.data[:, 0].tolist() == [[6, 7, 8, 0, 0, 0]] * 2
    assert drawn.start.tolist() == [5, 5]


def test_short_recordings_are_skipped_or_refused():
    y, wanted = [0, 0], {"length": 6, "n_per_class": 3}
    assert cut_segments(SHORT, y, **wanted).recording.tolist() == [1, 1, 1]
    with pytest.raises(ValueError, match=r"recording 0 has 4 samples in the part \(0.0, 1.0\)"):
        cut_segments(SHORT, y, **wanted, on_short="raise")
