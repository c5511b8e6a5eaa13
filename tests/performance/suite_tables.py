"""Write the tables of a finished run: all scores of each method, and the G-mean of each data set.

    python tests/performance/suite_tables.py results/multiclass --name keel_multiclass \\
        --control ecs-mlp --out docs/results

Ranks and Holm's p are those of the G-mean. The cells are written, too.
"""

import argparse
from pathlib import Path

import pandas as pd
from _tiny import parse_arguments

from skimbal.benchmark import cli, report

METRICS = ("g_mean", "macro_f1", "balanced_accuracy", "auc", "average_precision")
CELL = ["dataset", "method", "fold", "trial", "status", "seed", *METRICS, "fit_seconds"]


def small_run(folder):
    """Compare three methods on two small sets."""
    methods = "logistic-balanced,random-forest-prior,svm-balanced"
    command = f"run --suite demo --folds 2 --quiet --datasets glass0,ecoli3 --methods {methods}"
    cli.main([*command.split(), "--out", folder])


def summarize(folder, control):
    """A row for each method, best G-mean first: means of all scores, and tests of the G-mean."""
    reports = {metric: report(folder, metric=metric, control=control) for metric in METRICS}
    first = reports["g_mean"].summary
    table = pd.DataFrame(index=first.index)
    for metric, result in reports.items():
        table[metric] = result.summary["mean"].map("{:.4f}".format).replace("nan", "")
    table["rank"] = first["rank"].map("{:.2f}".format)
    table["Holm p"] = first["p_holm"].map("{:.2g}".format).replace("nan", "")
    table["failed"] = first["n_failed"]
    table["fit_s"] = first["fit_seconds"].map("{:.2g}".format)
    return table, reports


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", help="folder of a run")
    parser.add_argument("--name", required=True, help="the beginning of the files' names")
    parser.add_argument("--control", help="the method that the others are tested against")
    parser.add_argument("--out", required=True, type=Path)
    arguments = parse_arguments(parser, globals())
    if arguments.tiny:
        small_run(arguments.results)
    table, reports = summarize(arguments.results, arguments.control)
    result = reports["g_mean"]
    means = result.per_dataset.pivot(index="dataset", columns="method", values="mean")
    means = means.loc[result.protocol.datasets, table.index]
    table.to_csv(arguments.out / f"{arguments.name}.csv")
    if len(means) > 1:
        means.to_csv(arguments.out / f"{arguments.name}_means.csv", float_format="%.4f")
    cells = result.cells[CELL].round(4).sort_values(CELL[:4])
    cells.to_csv(arguments.out / f"{arguments.name}_cells.csv.xz", index=False)
    print(result.to_text(), *reports["average_precision"].notes, table.to_string(), sep="\n")


if __name__ == "__main__":
    main()
