"""Write the tables of the page of measured results from the comparison over 58 KEEL sets.

python tests/performance/keel58_tables.py results/keel58 --out docs/results
"""

import argparse
from pathlib import Path

import pandas as pd

from skimbal.benchmark import METHODS, report
from skimbal.metrics import average_ranks, friedman, holm, significant_wins, wilcoxon_to_control

CONTROL = "ecs-dbn"
CELL = ["dataset", "method", "fold", "trial", "status", "seed", "g_mean", "accuracy", "auc"]


def compared(cells, methods):
    """Means, ranks and tests of some of the methods among themselves, against the control."""
    by_method = cells.assign(g_mean=cells.g_mean.fillna(0.0)).pivot(
        index=["dataset", "fold", "trial"], columns="method", values="g_mean"
    )[methods]
    means = by_method.groupby("dataset").mean()
    p_values = wilcoxon_to_control(means, methods.index(CONTROL))
    wins = {m: [] for m in methods}
    for _, scores in by_method.groupby("dataset"):
        for m in methods:
            wins[m] += list(significant_wins([scores[CONTROL]], [scores[m]]))
    counts = {m: f"{w.count(1)}-{w.count(-1)}-{w.count(0)}" for m, w in wins.items()}
    table = pd.DataFrame(
        {
            "mean": means.mean().map("{:.4f}".format),
            "std": means.std().map("{:.3f}".format),
            "rank": pd.Series(average_ranks(means), index=methods).map("{:.2f}".format),
            "best on": means.eq(means.max(axis=1), axis=0).sum(),
            "win-lose-draw": pd.Series(counts),
            "Holm p": [f"{p:.2g}" for p in holm(p_values)],
            "fit_s": cells.groupby("method").fit_seconds.mean()[methods].map("{:.2g}".format),
        }
    )
    table.loc[CONTROL, ["win-lose-draw", "Holm p"]] = ""
    print(f"{len(methods)} methods, Friedman: {friedman(means)}")
    return table.sort_values("mean", ascending=False).rename_axis("method"), means


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results")
    parser.add_argument("--out", required=True, type=Path)
    arguments = parser.parse_args()
    cells = report(arguments.results).cells
    run = list(dict.fromkeys(cells.method))
    networks = [m for m in METHODS if m in run and METHODS[m].group == "deep belief network"]
    peers = [m for m in METHODS if m in run and METHODS[m].group == "peer"]
    for name, methods in [("networks", networks), ("all", networks + peers)]:
        table, means = compared(cells, methods)
        table.to_csv(arguments.out / f"keel58_{name}.csv")
        print(table.to_string())
    means[networks].to_csv(arguments.out / "keel58_means_networks.csv", float_format="%.4f")
    means[peers].to_csv(arguments.out / "keel58_means_peers.csv", float_format="%.4f")
    cells[CELL].round(4).to_csv(arguments.out / "keel58_cells.csv", index=False)


if __name__ == "__main__":
    main()
