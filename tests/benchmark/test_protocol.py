"""Seeds of cells."""

from skimbal.benchmark._protocol import Cell, cell_seed

CELL = Cell("a", "m", 1, 0)


def test_seeds_depend_on_set_fold_trial_and_seed_alone():
    variants = [
        (0, CELL),
        (1, CELL),
        (0, CELL._replace(dataset="b")),
        (0, CELL._replace(fold=2)),
        (0, CELL._replace(trial=1)),
    ]
    seeds = [cell_seed(*variant) for variant in variants]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert cell_seed(0, CELL._replace(method="k")) == seeds[0]


def test_seeds_are_the_same_on_every_machine_and_day():
    assert cell_seed(0, Cell("ecoli3", "dbn", 1, 0)) == 1973065521
