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


@pytest.mark.parametrize(
    ("times", "starts"),
    [
        ([-(2**63), 2**63 - 1], [0, 1]),  # the difference is beyond 64 bits
        ([2**63 - 1, -(2**63)], [0, 1]),
        ([2**62, 2**62 + 1000 * MS], [0]),
        ([2**62, 2**62 + 1000 * MS + 1], [0, 1]),
        ([-500 * MS, 500 * MS], [0]),
    ],
)
def test_steps_between_any_times_are_exact(times, starts):
    same = np.zeros(2, dtype=np.int64)
    assert recording_starts(same, same, np.array(times), 1.0).tolist() == starts


GOOD = "33,Jogging,49105962326000,-0.5,12.5,0.25;"


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (f"33,Jogging,{'9' * 25},1,2,3", "unreadable"),
        (f"33,Jogging,{2**63},1,2,3", "unreadable"),
        (f"33,Jogging,{-(2**63) - 1},1,2,3", "unreadable"),
        (f"{'9' * 5000},Jogging,1,1,2,3", "unreadable"),
        (f"{2**63},Jogging,1,1,2,3", "unreadable"),
        ("33,Jogging,1,1e39,2,3", "unreadable"),
        ("33,Jogging,1,1,-3.5e38,3", "unreadable"),
        ("33,Jogging,1,1,2,1e999", "unreadable"),
        (f"33,Jogging,1,1,2,{'9' * 5000}", "unreadable"),
        ("33,Jogging,1,1,inf,3", "unreadable"),
        ("33,Jogging,1,nan,2,3", "unreadable"),
        ("1_0,Jogging,1,1,2,3", "unreadable"),
        ("33,Jogging,1_000,1,2,3", "unreadable"),
        ("33,Jogging,1,1_0,2,3", "unreadable"),
        ("\u0663\u0663,Jogging,1,1,2,3", "unreadable"),
        ("33,Jogging,\u0661,1,2,3", "unreadable"),
        ("33,Jogging,1,1,2,\u0663", "unreadable"),
        ("33,Jogging,0x10,1,2,3", "unreadable"),
        ("33,Jogging,1.0,1,2,3", "unreadable"),
        ("33,jogging,1,1,2,3", "unreadable"),
        ("33,Jogging,1,,2,3,4", "unreadable"),
        ("33,Jogging,,1,2,3,4", "unreadable"),
        (",33,Jogging,1,2,3,4", "unreadable"),
        ("33,Jogging,1,1,,3", "unreadable"),
        ("33,Jogging,1,1,2", "incomplete"),
        ("33,Jogging,1,1,2,3,4", "incomplete"),
        ("33,Jogging,-0,1,2,3", "no_time"),
    ],
)
def test_a_record_that_is_no_record_is_dropped_and_counted(record, reason):
    for text in (f"{GOOD}\n{record};\n", f"{record}\n{GOOD}", f"{record};{GOOD}"):
        samples = parse_raw(text)
        assert samples.n_dropped == {"incomplete": 0, "unreadable": 0, "no_time": 0} | {reason: 1}
        assert samples.user.tolist() == [33]
        assert samples.time_ns.tolist() == [49105962326000]
        assert samples.acceleration.tolist() == [[-0.5, 12.5, 0.25]]


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + GOOD,
        " 33 , Jogging ,49105962326000, -0.5,+12.5 ,.25 ;",
        GOOD.replace(";", ",,;"),
        GOOD.replace(";", "\r"),
        GOOD.replace("-0.5", "-5e-1").replace("33", "+033"),
    ],
)
def test_other_ways_to_write_a_record(text):
    samples = parse_raw(text)
    assert sum(samples.n_dropped.values()) == 0
    assert samples.acceleration.tolist() == [[-0.5, 12.5, 0.25]]
    assert samples.user.tolist() == [33]


def test_the_largest_numbers_are_read():
    samples = parse_raw(f"33,Jogging,{2**63 - 1},3.4e38,-3.4e38,0;")
    assert samples.time_ns.tolist() == [2**63 - 1]
    assert np.isfinite(samples.acceleration).all()


@pytest.mark.parametrize(
    "text",
    [
        ARFF.partition("@data")[0],
        "@attribute a numeric\n@data\n1\n",
        ARFF.replace('"user"', '"person"'),
        ARFF.replace('"X0"', '"XPEAK"'),
        "",
        "<html>Sorry.</html>",
    ],
)
def test_a_file_that_is_not_the_arff(text):
    with pytest.raises(ValueError, match="not the ARFF file of WISDM"):
        parse_transformed(text)


def replaced(old, new):
    assert ARFF.count(old) == 1
    return ARFF.replace(old, new)


@pytest.mark.parametrize(
    "text",
    [
        ARFF,
        "\ufeff" + ARFF,
        ARFF.replace("\n", "\r\n"),
        ARFF.replace(",", " , "),
        replaced("2075,Walking", "2075,'Walking'").replace("?,Jogging", '?,"Jogging"'),
        replaced("2075,Walking", "2075,  Walking  "),
        replaced("2,17,", "2,'17',"),
        replaced("\n2,17", "\n% a comment\n\n2,17"),
        replaced("@data", "% a comment\n@DATA"),
        ARFF.replace("@attribute", "@ATTRIBUTE"),
        ARFF.replace('"user"', "'user'").replace("class{", "class {"),
        ARFF.rstrip("\n"),
        replaced("\n2,17", "\n% caf\ufffd \x85 a\u2028b\x0bc\n2,17"),
    ],
)
def test_other_ways_to_write_the_arff(text):
    table = parse_transformed(text)
    assert table["class"].tolist() == ["Jogging", "Walking", "Upstairs"]
    assert table["user"].tolist() == [33, 17, 33]
    np.testing.assert_array_equal(table["XPEAK"], [np.nan, 2075, np.nan])
    assert table["X0"].tolist() == [0.04, 0.12, 1.5]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (replaced("2075,Walking", "2075,?"), "line 11 .* Standing as 'class', got '\\?'"),
        (replaced("2075,Walking", "2075,"), "line 11 .* one of Walking, .* as 'class', got ''"),
        (replaced("2075,Walking", "2075,Swimming"), "as 'class', got 'Swimming'"),
        (replaced("2075,Walking", "2075,walking"), "as 'class', got 'walking'"),
        (replaced("2,17,", "2,?,"), "line 11 .* the number of a person as 'user', got '\\?'"),
        (replaced("2,17,", "2,17.5,"), "the number of a person as 'user', got '17.5'"),
        (replaced("2,17,", f"2,{'9' * 25},"), "the number of a person as 'user', got '999"),
        (
            replaced("2,17,", "2,37,"),
            "line 11 .* 1 to 36, the number .* 'user', got '37'",
        ),
        (replaced("2,17,", "2,0,"), "1 to 36, the number of a person as 'user', got '0'"),
        (replaced("0.12", "1_0"), "line 11 .* a number or \\? as 'X0', got '1_0'"),
        (replaced("0.12", "inf"), "a number or \\? as 'X0', got 'inf'"),
        (replaced("0.12", "nan"), "a number or \\? as 'X0', got 'nan'"),
        (replaced("0.12", ""), "a number or \\? as 'X0', got ''"),
        (replaced("0.12,2075", "0.12,2075,3"), "line 11 .* 5 values, .* got '6: 2,17"),
        (replaced("0.12,2075", "0.12"), "line 11 .* 5 values, .* got '4: 2,17"),
        (ARFF[: ARFF.index("1,33")], "has no rows behind @data"),
        (ARFF[: ARFF.index("1,33")] + "% none\n", "has no rows behind @data"),
        (replaced('@attribute "X0" numeric', "@attribute"), "line 5 .* '@attribute NAME KIND'"),
    ],
)
def test_a_broken_arff_names_the_line(text, message):
    with pytest.raises(ValueError, match=message) as raised:
        parse_transformed(text)
    assert "replace it by the file of the archive" in str(raised.value)
