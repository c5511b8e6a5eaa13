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
# 58 sets, five folds, two trials: the page of measured results has the tables. The diagram shows
# the average rank of each method by G-mean, best to the left; a bar joins methods that the
# pairwise Wilcoxon signed-rank tests over the data sets, with Holm's correction, do not tell apart.
results = Path.cwd().parent / "docs" / "results" / "keel58_per_dataset.csv"
scores = pd.read_csv(results).pivot(index="dataset", columns="method", values="mean")
ranks = scores.rank(axis=1, ascending=False).mean()
p_values = scikit_posthocs.posthoc_wilcoxon(
    scores.melt(var_name="method", value_name="g_mean"),
    val_col="g_mean",
    group_col="method",
    p_adjust="holm",
    zero_method="zsplit",
)
fig, ax = plt.subplots(figsize=(9, 5.2), layout="constrained")
scikit_posthocs.critical_difference_diagram(ranks, p_values, ax=ax, label_props={"fontsize": 8})
plt.show()

# %%
# Where the cost search wins and where it does not
# ------------------------------------------------
# Each point is a data set: the same network with costs found and at the prior threshold.
fig, ax = plt.subplots(figsize=(5, 5), layout="constrained")
ax.scatter(scores["dbn-prior"], scores["ecs-dbn"], s=18)
ax.axline((0.5, 0.5), slope=1, color="0.6", zorder=0)
ax.set(xlabel="G-mean of dbn-prior", ylabel="G-mean of ecs-dbn", aspect="equal")
plt.show()
