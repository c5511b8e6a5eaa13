"""The pictures of the results and of the guide, drawn from csv files when the site is built.

By hand: ``python docs/_extensions/result_pictures.py FOLDER``.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

RESULTS = Path(__file__).parents[1] / "results"
PICTURES = Path(__file__).parents[1] / "generated" / "pictures"
STYLE = {"font.size": 10, "axes.spines.top": False, "axes.spines.right": False}


def read(name, suffix=".csv", **options):
    return pd.read_csv(RESULTS / f"{name}{suffix}", **options)


def write_beside(ax, text, x, y):
    """Write the value of a point at its right."""
    background = {"facecolor": "white", "edgecolor": "none", "pad": 1}
    ax.annotate(text, (x, y), (8, -4), textcoords="offset points", bbox=background)


def draw_benchmarks():
    """Mean G-mean of all methods on the KEEL sets, best at the top."""
    kinds = {"networks": "belief networks, 50 scores a set", "peers": "peers, 20 scores a set"}
    means = {}
    for kind in kinds:
        of_sets = read(f"keel58_means_{kind}", index_col="dataset")
        means |= {method: (mean, kind) for method, mean in of_sets.mean().items()}
    order = sorted(means, key=means.get)
    fig, ax = plt.subplots(figsize=(7.5, 5.6), layout="constrained")
    for kind, (color, marker) in {"networks": ("C0", "o"), "peers": ("C1", "D")}.items():
        rows = [i for i, method in enumerate(order) if means[method][1] == kind]
        values = [means[order[i]][0] for i in rows]
        ax.plot(values, rows, marker, color=color, label=kinds[kind])
        for value, row in zip(values, rows, strict=True):
            write_beside(ax, f"{value:.3f}", value, row)
    ax.set_yticks(range(len(order)), order)
    ax.set(xlabel="G-mean, mean of 58 KEEL sets", xlim=(0.725, 0.895))
    ax.grid(axis="y", color="0.9")
    ax.set_axisbelow(True)
    ax.legend(loc="upper left")
    return fig


LOSSES = {  # name in the files -> name on the axis
    "cross entropy, adjusted afterwards": "cross entropy,\nadjusted afterwards",
    "weighted cross entropy": "balanced weights",
    "IWCE": "IWCE",
    "focal": "focal",
    "class-balanced focal": "class-balanced focal",
    "balanced softmax": "balanced softmax",
    "LDAM-DRW": "LDAM,\ndeferred weights",
}


def gains_over_cross_entropy():
    """Balanced accuracy of each loss minus that of cross entropy, by data set."""
    spheres = read("iwce_spheres", index_col="method")["balanced accuracy %"]
    spheres = spheres.str.split(" ").str[0].astype(float).rename({"IWCE, T = 20": "IWCE"})
    watch = read("watch_losses", index_col="loss")["to cross entropy"]
    cifar = read("cifar_losses", index_col="loss")
    gains = {"nested\nspheres": spheres - spheres["cross entropy"], "watch": watch}
    for share in (40, 20, 5):
        levels = cifar[f"{share} %: balanced accuracy"]
        gains[f"CIFAR-10,\ncut to {share} %"] = levels - levels["cross entropy"]
    return pd.DataFrame(gains).reindex(list(LOSSES))


def draw_losses_compared():
    """The gains of each loss on each data set."""
    gains = gains_over_cross_entropy()
    fig, ax = plt.subplots(figsize=(7.5, 4.6), layout="constrained")
    ax.imshow(gains, cmap="RdBu", vmin=-14, vmax=14, aspect="auto")
    for (row, column), gain in np.ndenumerate(gains.to_numpy()):
        text = f"{gain:+.1f}" if np.isfinite(gain) else "–"
        color = "white" if abs(gain) > 9 else "black"
        ax.text(column, row, text, ha="center", va="center", color=color)
    ax.set_xticks(range(gains.shape[1]), gains.columns)
    ax.set_yticks(range(len(gains)), LOSSES.values())
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_title("balanced accuracy: points above cross entropy")
    return fig


def draw_searches_compared():
    """Test scores and trained networks of searches for weights and costs."""
    scores = read("costs_or_weights")
    panels = {
        "two classes": "G-mean in %\n(10 sets of two classes)",
        "more classes": "macro F1 in %\n(13 sets of more classes)",
    }
    fig, axes = plt.subplots(1, 2, figsize=(7.5, 4.4), sharey=True, layout="constrained")
    colors = {1: "0.45", 4: "C1", 181: "C0"}
    for ax, (group, label) in zip(axes, panels.items(), strict=True):
        rows = scores[scores.group == group].iloc[::-1].reset_index(drop=True)
        for networks, color in colors.items():
            of = rows[rows.networks == networks]
            word = "network" if networks == 1 else "networks"
            ax.plot(of["score %"], of.index, "o", color=color, label=f"{networks} {word}")
            for height, score in of["score %"].items():
                write_beside(ax, f"{score:.1f}", score, height)
        ax.set_yticks(rows.index, rows.method)
        ax.set_xlabel(label)
        ax.margins(x=0.25)
        ax.grid(axis="y", color="0.9")
        ax.set_axisbelow(True)
    fig.legend(*ax.get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return fig


def decisions():
    """Questions in their order; each has the answer for yes, its figures, and what is ahead."""
    peers = read("keel58_peers", index_col="method")["mean"]
    classes, watch, bearings, connections, spheres, machine, stays, attacks = (
        read(name, index_col="method").g_mean
        for name in (
            "keel_multiclass",
            "watch_suite",
            "cwru_suite",
            "kdd99_suite",
            "spheres_suite",
            "mixed_suite_ai4i2020",
            "mixed_suite_diabetes130",
            "mixed_suite_kdd99_rare_attacks",
        )
    )
    stream = read("drifting_stream", index_col=["kind", "learner"])["Gaussian"].loc["network"]
    drifting = [
        float(stream[name].split(" ±")[0]) for name in ("weights, half-life 50", "no weights")
    ]
    return [
        (
            "Do you know what\neach error costs?",
            "FixedCostClassifier with these costs,\naround any classifier",
            "no search, no class weights",
            "either",
        ),
        (
            "Do the class frequencies\nchange with time?",
            'partial_fit of a network, class_weight="balanced",\nforgetting_half_life',
            "stream: {:.2f}, without weights {:.2f}".format(*drifting),
            "networks",
        ),
        (
            "Are the inputs signals\nor images?",
            "CNN1DClassifier, CNN2DClassifier;\nextra trees on summaries as a check",
            f"watch: network {watch['cnn']:.2f}, "
            f"trees {watch['extra-trees-summary-prior']:.2f}\n"
            f"bearings, few samples: network {bearings['cnn-prior']:.2f}, "
            f"trees {bearings['extra-trees-summary-prior']:.2f}",
            "either",
        ),
        (
            "Three or more classes\nin a table?",
            "extra trees or a network, each in\nFixedCostClassifier()",
            f"16 KEEL sets: trees {classes['extra-trees-prior']:.2f}, "
            f"network {classes['mlp-prior']:.2f}, without it {classes['mlp']:.2f}\n"
            f"connections: trees {connections['extra-trees-prior']:.2f}, "
            f"network {connections['mlp-prior']:.2f}\n"
            f"spheres: trees {spheres['extra-trees-prior']:.2f}, "
            f"network {spheres['mlp-prior']:.2f}, balanced SVM {spheres['svm-balanced']:.2f}",
            "either",
        ),
        (
            "Fewer than about\n2,000 samples?",
            "extra trees with a tuned threshold,\nor WeightedELMClassifier",
            f"58 KEEL sets: trees {peers['extra-trees-tuned']:.3f}, "
            f"WELM {peers['welm']:.3f}, networks {peers['bagging-net']:.3f}",
            "trees",
        ),
        (
            None,
            "random forest, or a network after a TableEncoder,\neach in FixedCostClassifier()",
            f"machine: forest {machine['random-forest-prior']:.2f}, "
            f"network {machine['mlp-auto-prior']:.2f}; "
            f"stays: {stays['random-forest-prior']:.2f}, {stays['mlp-auto-prior']:.2f}\n"
            f"rare attacks: {attacks['random-forest-prior']:.2f}, "
            f"{attacks['mlp-auto-prior']:.2f}",
            "either",
        ),
    ]


AHEAD = {"trees": "#cfe8cf", "networks": "#cfdff3", "either": "#eeeeee"}


def draw_which_method():
    """A chain of questions: yes leads to the answer at the right, no to the next question."""
    rows = decisions()
    middle, right = 1.55, 4.3  # of the questions; the edge of the answers
    fig, ax = plt.subplots(figsize=(7.5, 7.6), layout="constrained")
    ax.set(xlim=(0, 10), ylim=(0.55 - len(rows), 0.35))
    ax.axis("off")
    for row, (question, answer, figures, ahead) in enumerate(rows):
        box = {"boxstyle": "round,pad=0.5", "facecolor": AHEAD[ahead], "edgecolor": "0.5"}
        ax.text(right, -row, answer, va="center", linespacing=1.3, bbox=box)
        ax.text(right, -row - 0.27, figures, va="top", fontsize=8, color="0.25", linespacing=1.3)
        if question is None:
            continue
        box = {"boxstyle": "round,pad=0.5", "facecolor": "white", "edgecolor": "black"}
        ax.text(middle, -row, question, ha="center", va="center", bbox=box)
        arrow = {"arrowstyle": "->", "color": "black"}
        ax.annotate("", (right - 0.15, -row), (2.85, -row), arrowprops=arrow)
        ax.text(3.5, -row + 0.05, "yes", ha="center", va="bottom")
        if row < len(rows) - 2:
            ax.annotate("", (middle, -row - 0.77), (middle, -row - 0.24), arrowprops=arrow)
        else:
            arrow["connectionstyle"] = "angle,angleA=90,angleB=0,rad=0"
            ax.annotate("", (right - 0.15, -row - 1), (middle, -row - 0.24), arrowprops=arrow)
        ax.text(middle - 0.1, -row - 0.5, "no", ha="right", va="center")
    handles = [
        plt.Rectangle((0, 0), 1, 1, facecolor=color, edgecolor="0.5") for color in AHEAD.values()
    ]
    labels = ["trees ahead or level", "networks", "either: measure both"]
    fig.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    return fig


STREAM_CURVES = {  # kind and learner in the file -> label, color and line style
    ("network", "no weights"): ("network without weights", "0.6", "-"),
    ("network", "weights, half-life 50"): ("network, weights of half-life 50", "C3", "-"),
    ("network, river's sampler", "oversampled"): ("network, river's oversampling", "C0", "--"),
    ("river", "logistic regression, oversampled"): ("logistic, river's oversampling", "C2", "--"),
    ("river", "adaptive random forest"): ("adaptive random forest", "C1", ":"),
    ("river", "adaptive random forest, oversampled"): ("forest, river's oversampling", "C1", "-"),
}


def draw_drifting_stream():
    """G-mean of windows along the three streams, mean over the seeds."""
    windows = read("drifting_stream_windows", suffix=".csv.xz")
    streams = list(windows.stream.unique())
    fig, axes = plt.subplots(len(streams), figsize=(7.5, 7.6), sharex=True, layout="constrained")
    for ax, stream in zip(axes, streams, strict=True):
        of_stream = windows[windows.stream == stream]
        means = of_stream.groupby(["kind", "learner", "start"]).g_mean.mean()
        for key, (label, color, style) in STREAM_CURVES.items():
            curve = means.loc[key]
            middles = curve.index + np.diff(curve.index)[0] / 2
            ax.plot(middles, curve, style, color=color, label=label)
        ax.set(ylabel=f"{stream}: G-mean", ylim=(0, 1.02))
        for flip in np.arange(6000, 12000, 1500):
            ax.axvline(flip, color="0.85", zorder=0)
    axes[-1].set(xlabel="samples; gray lines are flips of the odds", xlim=(0, 12000))
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return fig


def draw_gun_drilling():
    """Processor time over the number of samples: the search for costs, two sorts, samplers."""
    table = read("cost_search_size")
    names = {
        "svm_smote_s": "SVM-SMOTE",
        "adasyn_s": "ADASYN",
        "smote_s": "SMOTE",
        "search_s": "exact search for costs",
        "two_sorts_s": "two sorts with NumPy",
    }
    fig, ax = plt.subplots(figsize=(7.5, 4.2), layout="constrained")
    for (column, name), marker in zip(names.items(), "vs^oD", strict=True):
        known = table[table[column] > 0]
        ax.loglog(known["samples"], known[column], marker=marker, label=name)
    ax.set(xlabel="samples", ylabel="processor time in s")
    ax.grid(color="0.9")
    ax.legend()
    return fig


DRAWINGS = {
    "benchmarks": draw_benchmarks,
    "losses_compared": draw_losses_compared,
    "searches_compared": draw_searches_compared,
    "gun_drilling": draw_gun_drilling,
}
GUIDE_DRAWINGS = {
    "drifting_stream": draw_drifting_stream,
    "which_method": draw_which_method,
}


def draw_all(folder):
    """Draw each picture into a file of the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with plt.rc_context(STYLE):
        for name, draw in {**DRAWINGS, **GUIDE_DRAWINGS}.items():
            fig = draw()
            fig.savefig(folder / f"{name}.png", dpi=200)
            plt.close(fig)


def setup(app):
    app.connect("builder-inited", lambda app: draw_all(PICTURES))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    draw_all(Path(sys.argv[1]))
