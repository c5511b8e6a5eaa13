"""
A comparison, and how to read it
================================

:func:`~skimbal.benchmark.run_benchmark` compares methods cell by cell; the command
``skimbal run`` is the same from a terminal. Here a small comparison is run, and the recorded one
over 58 KEEL sets is drawn.
"""

# %%
# A small one
# -----------
# Two data sets, four methods, three folds. The results lie in one file of the folder and would be
# gone on with if this were stopped.
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import scikit_posthocs

from skimbal.benchmark import run_benchmark

with tempfile.TemporaryDirectory() as folder:
    small = run_benchmark(
        "keel58",
        ["ecs-dbn", "dbn-prior", "dbn", "logistic-balanced"],
        datasets=["glass5", "ecoli3"],
        n_folds=3,
        out=folder,
    )
print(small.summary[["mean", "rank"]].round(3).to_string())

# %%
# The large one
# -------------
# 58 sets, five folds, ten trials: the page of measured results has the tables. The diagram shows
# the average rank by G-mean of the belief networks among themselves, best to the left; a bar joins
# methods that the pairwise Wilcoxon signed-rank tests over the data sets, with Holm's correction,
# do not tell apart.
results = Path.cwd().parent / "docs" / "results" / "keel58_means_networks.csv"
scores = pd.read_csv(results, index_col="dataset")
ranks = scores.rank(axis=1, ascending=False).mean()
p_values = scikit_posthocs.posthoc_wilcoxon(
    scores.melt(var_name="method", value_name="g_mean"),
    val_col="g_mean",
    group_col="method",
    p_adjust="holm",
    zero_method="zsplit",
)
fig, ax = plt.subplots(figsize=(9, 4), layout="constrained")
scikit_posthocs.critical_difference_diagram(
    ranks,
    p_values,
    ax=ax,
    label_fmt_left="{label} ({rank:.1f})",
    label_fmt_right="({rank:.1f}) {label}",
    label_props={"fontsize": 9},
    color_palette=["0.3"] * len(ranks),
)
plt.show()

# %%
# Set by set
# ----------
# Each point is a data set: ECS-DBN beside the belief network at the prior threshold, and beside
# the one that SMOTE has given a balanced training set.
fig, axes = plt.subplots(1, 2, figsize=(9, 4.6), sharey=True, layout="constrained")
for ax, other in zip(axes, ["dbn-prior", "smote-dbn"], strict=True):
    ax.scatter(scores[other], scores["ecs-dbn"], s=18)
    ax.axline((0.5, 0.5), slope=1, color="0.6", zorder=0)
    ax.set(xlabel=f"G-mean of {other}", aspect="equal")
axes[0].set_ylabel("G-mean of ecs-dbn")
plt.show()
