"""Write the tables of runs of the suite ``mixed``: one for each data set, and the cells.

    python tests/performance/mixed_suite_tables.py results/mixed results/mixed-networks \\
        --out docs/results

Rows of later folders take the place of those of earlier ones, by data set, method and fold. Each
number is the mean over the folds that were run. The average precision is that of the rarest class
if there are two, and otherwise the mean over all classes.
"""

import argparse
import json
from pathlib import Path

import pandas as pd
from _tiny import parse_arguments

from skimbal.benchmark import cli, report

SCORES = ["auc", "average_precision", "g_mean", "log_loss"]
COSTS = ["fit_cpu_seconds", "fit_mib"]
CELL = ["dataset", "method", "fold", "trial", "status", "seed", *SCORES, *COSTS]
TINY_METHODS = ("logistic-balanced,random-forest-prior", "hist-gradient-boosting-prior")


def small_runs(folders):
    """Compare some methods on two small sets; the first folder gets the first methods."""
    for folder, methods in zip(folders, TINY_METHODS, strict=True):
        command = f"run --suite demo --folds 2 --quiet --datasets glass0,ecoli3 --methods {methods}"
        cli.main([*command.split(), "--out", folder])


def read_cells(folders):
    """The cells of several runs of the same data, with the average precision as said above."""
    reports = [report(folder) for folder in folders]
    seen: dict = {}
    for result in reports:
        for name, found in result.protocol.fingerprints.items():
            assert seen.setdefault(name, found) == found, f"the runs have different data: {name}"
    cells = pd.concat([result.cells for result in reports], ignore_index=True)
    cells = cells.drop_duplicates(["dataset", "method", "fold", "trial"], keep="last")
    has_two = cells.support.map(lambda text: len(json.loads(text)) == 2)
    cells.loc[has_two, "average_precision"] = cells.rare_average_precision[has_two]
    return cells


def table_of(cells):
    """A row for each method, best average precision first."""
    by_method = cells.groupby("method")
    table = by_method[SCORES].mean()
    table["sd"] = by_method.average_precision.std()
    table["fit_s"] = by_method.fit_cpu_seconds.mean()
    table["mib"] = by_method.fit_mib.mean()
    table["folds"] = by_method.size()
    table["failed"] = by_method.status.agg(lambda status: int((status == "failed").sum()))
    table = table.sort_values("average_precision", ascending=False)
    decimals = dict.fromkeys(("auc", "average_precision", "g_mean", "log_loss", "sd"), 4)
    return table.round({**decimals, "fit_s": 2, "mib": 0})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", nargs="+", help="folders of runs")
    parser.add_argument("--name", default="mixed_suite", help="the beginning of the files' names")
    parser.add_argument("--out", required=True, type=Path)
    arguments = parse_arguments(parser, globals())
    if arguments.tiny:
        small_runs(arguments.results)
    cells = read_cells(arguments.results)
    for dataset, of_set in cells.groupby("dataset", sort=False):
        table = table_of(of_set)
        table.to_csv(arguments.out / f"{arguments.name}_{dataset.replace('-', '_')}.csv")
        print(dataset, table.to_string(), sep="\n", end="\n\n")
    kept = cells[CELL].round(4).sort_values(CELL[:4])
    kept.to_csv(arguments.out / f"{arguments.name}_cells.csv.xz", index=False)


if __name__ == "__main__":
    main()
