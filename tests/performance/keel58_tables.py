"""Write the tables of the page of measured results from comparisons over 58 KEEL sets.

    python tests/performance/keel58_tables.py results/keel58 --name networks --out docs/results

Several folders give one table, if they have the same folds and trials. Methods that none of the
folders has are taken from the table of that name that is in `--out` already. A method's new cells
take the place of its old ones. Scores are rounded to four digits, as in the published cells.

`--beside networks=ecs-dbn,dbn` also takes these methods from the table `networks` in `--out`, on
the data sets of the folders. `--trials 1` leaves out all trials but the first.
"""

import argparse
from pathlib import Path

import pandas as pd
from _tiny import parse_arguments

from skimbal.benchmark import cli, report
from skimbal.metrics import average_ranks, friedman, holm, significant_wins, wilcoxon_to_control

KEYS = ["dataset", "fold", "trial"]
CELL = ["dataset", "method", "fold", "trial", "status", "seed", "g_mean", "accuracy", "auc"]


def compare_methods(folders):
    """Write the cells of comparisons of two or three methods on three sets."""
    command = "run --suite keel58 --folds 2 --quiet --datasets glass5,ecoli3,abalone9-18"
    methods = ["logistic-balanced,random-forest-prior", "svm-balanced"]
    for folder, names in zip(folders, methods, strict=False):
        cli.main([*command.split(), "--methods", names, "--out", folder])


def read_published(out, name, methods):
    """The published cells of some methods of a table, with the mean time of their fits."""
    cells = pd.read_csv(out / f"keel58_cells_{name}.csv.xz")
    missing = sorted(set(methods).difference(cells.method))
    if missing:
        raise ValueError(f"the table {name!r} has no {missing}; it has {sorted(set(cells.method))}")
    times = pd.read_csv(out / f"keel58_{name}.csv", index_col="method").fit_s
    cells = cells[cells.method.isin(methods)]
    return cells.assign(fit_seconds=cells.method.map(times))


def read_cells(folders, published):
    """The cells of all folders, and of the published file for methods that no folder has."""
    new = pd.concat([report(folder).cells for folder in folders])
    twice = new.duplicated([*KEYS, "method"])
    if twice.any():
        raise ValueError(f"{new[twice].method.unique()} are in more than one folder; give one")
    if not published.exists():
        return new
    old = pd.read_csv(published)
    return pd.concat([new, old[~old.method.isin(new.method)]])


def summarize(scores, control, fit_seconds):
    """The table of all methods, best mean first; `scores` has a column for each method."""
    means = scores.groupby("dataset").mean()
    others = [name for name in means if name != control]
    rows = scores.groupby("dataset")
    outcomes = {
        name: [significant_wins([cells[control]], [cells[name]])[0] for _, cells in rows]
        for name in others
    }
    counts = {
        name: "-".join(str(values.count(outcome)) for outcome in (1, -1, 0))
        for name, values in outcomes.items()
    }
    p_values = wilcoxon_to_control(means, list(means).index(control))
    table = pd.DataFrame(
        {
            "mean": means.mean().map("{:.4f}".format),
            "std": means.std().map("{:.3f}".format),
            "rank": pd.Series(average_ranks(means), means.columns).map("{:.2f}".format),
            "best on": means.eq(means.max(axis=1), axis=0).sum(),
            "win-lose-draw": pd.Series(counts),
            "Holm p": pd.Series(holm(p_values), means.columns).map("{:.2g}".format),
            "fit_s": fit_seconds.map("{:.2g}".format),
        },
        index=means.mean().sort_values(ascending=False).index.rename("method"),
    )
    table.loc[control, ["win-lose-draw", "Holm p"]] = ""
    return means[table.index], table


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", nargs="+", help="folders of runs")
    parser.add_argument("--name", required=True, help="the end of the files' names")
    parser.add_argument("--control", help="the method that the others are tested against")
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument(
        "--beside", nargs="*", default=[], metavar="TABLE=METHODS", help="rows of other tables"
    )
    parser.add_argument("--trials", type=int, help="use the first trials only")
    arguments = parse_arguments(parser, globals())
    if arguments.tiny:
        compare_methods(arguments.results)
    path = {
        part: arguments.out / f"keel58_{part}{arguments.name}.csv"
        for part in ("", "means_", "cells_")
    }
    cells = read_cells(arguments.results, path["cells_"].with_suffix(".csv.xz"))
    for name, methods in (entry.split("=") for entry in arguments.beside):
        others = read_published(arguments.out, name, methods.split(","))
        cells = pd.concat([cells, others[others.dataset.isin(cells.dataset)]])
    if arguments.trials is not None:
        cells = cells[cells.trial < arguments.trials]
    score = cells.g_mean.astype(float).where(cells.status == "done", 0.0).round(4)
    scores = cells.assign(score=score).pivot(index=KEYS, columns="method", values="score")
    if scores.isna().any(axis=None):
        raise ValueError("the methods don't have the same cells; finish the runs, or give others")
    fit_seconds = cells.groupby("method").fit_seconds.mean()
    if path[""].exists():
        before = pd.read_csv(path[""], index_col="method").fit_s
        fit_seconds = fit_seconds.fillna(before)
    control = arguments.control or ("ecs-dbn" if "ecs-dbn" in scores else scores.columns[0])
    means, table = summarize(scores, control, fit_seconds)
    table.to_csv(path[""])
    means.to_csv(path["means_"], float_format="%.4f")
    published = cells[CELL].round(4).sort_values(CELL[:4])
    published.to_csv(path["cells_"].with_suffix(".csv.xz"), index=False)
    print(table.to_string())
    if scores.shape[1] > 2:
        print("Friedman", friedman(means))


if __name__ == "__main__":
    main()
