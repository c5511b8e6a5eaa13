"""Searches for output costs or for training weights of a network, at equal budgets, out of fold.

    pip install optuna cmaes
    python tests/performance/costs_or_weights.py --out docs/results

The network is MLPClassifier with its defaults, but for the epochs. Each search sees the training
rows of an outer fold, scores 60 candidates in three inner folds, begins with the inverse
frequencies and ends with a network of all training rows; the score is that of the outer fold.
Differential evolution and CMA-ES ask for ten candidates at a time, the Bayesian search and TPE for
ten and then five. They search the same box, the logarithms of [1, 1000] for each class but the most
frequent, and are evaluated by the same code. `TunedCostClassifierCV` trains in one cross-validation
only.

Two classes: every sixth of the 58 KEEL sets by imbalance ratio, G-mean. More classes: the KEEL sets
with up to 2,000 rows and inputs that are numbers, macro F1; classes with fewer than five rows are
taken out. Cells that are already in costs_or_weights_cells.csv.xz are not run again.
"""

import time
import warnings
from functools import partial

import numpy as np
import pandas as pd
from _comparison import base_parser, points, run_cells
from _tiny import parse_arguments
from bayes_optimizer import load_multiclass, multiclass_archive
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold

from skimbal import (
    BayesSearchCV,
    DESearchCV,
    FixedCostClassifier,
    MLPClassifier,
    TunedCostClassifierCV,
)
from skimbal.datasets import list_keel, load_keel
from skimbal.metrics import average_ranks, get_scorer, holm, wilcoxon
from skimbal.model_selection import class_weight_space

N_EVALUATIONS = 60
N_OUTER, N_INNER = 3, 3
BUDGETS = (10, 20, 40, 60)
SCORING = {"two classes": "g_mean", "more classes": "macro_f1"}
MAX_ROWS, MIN_OF_CLASS = 2000, 5
MAX_SETS = None  # of each group; None is all
CONTROLS = ("equal weights", "DE, weights")


# ---------------------------------------------------------------- data


def binary_names():
    """Every sixth of the 58 sets by imbalance ratio, beginning with the least."""
    table = list_keel().query("keel58").sort_values(["imbalance_ratio", "name"])
    return table.name.tolist()[::6]


def load(group, name):
    """Inputs and labels, without the classes that are too small for the folds."""
    X, y = load_keel(name, return_X_y=True) if group == "two classes" else load_multiclass(name)
    labels, counts = np.unique(y, return_counts=True)
    kept = np.isin(y, labels[counts >= MIN_OF_CLASS])
    return X[kept], y[kept]


def multiclass_names():
    """The sets of more than two classes that are small enough, the smallest first."""
    with multiclass_archive() as archive:
        names = sorted({member.split("/")[0] for member in archive.namelist()})
    n_rows = {name: len(load_multiclass(name)[1]) for name in names}
    return sorted((name for name in names if n_rows[name] <= MAX_ROWS), key=n_rows.get)


# ---------------------------------------------------------------- optimizers of others


class TPE:
    """Optuna's tree-structured Parzen estimator with its defaults, by ask and tell."""

    def __init__(self, space, rng, initial):
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        sampler = optuna.samplers.TPESampler(seed=int(rng.integers(2**31)))
        self.study = optuna.create_study(sampler=sampler)
        self.dimensions = {
            f"u{i}": optuna.distributions.FloatDistribution(0, 1) for i in range(space.n_dims)
        }
        for point in initial:
            self.study.enqueue_trial(dict(zip(self.dimensions, point.tolist(), strict=True)))
        self.n_queued = 10  # as many random ones at first as BayesSearchCV has

    def ask(self, n_points):
        self.n_queued = 0
        self.trials = [self.study.ask(self.dimensions) for _ in range(n_points)]
        return np.array([list(trial.params.values()) for trial in self.trials])

    def tell(self, points, losses):
        for trial, loss in zip(self.trials, losses, strict=True):
            self.study.tell(trial, float(loss))


class CMAES:
    """CMA-ES of `cmaes`, with Optuna's first step size, a sixth of the box.

    It has to have two dimensions, so where there is one it gets a second that means nothing.
    """

    n_queued = 0

    def __init__(self, space, rng, initial):
        from cmaes import CMA

        self.n_dims = space.n_dims
        mean = np.append(initial[0], [0.5] * (self.n_dims == 1))
        self.cma = CMA(
            mean,
            1 / 6,
            bounds=np.array([[0.0, 1.0]] * len(mean)),
            population_size=10,
            seed=int(rng.integers(2**31)),
        )

    def ask(self, n_points):
        assert n_points == self.cma.population_size
        self.points = [self.cma.ask() for _ in range(n_points)]
        if self.cma.generation == 0:  # all begin with the start point itself
            self.points[0] = self.cma.mean.copy()
        return np.array(self.points)[:, : self.n_dims]

    def tell(self, points, losses):
        self.cma.tell(list(zip(self.points, losses, strict=True)))


class OthersSearchCV(BayesSearchCV):
    """The search of the package with an optimizer that it does not have."""

    def __init__(
        self,
        estimator,
        search_spaces,
        optimizer,
        *,
        n_points,
        x0,
        scoring,
        cv,
        n_iter,
        random_state,
    ):
        super().__init__(
            estimator,
            search_spaces,
            n_points=n_points,
            x0=x0,
            scoring=scoring,
            cv=cv,
            n_iter=n_iter,
            random_state=random_state,
        )
        self.optimizer = optimizer

    def _make_optimizer(self, space, rng, initial):
        return self.optimizer(space, rng, initial)


# ---------------------------------------------------------------- methods


def de_search(estimator, space, population_size=10, **common):
    return DESearchCV(
        estimator,
        space,
        population_size=population_size,
        max_generations=N_EVALUATIONS // population_size,
        **common,
    )


def bayes_search(estimator, space, **common):
    return BayesSearchCV(estimator, space, n_iter=N_EVALUATIONS, n_points=5, **common)


def random_search(estimator, space, **common):
    return de_search(estimator, space, population_size=N_EVALUATIONS, **common)


def others_search(optimizer, n_points):
    return partial(OthersSearchCV, optimizer=optimizer, n_iter=N_EVALUATIONS, n_points=n_points)


OWN = ("DE", "Bayesian", "random")  # those that need no other package
SEARCHES = {  # what is searched, and how
    "DE, costs": ("costs", de_search),
    "DE, weights": ("class_weight", de_search),
    "Bayesian, weights": ("class_weight", bayes_search),
    "CMA-ES, weights": ("class_weight", others_search(CMAES, 10)),
    "TPE, weights": ("class_weight", others_search(TPE, 5)),
    "random, weights": ("class_weight", random_search),
}
OWN_SEARCHES = {name: way for name, way in SEARCHES.items() if name.split(",")[0] in OWN}
CONVENTIONS = (
    "equal weights",
    "inverse frequency, weights",
    "inverse frequency, costs",
    "tuned costs",
)
METHODS = (*CONVENTIONS, *SEARCHES)


def make_model(method, network, y, scoring, seed):
    """The unfitted classifier or search of a row."""
    cv = StratifiedKFold(N_INNER, shuffle=True, random_state=seed)
    if method in SEARCHES:
        param, search = SEARCHES[method]
        estimator = FixedCostClassifier(network) if param == "costs" else network
        space = class_weight_space(y, param=param)
        return search(
            estimator, space, x0="conventional", scoring=scoring, cv=cv, random_state=seed
        )
    return {
        "equal weights": network,
        "inverse frequency, weights": clone(network).set_params(class_weight="balanced"),
        "inverse frequency, costs": FixedCostClassifier(network),
        "tuned costs": TunedCostClassifierCV(network, scoring=scoring, cv=cv, random_state=seed),
    }[method]


def inner_scores(model):
    """Best score of the inner folds after so many candidates; none where there was no search."""
    if not hasattr(model, "best_index_"):
        return dict.fromkeys([f"inner_{n}" for n in BUDGETS], np.nan)
    best = np.maximum.accumulate(model.cv_results_["mean_test_score"])
    return {f"inner_{n}": best[min(n, len(best)) - 1] for n in BUDGETS}


def evaluate(group, dataset, seed, fold, method, n_epochs):
    X, y = load(group, dataset)
    folds = StratifiedKFold(N_OUTER, shuffle=True, random_state=seed)
    train, test = list(folds.split(X, y))[fold]
    own_seed = N_OUTER * seed + fold
    network = MLPClassifier(max_epochs=n_epochs, random_state=own_seed)
    scoring = SCORING[group]
    model = make_model(method, network, y[train], scoring, own_seed)
    start_s = time.process_time()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="the start value")  # wider bounds are wanted
        model.fit(X[train], y[train])
    cpu_s = time.process_time() - start_s
    score = get_scorer(scoring)(model, X[test], y[test])
    yield {"score": score, "cpu_s": cpu_s, **inner_scores(model)}


# ---------------------------------------------------------------- tables


def by_set(cells):
    """Mean score of each set and method, over folds and seeds."""
    return cells.pivot_table(index="dataset", columns="method", values="score")[list(METHODS)]


def summary(cells):
    """Mean scores and ranks, differences to equal weights, and times."""
    rows = []
    for group, of_group in cells.groupby("group", sort=False):
        scores = by_set(of_group)
        ranks = average_ranks(scores.to_numpy())
        cpu_s = of_group.groupby("method").cpu_s.median()
        for method, rank in zip(METHODS, ranks, strict=True):
            difference = scores[method] - scores["equal weights"]
            rows.append(
                {
                    "group": group,
                    "method": method,
                    "score %": points(scores[method].mean()),
                    "mean rank": f"{rank:.2f}",
                    "to equal weights": f"{100 * difference.mean():+.1f}",
                    "better in": f"{(difference > 0).sum()} of {len(scores)}",
                    "networks": n_networks(method),
                    "CPU s": f"{cpu_s[method]:.2f}",
                }
            )
    return pd.DataFrame(rows)


def n_networks(method):
    """Networks that a fit trains, the last one included."""
    if method in SEARCHES:
        return N_EVALUATIONS * N_INNER + 1
    return N_INNER + 1 if method == "tuned costs" else 1


def significance_table(cells):
    """Differences between methods over the sets; Holm's p over those of a group and control."""
    tables = []
    for group, of_group in cells.groupby("group", sort=False):
        scores = by_set(of_group)
        for control in CONTROLS:
            rivals = METHODS[1:] if control == METHODS[0] else ("tuned costs", *SEARCHES)
            rivals = [method for method in rivals if method != control]
            tests = [wilcoxon(scores[method], scores[control]) for method in rivals]
            differences = [scores[method] - scores[control] for method in rivals]
            table = pd.DataFrame({"group": group, "method": rivals, "control": control})
            table["difference, points"] = [f"{100 * d.mean():+.2f}" for d in differences]
            table["better in"] = [f"{(d > 0).sum()} of {len(d)}" for d in differences]
            table["p"] = [f"{p:.3f}" for p in tests]
            table["Holm p"] = [f"{p:.3f}" for p in holm(np.array(tests))]
            tables.append(table)
    return pd.concat(tables)


def budget_table(cells):
    """Best inner score after so many candidates: the median over folds, in brackets the mean.

    The differences and tests are of the last ones, over the sets.
    """
    tables = []
    for group, of_group in cells[cells.method.isin(SEARCHES)].groupby("group", sort=False):
        inner = {f"after {n}": of_group.groupby("method")[f"inner_{n}"] for n in BUDGETS}
        table = pd.DataFrame(
            {name: _median_and_mean(values) for name, values in inner.items()}, index=list(SEARCHES)
        )
        last = of_group.pivot_table(
            index="dataset", columns="method", values=f"inner_{BUDGETS[-1]}"
        )
        control = CONTROLS[1]
        rivals = [method for method in SEARCHES if method != control]
        tests = holm(np.array([wilcoxon(last[method], last[control]) for method in rivals]))
        differences = last.sub(last[control], axis=0).mean()
        table[[f"to {control}", "Holm p"]] = ""
        table.loc[rivals, f"to {control}"] = [f"{100 * differences[m]:+.1f}" for m in rivals]
        table.loc[rivals, "Holm p"] = [f"{p:.3f}" for p in tests]
        tables.append(table.rename_axis("method").reset_index().assign(group=group))
    table = pd.concat(tables)
    return table[["group", *table.columns.drop("group")]]


def _median_and_mean(values):
    return values.median().map(points) + " (" + values.mean().map(points) + ")"


def main():
    parser = base_parser(__doc__, n_seeds=1, n_epochs=60)
    arguments = parse_arguments(
        parser,
        globals(),
        MAX_SETS=2,
        N_OUTER=2,
        N_EVALUATIONS=20,
        BUDGETS=(5, 10),
        SEARCHES=OWN_SEARCHES,
        METHODS=(*CONVENTIONS, *OWN_SEARCHES),
        epochs=2,
    )
    sets = [("two classes", name) for name in binary_names()[:MAX_SETS]]
    sets += [("more classes", name) for name in multiclass_names()[:MAX_SETS]]
    cells = [
        {
            "group": group,
            "dataset": name,
            "seed": seed,
            "fold": fold,
            "method": method,
            "n_epochs": arguments.epochs,
        }
        for group, name in sets
        for seed in range(arguments.seeds)
        for fold in range(N_OUTER)
        for method in METHODS
    ]
    path = arguments.out / "costs_or_weights_cells.csv.xz"
    rows = run_cells(evaluate, cells, path, arguments.jobs)
    tables = {
        "costs_or_weights": summary(rows),
        "costs_or_weights_tests": significance_table(rows),
        "costs_or_weights_budget": budget_table(rows),
    }
    for name, table in tables.items():
        table.to_csv(arguments.out / f"{name}.csv", index=False)
        print(table.to_string())


if __name__ == "__main__":
    main()
