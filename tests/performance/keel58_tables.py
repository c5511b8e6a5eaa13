"""Write the tables of the page of measured results from a comparison over 58 KEEL sets.

python tests/performance/keel58_tables.py results/keel58-paper networks --out docs/results
"""

import argparse
from pathlib import Path

import pandas as pd
from _tiny import parse_arguments

from skimbal.benchmark import cli, report

CELL = ["dataset", "method", "fold", "trial", "status", "seed", "g_mean", "accuracy", "auc"]


def compare_two_methods(folder):
    """Write the cells of a comparison of two methods on three sets."""
    command = "run --suite keel58 --methods logistic-balanced,random-forest-prior --folds 2 --quiet"
    cli.main([*command.split(), "--datasets", "glass5,ecoli3,abalone9-18", "--out", folder])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results")
    parser.add_argument("name", help="the end of the files' names")
    parser.add_argument("--control", help="the method that the others are tested against")
    parser.add_argument("--out", required=True, type=Path)
    arguments = parse_arguments(parser, globals())
    if arguments.tiny:
        compare_two_methods(arguments.results)
    run = report(arguments.results, control=arguments.control)
    means = run.per_dataset.pivot(index="dataset", columns="method", values="mean")
    summary = run.summary.sort_values("mean", ascending=False)
    counts = summary[["control_wins", "control_loses", "draws"]].astype("Int64")
    table = pd.DataFrame(
        {
            "mean": summary["mean"].map("{:.4f}".format),
            "std": summary["std"].map("{:.3f}".format),
            "rank": summary["rank"].map("{:.2f}".format),
            "best on": means.eq(means.max(axis=1), axis=0).sum(),
            "win-lose-draw": counts.astype(str).agg("-".join, axis=1),
            "Holm p": summary.p_holm.map("{:.2g}".format),
            "fit_s": summary.fit_seconds.map("{:.2g}".format),
        }
    ).loc[summary.index]
    table.loc[run.control, ["win-lose-draw", "Holm p"]] = ""
    table.to_csv(arguments.out / f"keel58_{arguments.name}.csv")
    means[summary.index].to_csv(
        arguments.out / f"keel58_means_{arguments.name}.csv", float_format="%.4f"
    )
    cells = run.cells[CELL].round(4)
    cells.to_csv(arguments.out / f"keel58_cells_{arguments.name}.csv.xz", index=False)
    print(table.to_string())
    print(run.tests)
    print(*run.notes, sep="\n")


if __name__ == "__main__":
    main()
