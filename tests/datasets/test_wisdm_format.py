import numpy as np
import pytest

from skimbal.datasets._wisdm_format import parse_raw, parse_transformed, recording_starts

from .wisdm_files import ARFF, MS, RAW


def test_samples_by_hand():
    samples = parse_raw(RAW)
    assert samples.n_dropped == {"incomplete": 2, "unreadable": 3, "no_time": 1}
    assert samples.user.tolist() == [33] * 11 + [7] * 2
    assert samples.activity.tolist() == [1] * 7 + [0] * 6
    assert (samples.time_ns // MS).tolist() == [
        *(1000, 1050, 1100, 1200, 1250, 1300, 1350),
        *(1400, 3000, 3050, 2000),
        *(2050, 2200),
    ]
    assert samples.acceleration[:4].tolist() == [
        [-0.5, 12.5, 0.25],
        [1, 2, 3],
        [4, 5, 6],
        [-1, -2, -3],
    ]
    assert samples.acceleration.dtype == np.float32


def test_an_empty_file():
    samples = parse_raw("\n;;\n")
    assert samples.user.shape == (0,)
    assert samples.acceleration.shape == (0, 3)
    assert sum(samples.n_dropped.values()) == 0
    assert recording_starts(samples.user, samples.activity, samples.time_ns, 1.0).tolist() == []


def test_line_ends_of_windows():
    one, other = parse_raw(RAW), parse_raw(RAW.replace("\n", "\r\n"))
    np.testing.assert_array_equal(one.acceleration, other.acceleration)
    assert one.n_dropped == other.n_dropped


def test_times_are_read_exactly():
    """Float64 would lose the last digits of an uptime of months in nanoseconds."""
    assert parse_raw("1,Sitting,49105962326000001,1,2,3;").time_ns.tolist() == [49105962326000001]


@pytest.mark.parametrize(("max_gap_s", "starts"), [(1.0, [0, 2, 3, 6]), (0.5, [0, 2, 3, 5, 6])])
def test_recordings_begin_where_something_changes(max_gap_s, starts):
    user = np.array([1, 1, 1, 2, 2, 2, 2])
    activity = np.array([0, 0, 1, 1, 1, 1, 1])
    time_ns = np.array([0, 1, 2, 3, 3, 1003, 1002]) * MS
    assert recording_starts(user, activity, time_ns, max_gap_s).tolist() == starts


@pytest.mark.parametrize("text", ["@attribute a numeric\n@data\n1\n", ARFF.partition("@data")[0]])
def test_a_file_that_is_not_the_arff(text):
    with pytest.raises(ValueError, match="not the ARFF file of WISDM"):
        parse_transformed(text)
