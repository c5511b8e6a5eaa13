"""
A comparison, and how to read it
================================

This example runs a small comparison of methods with :func:`~skimbal.benchmark.run_benchmark`, and
draws the recorded comparison over 58 KEEL sets. The command ``skimbal run`` does the same from a
terminal.
"""

# %%
# A small comparison
# ------------------
# The comparison has two data sets, four methods and three folds. The results are in one file of the
# folder. If the run is stopped, it can continue from this file.
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from skimbal.benchmark import run_benchmark
from skimbal.inspection import CriticalDifferenceDisplay

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
# The recorded comparison
# -----------------------
# The recorded comparison has 58 sets, five folds and ten trials. The page of measured results has
# its tables. The diagram shows the average rank of the belief networks by G-mean, with the best at
# the left. A bar joins methods that do not differ significantly in pairwise Wilcoxon signed-rank
# tests over the data sets, with Holm's correction.
results = Path.cwd().parent / "docs" / "results" / "keel58_means_networks.csv"
scores = pd.read_csv(results, index_col="dataset")
CriticalDifferenceDisplay.from_results(
    scores, title="average rank by G-mean over 58 sets (1 is the best)"
)
plt.show()

# %%
# Set by set
# ----------
# Each point is a data set. ECS-DBN is compared with the belief network at the prior threshold
# (left), and with the belief network on a training set that SMOTE has balanced (right). ECS-DBN is
# better on the sets above the line.
fig, axes = plt.subplots(1, 2, figsize=(9, 4.6), sharey=True, layout="constrained")
for ax, other in zip(axes, ["dbn-prior", "smote-dbn"], strict=True):
    ax.scatter(scores[other], scores["ecs-dbn"], s=18)
    ax.axline((0.5, 0.5), slope=1, color="0.6", zorder=0)
    ax.set(xlabel=f"G-mean of {other}", aspect="equal")
axes[0].set_ylabel("G-mean of ecs-dbn")
plt.show()
