"""The optimizer of BayesSearchCV beside scikit-optimize's with its defaults.

    python tests/performance/bayes_optimizer.py --out docs/results

Runs are kept in bayes_optimizer_cells.csv.xz, one a line, and a later call goes on from there.

Each row: a problem, an optimizer, the median and quartiles over seeds of the least loss after so
many evaluations, and the median CPU time of the optimizer itself, the losses not counted, in all
and for each of the last ten evaluations. The functions are Branin, Hartmann 3 and 6 (60
evaluations) and Rosenbrock's in ten dimensions (200, five seeds, for the growth of the time). In
the other problems a regularization parameter and class weights of multi-class KEEL sets are
searched, and the loss is 1 - macro F1 of a cross-validation in three folds. Both optimizers search
the same box, one evaluation at a time.
"""

import argparse
import os
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple
from zipfile import ZipFile

import numpy as np
import pandas as pd
import skopt
from _comparison import run_missing
from _tiny import parse_arguments
from scipy.stats import wilcoxon
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skimbal.model_selection import ClassWeights, class_weight_space
from skimbal.model_selection._bayes_optimizer import BayesOptimizer
from skimbal.model_selection._space import SearchSpace

HARTMANN_3 = {
    "A": [[3, 10, 30], [0.1, 10, 35], [3, 10, 30], [0.1, 10, 35]],
    "P": [[3689, 1170, 2673], [4699, 4387, 7470], [1091, 8732, 5547], [381, 5743, 8828]],
}
HARTMANN_6 = {
    "A": [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ],
    "P": [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ],
}


def branin(u):
    x, y = 15 * u[0] - 5, 15 * u[1]
    parabola = y - 5.1 * x**2 / (4 * np.pi**2) + 5 * x / np.pi - 6
    return parabola**2 + 10 * (1 - 1 / (8 * np.pi)) * np.cos(x) + 10


def hartmann(u, A, P):
    distances = (np.array(A) * (u - 1e-4 * np.array(P)) ** 2).sum(axis=1)
    return -np.exp(-distances) @ [1.0, 1.2, 3.0, 3.2]


def hartmann_3(u):
    return hartmann(u, **HARTMANN_3)


def hartmann_6(u):
    return hartmann(u, **HARTMANN_6)


def rosenbrock(u):
    x = 4 * u - 2
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


class Function(NamedTuple):
    """A function on the unit cube."""

    function: Callable
    n_dims: int
    n_evaluations: int = 60
    max_seeds: int = 20

    def make(self):
        """(dimensions of scikit-optimize by name, loss of the parameters by name)."""
        dimensions = {f"x{i}": skopt.space.Real(0.0, 1.0) for i in range(self.n_dims)}
        return dimensions, lambda params: self.function(np.array(list(params.values())))


class WeightSearch(NamedTuple):
    """Class weights and a regularization parameter for a multi-class KEEL set."""

    name: str
    model: str
    n_evaluations: int = 60
    max_seeds: int = 20

    def make(self):
        """(dimensions of scikit-optimize by name, loss of the parameters by name)."""
        X, y = load_multiclass(self.name)
        classifier = {
            "svc": SVC(max_iter=100_000),
            "logistic regression": LogisticRegression(max_iter=1000),
        }
        estimator = make_pipeline(StandardScaler(), classifier[self.model])
        step = estimator.steps[-1][0]
        estimator.set_params(**{f"{step}__class_weight": ClassWeights(y)})
        dimensions = dict(class_weight_space(y, param=f"{step}__class_weight"))
        dimensions[f"{step}__C"] = skopt.space.Real(1e-2, 1e2, "log-uniform")
        if self.model == "svc":
            dimensions[f"{step}__gamma"] = skopt.space.Real(1e-3, 1e1, "log-uniform")
        cv = StratifiedKFold(3, shuffle=True, random_state=0)

        def loss(params):
            estimator.set_params(**params)
            return 1 - cross_val_score(estimator, X, y, cv=cv, scoring="f1_macro").mean()

        return dimensions, loss


PROBLEMS = {
    "Branin": Function(branin, 2),
    "Hartmann 3": Function(hartmann_3, 3),
    "Hartmann 6": Function(hartmann_6, 6),
    "balance, SVC": WeightSearch("balance", "svc"),
    "contraceptive, logistic regression": WeightSearch("contraceptive", "logistic regression"),
    "glass, logistic regression": WeightSearch("glass", "logistic regression"),
    "Rosenbrock 10": Function(rosenbrock, 10, n_evaluations=200, max_seeds=5),
}

TINY_PROBLEMS = {
    "Branin": Function(branin, 2, n_evaluations=12),
    "glass, logistic regression": WeightSearch("glass", "logistic regression", 12, max_seeds=1),
}


def multiclass_archive():
    """KEEL's multi-class sets, from the folder that ``SKIMBAL_DATA`` names."""
    return ZipFile(Path(os.environ["SKIMBAL_DATA"]) / "keel" / "keel_multiclass_5fold.zip")


def load_multiclass(name):
    """Inputs and labels of a multi-class KEEL set whose inputs are numbers."""
    archive = multiclass_archive()
    parts = [archive.open(f"{name}/{name}-5-1{part}.dat") for part in ("tra", "tst")]
    rows = pd.concat([pd.read_csv(part, header=None, skipinitialspace=True) for part in parts])
    return rows.iloc[:, :-1].to_numpy(dtype=float), rows.iloc[:, -1].to_numpy()


class Ours:
    """The optimizer of BayesSearchCV, one point of the parameters' own units at a time."""

    def __init__(self, dimensions, seed, xi=0.0):
        self.space = SearchSpace.parse(dimensions)
        self.optimizer = BayesOptimizer(self.space, xi=xi, rng=np.random.default_rng(seed))

    def ask(self):
        self.asked = self.optimizer.ask(1)
        return self.space.to_params(self.asked[0])

    def tell(self, loss):
        self.optimizer.tell(self.asked, [loss])


class Theirs:
    """scikit-optimize's with its defaults."""

    def __init__(self, dimensions, seed):
        self.names = list(dimensions)
        self.optimizer = skopt.Optimizer(list(dimensions.values()), random_state=seed)

    def ask(self):
        self.asked = self.optimizer.ask()
        return dict(zip(self.names, self.asked, strict=True))

    def tell(self, loss):
        self.optimizer.tell(self.asked, loss)


OPTIMIZERS = {
    "skimbal": Ours,
    "skimbal, xi=0.01": partial(Ours, xi=0.01),
    "scikit-optimize": Theirs,
}


def run(seed, problem, optimizer):
    """Least loss, CPU time of the optimizer, and that of each of the last ten evaluations."""
    dimensions, loss = PROBLEMS[problem].make()
    optimizer = OPTIMIZERS[optimizer](dimensions, seed)
    least, times_s = np.inf, []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of models that don't converge, and of points seen before
        for _ in range(PROBLEMS[problem].n_evaluations):
            start_s = time.process_time()
            params = optimizer.ask()
            asked_s = time.process_time() - start_s
            value = float(loss(params))
            least = min(least, value)
            start_s = time.process_time()
            optimizer.tell(value)
            times_s.append(asked_s + time.process_time() - start_s)
    yield {"least": least, "cpu_s": sum(times_s), "last_cpu_s": np.mean(times_s[-10:])}


def p_values(runs):
    """Wilcoxon's p of the least losses beside scikit-optimize's of the same seeds, with 6 or more.

    By problem and optimizer.
    """
    texts = {}
    for problem, of_problem in runs.groupby("problem"):
        least = of_problem.pivot(index="seed", columns="optimizer", values="least").dropna()
        for ours in set(least) - {"scikit-optimize"}:
            if len(least) >= 6:
                p = wilcoxon(least[ours], least["scikit-optimize"]).pvalue
                texts[problem, ours] = f"{p:.2g}"
    return texts


def summary(runs):
    """A row for each problem and optimizer."""
    groups = runs.groupby(["problem", "optimizer"])
    table = groups.agg(
        seeds=("seed", "size"),
        median=("least", "median"),
        quartile_1=("least", lambda least: least.quantile(0.25)),
        quartile_3=("least", lambda least: least.quantile(0.75)),
        cpu_s=("cpu_s", "median"),
        last_cpu_s=("last_cpu_s", "median"),
    )
    in_order = pd.MultiIndex.from_product([PROBLEMS, OPTIMIZERS])
    table = table.loc[[row for row in in_order if row in table.index]].reset_index()
    n_dims = {name: len(PROBLEMS[name].make()[0]) for name in table["problem"].unique()}
    n_evaluations = {name: problem.n_evaluations for name, problem in PROBLEMS.items()}
    table.insert(1, "dimensions", table["problem"].map(n_dims))
    table.insert(2, "evaluations", table["problem"].map(n_evaluations))
    quartiles = table[["quartile_1", "quartile_3"]].map("{:.4f}".format).agg(" to ".join, axis=1)
    table["median"] = table["median"].map("{:.4f}".format)
    table.insert(6, "quartiles", quartiles)
    table = table.drop(columns=["quartile_1", "quartile_3"]).round({"cpu_s": 2, "last_cpu_s": 3})
    p_of = p_values(runs)
    table["p"] = [p_of.get(row, "") for row in zip(table.problem, table.optimizer, strict=True)]
    shorter = {
        "dimensions": "dim.",
        "evaluations": "eval.",
        "cpu_s": "time, s",
        "last_cpu_s": "last, s",
    }
    return table.rename(columns=shorter)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of the tables")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--problems", nargs="+", default=list(PROBLEMS), choices=list(PROBLEMS))
    parser.add_argument(
        "--optimizers", nargs="+", default=list(OPTIMIZERS), choices=list(OPTIMIZERS)
    )
    arguments = parse_arguments(
        parser, globals(), PROBLEMS=TINY_PROBLEMS, problems=list(TINY_PROBLEMS), seeds=6
    )
    cells = [
        {"seed": seed, "problem": problem, "optimizer": optimizer}
        for seed in range(arguments.seeds)
        for problem in arguments.problems
        if seed < PROBLEMS[problem].max_seeds
        for optimizer in arguments.optimizers
    ]
    path = arguments.out / "bayes_optimizer_cells.csv.xz"
    runs = run_missing(run, cells, path, arguments.jobs, digits=6)
    summary(runs).to_csv(arguments.out / "bayes_optimizer.csv", index=False)


if __name__ == "__main__":
    main()
