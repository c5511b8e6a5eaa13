import numpy as np
import pytest

from skimbal.datasets._checks import check_count, check_number, check_option


@pytest.mark.parametrize("value", [0, 0.5, np.float32(2)])
def test_numbers_that_are_large_enough(value):
    check_number("x", value, 0)


@pytest.mark.parametrize(
    ("check", "arguments", "message"),
    [
        (check_count, ("n", -1), "n=-1 is not usable; give an integer >= 0"),
        (check_count, ("n", 2.0, 1), r"n=2\.0 is not usable; give an integer >= 1"),
        (check_number, ("x", 0.1, 0.5), r"x=0\.1 is not usable; give a number >= 0\.5"),
        (check_number, ("x", float("nan"), 0), "x=nan is not usable"),
        (check_number, ("x", float("inf"), 0), "x=inf is not usable"),
        (check_number, ("x", "1", 0), "x='1' is not usable"),
        (check_option, ("kind", "c", ("a", "b")), "kind='c' is not known; use 'a' or 'b'"),
        (check_option, ("kind", None, ("a", "b")), "kind=None is not known"),
    ],
)
def test_bad_values(check, arguments, message):
    with pytest.raises(ValueError, match=message):
        check(*arguments)
