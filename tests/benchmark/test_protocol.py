"""Seeds of cells."""

import pytest

from skimbal.benchmark._protocol import Cell, cell_seed

CELL = Cell("a", "m", 1, 0)


@pytest.mark.parametrize(
    ("seed", "change", "is_same"),
    [
        (0, {}, True),
        (0, {"method": "k"}, True),
        (1, {}, False),
        (0, {"dataset": "b"}, False),
        (0, {"fold": 2}, False),
        (0, {"trial": 1}, False),
    ],
)
def test_seeds_depend_on_set_fold_trial_and_seed_only(seed, change, is_same):
    other = cell_seed(seed, CELL._replace(**change))
    assert (other == cell_seed(0, CELL)) == is_same
    assert 0 <= other < 2**31


def test_seeds_are_the_same_on_every_machine_and_day():
    assert cell_seed(0, Cell("ecoli3", "dbn", 1, 0)) == 1973065521
