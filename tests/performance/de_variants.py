"""L-SHADE (Tanabe & Fukunaga 2014) beside JADE at equal budgets on the problems of this package.

    python tests/performance/de_variants.py results/de --out docs/results

writes ``de_variants_problems.csv`` (medians and quartiles of the least loss after so many
evaluations), ``de_variants_tests.csv`` (ranks and tests over the problems of each kind) and, for
costs and weights together, ``de_variants.csv``. Runs are kept in the folder, a file a problem, and
a later call goes on from there. Four kinds of problem, all in the unit cube:

* functions;
* output costs: log cost ratios on the out-of-fold posteriors of an MLP, macro F1 and G-mean;
* class weights of a least-squares classifier and its penalty, macro F1 of three folds;
* class weights of logistic regression and of an SVC, which are slow: fewer seeds and variants, up
  to 200 evaluations, and no test.

The rule, set before the first run: L-SHADE is added to the package if one of its settings is better
than JADE with ten members, by Wilcoxon's signed-rank test over the problems with costs and weights
(least squares) together and Holm's correction over the variants, at two of the three budgets, and
worse at none. L-SHADE with ten members met it, but not where each data set counts once, and JADE
with its mean size, seven, does as well (see `FOLLOW_UP`, run afterwards): it was not added.
"""

import argparse
import itertools
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import numpy as np
import pandas as pd
import torch
from _tiny import parse_arguments
from bayes_optimizer import hartmann_6, load_multiclass, rosenbrock
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from tqdm import tqdm

from skimbal import MLPClassifier
from skimbal.cost_sensitive._decision_table import DecisionTable
from skimbal.cost_sensitive._search_steps import LogRatioSpace
from skimbal.datasets import load_keel
from skimbal.metrics import average_ranks, holm, macro_f1_from_confusion, wilcoxon_to_control
from skimbal.optim import JADE, BaseOptimizer, RandomSearch
from skimbal.optim._adaptation import SCALE, sample_crossover_rates
from skimbal.optim._operators import (
    binomial_crossover,
    choose_difference,
    choose_pbest,
    current_to_pbest,
    repair_to_midpoint,
    uniform_points,
)

BUDGETS = (60, 200, 1000)
CONTROL = "JADE 10"

# ------------------------------------------------------------ L-SHADE


def sample_factors_around(rng, locations):
    """F_i ~ Cauchy(locations_i, 0.1), drawn again where F_i <= 0 and set to 1 above 1."""
    factors = locations + SCALE * rng.standard_cauchy(locations.size)
    while (again := (factors <= 0.0).nonzero()[0]).size:
        factors[again] = locations[again] + SCALE * rng.standard_cauchy(again.size)
    return np.minimum(factors, 1.0)


def weighted_lehmer_mean(values, weights):
    """Sum of w v² over sum of w v."""
    return float(weights @ values**2) / float(weights @ values)


def shrunk_size(n_init, n_min, n_evaluations, budget):
    """Population size after so many evaluations: from n_init to n_min along a straight line."""
    spent = min(n_evaluations / budget, 1.0)
    return round(n_init + (n_min - n_init) * spent)


class LSHADE(BaseOptimizer):
    """JADE with a memory of what succeeded and a population that shrinks over the budget.

    R. Tanabe and A. S. Fukunaga 2014, doi:10.1109/CEC.2014.6900380, with the published settings:
    p = 0.11, memory of 6, archive of 2.6 populations, 4 members at the end. Components outside the
    box, and archived points above its size, are treated as JADE does. `budget=None` keeps the
    population as it is, which is SHADE with L-SHADE's settings.
    """

    def __init__(self, bounds, *, n_init, budget, memory=6, p=0.11, archive=2.6, random_state=None):
        super().__init__(bounds, random_state)
        self.population_size = self.n_init = n_init
        self.budget, self.p, self.archive = budget, p, archive
        self.mu_cr = np.full(memory, 0.5)  # NaN is the terminal value: rates of 0
        self.mu_f = np.full(memory, 0.5)
        self._slot = 0
        self._low, self._high = self.bounds.T
        self._members = uniform_points(
            self._low, self._high, self._rng.random((n_init, self.n_dims))
        )
        self._archived = np.empty((0, self.n_dims))
        self._losses = None
        self._n_evaluations = 0

    def _propose(self):
        if self._losses is None:
            return self._members.copy()
        n, parents, rng = self.population_size, self._members, self._rng
        slots = rng.integers(self.mu_f.size, size=n)
        rates = sample_crossover_rates(rng, self.mu_cr[slots], n)
        self._rates = np.where(np.isnan(rates), 0.0, rates)
        self._factors = sample_factors_around(rng, self.mu_f[slots])
        pool = np.concatenate([parents, self._archived])
        for_pbest, for_r1, for_r2, for_dims = rng.random((4, n))
        pbest = choose_pbest(self._losses, max(round(self.p * n), 2), for_pbest)
        r1, r2 = choose_difference(for_r1, for_r2, len(pool))
        mutants = current_to_pbest(parents, parents[pbest], parents[r1], pool[r2], self._factors)
        mutants = repair_to_midpoint(mutants, parents, self._low, self._high)
        forced_dims = (for_dims * self.n_dims).astype(np.intp)
        uniforms = rng.random((n, self.n_dims))
        return binomial_crossover(parents, mutants, self._rates, uniforms, forced_dims)

    def _learn(self, x, losses):
        self._n_evaluations += len(x)
        if self._losses is None:
            self._losses = losses.copy()
        else:
            better = (losses < self._losses).nonzero()[0]
            self._remember(better, self._losses[better] - losses[better])
            self._archived = np.concatenate([self._archived, self._members[better]])
            moved = losses <= self._losses  # unlike JADE's, a tie takes the trial
            self._members[moved], self._losses[moved] = x[moved], losses[moved]
        self._shrink()

    def _remember(self, better, gains):
        """Write the means of what succeeded, weighted by the gains, into the next slot."""
        if better.size == 0:
            return
        assert np.isfinite(gains).all(), "these problems have no infinite losses"
        rates, weights = self._rates[better], gains / gains.sum()
        if np.isnan(self.mu_cr[self._slot]) or rates.max() == 0.0:
            self.mu_cr[self._slot] = np.nan
        else:
            self.mu_cr[self._slot] = weighted_lehmer_mean(rates, weights)
        self.mu_f[self._slot] = weighted_lehmer_mean(self._factors[better], weights)
        self._slot = (self._slot + 1) % self.mu_f.size

    def _shrink(self):
        """The worst members leave, and random points of the archive above its size."""
        if self.budget is not None:
            n = shrunk_size(self.n_init, min(4, self.n_init), self._n_evaluations, self.budget)
            staying = np.sort(self._losses.argsort(kind="stable")[:n])
            self._members, self._losses = self._members[staying], self._losses[staying]
            self.population_size = len(staying)
        size = round(self.archive * self.population_size)
        if len(self._archived) > size:
            self._archived = self._archived[self._rng.permutation(len(self._archived))[:size]]


class TiesMove(JADE):
    """JADE in which, as in L-SHADE, a trial as good as its parent replaces it.

    It is here because scores of labels have plateaus; it counts as no success.
    """

    def _learn(self, x, losses):
        tied = None if self._losses is None else losses == self._losses
        super()._learn(x, losses)
        if tied is not None:
            self._members[tied] = x[tied]


def jade(n, bounds, budget, seed):
    return JADE(bounds, population_size=n, random_state=seed)


def jade_ties_move(n, bounds, budget, seed):
    return TiesMove(bounds, population_size=n, random_state=seed)


def shade(n, bounds, budget, seed):
    return LSHADE(bounds, n_init=n, budget=None, random_state=seed)


def lshade(n, bounds, budget, seed, memory=6):
    return LSHADE(bounds, n_init=n, budget=budget, memory=memory, random_state=seed)


def lshade_published(bounds, budget, seed):
    return LSHADE(bounds, n_init=18 * len(bounds), budget=budget, random_state=seed)


def random_search(bounds, budget, seed):
    return RandomSearch(bounds, population_size=20, random_state=seed)


VARIANTS = {
    CONTROL: partial(jade, 10),
    "JADE 20": partial(jade, 20),
    "JADE 30": partial(jade, 30),
    "JADE 10, ties move": partial(jade_ties_move, 10),
    "SHADE 10": partial(shade, 10),
    "L-SHADE 10": partial(lshade, 10),
    "L-SHADE 20": partial(lshade, 20),
    "L-SHADE 20, memory 2": partial(lshade, 20, memory=2),
    "L-SHADE 30": partial(lshade, 30),
    "L-SHADE 18 D": lshade_published,
    "random": random_search,
}
# Added after the others were seen: a fixed population as large as L-SHADE 10's on average, and a
# smaller one, to tell what shrinking gains from what any smaller population gains.
FOLLOW_UP = {"JADE 5": partial(jade, 5), "JADE 7": partial(jade, 7)}
FOLLOW_UP_CONTROL = "JADE 7"

# ------------------------------------------------------------ problems


class Function(NamedTuple):
    """A function of one point of the unit cube."""

    function: Callable
    n_dims: int

    def make(self, folder):
        """(Losses of many points, number of dimensions)."""
        return lambda points: np.array([self.function(u) for u in points]), self.n_dims


def sphere(u):
    return ((u - 0.3) ** 2).sum()


def rastrigin(u):
    x = 10.24 * (u - 0.3)
    return (x**2 - 10 * np.cos(2 * np.pi * x) + 10).sum()


def ackley(u):
    x = 64 * (u - 0.3)
    waves = np.exp(np.cos(2 * np.pi * x).mean())
    return -20 * np.exp(-0.2 * np.sqrt((x**2).mean())) - waves + 20 + np.e


class OutputCosts(NamedTuple):
    """Log cost ratios on out-of-fold posteriors, in the box of `find_costs`."""

    name: str
    scoring: str
    binary: bool = False

    def make(self, folder):
        """(Losses of many points, number of dimensions)."""
        X, y = load_keel(self.name, return_X_y=True) if self.binary else load_multiclass(self.name)
        classes, targets = np.unique(y, return_inverse=True)
        path = folder / f"posteriors_{self.name}.npy"
        if not path.exists():
            np.save(path, out_of_fold_posteriors(X, targets))
        table = DecisionTable(np.load(path), targets, self.scoring, classes)
        space = LogRatioSpace(table)
        low, high = space.bounds.T

        def losses(points):
            return 1 - table.score_population(space.decode(low + points * (high - low)))

        return losses, len(low)


def out_of_fold_posteriors(X, targets):
    """Posteriors of an MLP after 30 epochs, in five folds or as many as the rarest class allows."""
    folds = min(5, np.bincount(targets).min())
    cv = StratifiedKFold(folds, shuffle=True, random_state=0)
    network = MLPClassifier(max_epochs=30, random_state=0)
    return cross_val_predict(network, X, targets, cv=cv, method="predict_proba")


def weights_and_penalty(points, targets):
    """Class weights (n, n_classes), 1 for the most frequent and to 1000 for others; 0.01 to 100."""
    counts = np.bincount(targets)
    weights = np.ones((len(points), len(counts)))
    weights[:, np.arange(len(counts)) != counts.argmax()] = 1000.0 ** points[:, :-1]
    return weights, 10 ** (4 * points[:, -1] - 2)


def standardized_folds(X, targets):
    """(X_train, y_train, X_test, y_test) of each of three folds."""
    cv = StratifiedKFold(3, shuffle=True, random_state=0)
    for train, test in cv.split(X, targets):
        scaler = StandardScaler().fit(X[train])
        yield scaler.transform(X[train]), targets[train], scaler.transform(X[test]), targets[test]


class LeastSquaresWeights(NamedTuple):
    """Class weights and the penalty of a least-squares classifier (ridge on indicators).

    The weighted normal equations are sums of one Gram matrix a class, so that a training takes
    microseconds.
    """

    name: str

    def make(self, folder):
        """(Losses of many points, number of dimensions)."""
        X, y = load_multiclass(self.name)
        targets = np.unique(y, return_inverse=True)[1]
        n_classes = targets.max() + 1
        folds = list(standardized_folds(X, targets))
        tests = [with_intercept(X_test) for _, _, X_test, _ in folds]
        sums = [class_sums(with_intercept(X_train), y_train) for X_train, y_train, _, _ in folds]
        truth = np.concatenate([y_test for *_, y_test in folds])

        def losses(points):
            weights, penalties = weights_and_penalty(points, targets)
            scores = [
                X_test @ least_squares_coefficients(*fold, weights, penalties)
                for X_test, fold in zip(tests, sums, strict=True)
            ]
            predicted = np.concatenate(scores, axis=1).argmax(axis=2)
            return 1 - macro_f1_from_confusion(confusions(truth, predicted, n_classes))

        return losses, n_classes


def with_intercept(X):
    """X with a column of ones in front."""
    return np.column_stack([np.ones(len(X)), X])


def class_sums(X, targets):
    """Sums over the samples of each class: x x' of shape (K, d, d), and x of shape (K, d)."""
    classes = [X[targets == c] for c in range(targets.max() + 1)]
    return np.array([x.T @ x for x in classes]), np.array([x.sum(axis=0) for x in classes])


def least_squares_coefficients(grams, sums, weights, penalties):
    """Coefficients (n, d, K) of the weighted ridge regression on the indicators of the classes."""
    penalized = np.eye(sums.shape[1])
    penalized[0, 0] = 0.0  # the intercept is free
    normal = np.tensordot(weights, grams, axes=1) + penalties[:, None, None] * penalized
    return np.linalg.solve(normal, (weights[:, :, None] * sums).transpose(0, 2, 1))


def confusions(truth, predicted, n_classes):
    """Confusion matrices (n, K, K) of predictions of shape (n, n_samples)."""
    cells = (np.arange(len(predicted))[:, None] * n_classes + truth) * n_classes + predicted
    counts = np.bincount(cells.ravel(), minlength=len(predicted) * n_classes**2)
    return counts.reshape(-1, n_classes, n_classes)


class TrainedWeights(NamedTuple):
    """Class weights and C of logistic regression, or these and gamma of an SVC."""

    name: str
    model: str

    def make(self, folder):
        """(Losses of many points, number of dimensions)."""
        X, y = load_multiclass(self.name)
        targets = np.unique(y, return_inverse=True)[1]
        folds = list(standardized_folds(X, targets))

        def loss(point):
            weights, C = weights_and_penalty(point[None, : targets.max() + 1], targets)
            model = self.classifier(dict(enumerate(weights[0])), C[0], point[-1])
            scores = [
                f1_score(y_test, model.fit(X_train, y_train).predict(X_test), average="macro")
                for X_train, y_train, X_test, y_test in folds
            ]
            return 1 - np.mean(scores)

        n_dims = targets.max() + 1 + (self.model == "SVC")
        return lambda points: np.array([loss(point) for point in points]), n_dims

    def classifier(self, class_weight, C, gamma_unit):
        """The classifier; the last coordinate of the cube is gamma's from 0.001 to 10."""
        if self.model == "SVC":
            gamma = 10 ** (4 * gamma_unit - 3)
            return SVC(C=C, gamma=gamma, class_weight=class_weight, max_iter=100_000)
        return LogisticRegression(C=C, class_weight=class_weight, tol=1e-3, max_iter=1000)


FUNCTIONS = {
    "sphere 5": Function(sphere, 5),
    "Rosenbrock 3": Function(rosenbrock, 3),
    "Rosenbrock 10": Function(rosenbrock, 10),
    "Rastrigin 5": Function(rastrigin, 5),
    "Hartmann 6": Function(hartmann_6, 6),
    "Ackley 10": Function(ackley, 10),
}
# Without those whose classes are about equally frequent (penbased, wine) and the largest (shuttle,
# thyroid, winequality-white).
MULTICLASS = (
    "balance",
    "cleveland",
    "contraceptive",
    "dermatology",
    "ecoli",
    "glass",
    "hayes-roth",
    "new-thyroid",
    "pageblocks",
    "winequality-red",
    "yeast",
)
BINARY = ("abalone9-18", "glass2", "haberman", "pima", "yeast-1_vs_7", "yeast1")
KINDS = {
    "functions": FUNCTIONS,
    "output costs": {
        **{
            f"{name}, {scoring}": OutputCosts(name, scoring)
            for name in MULTICLASS
            for scoring in ("macro_f1", "g_mean")
        },
        **{f"{name}, g_mean": OutputCosts(name, "g_mean", binary=True) for name in BINARY},
    },
    "class weights": {name: LeastSquaresWeights(name) for name in MULTICLASS},
    "class weights, slow": {
        f"{name}, {model}": TrainedWeights(name, model)
        for name, model in [
            ("balance", "SVC"),
            ("contraceptive", "logistic regression"),
            ("glass", "logistic regression"),
        ]
    },
}
SLOW = "class weights, slow"
TINY_KINDS = {
    "functions": {"sphere 5": FUNCTIONS["sphere 5"]},
    "output costs": {"glass, macro_f1": OutputCosts("glass", "macro_f1")},
    "class weights": {"glass": LeastSquaresWeights("glass")},
    SLOW: {"glass, logistic regression": TrainedWeights("glass", "logistic regression")},
}
TINY_VARIANTS = {name: VARIANTS[name] for name in (CONTROL, "SHADE 10", "L-SHADE 10", "random")}
SLOW_VARIANTS = (CONTROL, FOLLOW_UP_CONTROL, "L-SHADE 10")
SLOW_BUDGETS = (60, 200)
OURS = ("output costs", "class weights")

# ------------------------------------------------------------ runs


def least_losses(make_optimizer, losses, n_dims, budgets, seed):
    """Least loss among the first so many evaluations, for each budget; L-SHADE runs for each."""
    least = {}
    for budget in budgets:
        optimizer = make_optimizer(np.tile([0.0, 1.0], (n_dims, 1)), budget, seed)
        if not isinstance(optimizer, LSHADE) or optimizer.budget is None:
            told = evaluate(optimizer, losses, max(budgets))
            return {b: told[:b].min() for b in budgets}
        least[budget] = evaluate(optimizer, losses, budget).min()
    return least


def evaluate(optimizer, losses, budget):
    """The first `budget` losses told, in their order."""
    told = []
    while sum(map(len, told)) < budget:
        x = optimizer.ask()
        told.append(losses(x))
        optimizer.tell(x, told[-1])
    return np.concatenate(told)[:budget]


def run_variants(kind, name, variants, folder, n_seeds):
    """Rows of all budgets and seeds of some variants on one problem."""
    losses, n_dims = KINDS[kind][name].make(folder)
    budgets = SLOW_BUDGETS if kind == SLOW else BUDGETS
    rows = []
    for variant, seed in itertools.product(variants, range(n_seeds)):
        rng = np.random.default_rng([seed, crc32(name.encode())])
        make_optimizer = (VARIANTS | FOLLOW_UP)[variant]
        least = least_losses(make_optimizer, losses, n_dims, budgets, rng)
        cell = {"kind": kind, "problem": name, "dimensions": n_dims, "variant": variant}
        rows += [cell | {"seed": seed, "evaluations": b, "least": v} for b, v in least.items()]
    return pd.DataFrame(rows)


def run_missing(folder, n_seeds, n_slow_seeds):
    """All runs; the variants that the folder has of a problem are not run again."""
    problems = [(kind, name) for kind, named in KINDS.items() for name in named]
    tables = []
    for kind, name in (progress := tqdm(problems)):
        progress.set_postfix_str(f"{kind}: {name}")
        path = folder / f"runs {kind} {name}.csv"
        done = set(pd.read_csv(path)["variant"]) if path.exists() else set()
        wanted = SLOW_VARIANTS if kind == SLOW else [*VARIANTS, *FOLLOW_UP]
        if missing := [variant for variant in wanted if variant not in done]:
            seeds = n_slow_seeds if kind == SLOW else n_seeds
            rows = run_variants(kind, name, missing, folder, seeds)
            rows.to_csv(path, mode="a", header=not path.exists(), index=False)
        tables.append(pd.read_csv(path))
    return pd.concat(tables, ignore_index=True)


# ------------------------------------------------------------ tables


def win_share(a, b):
    """Share of the pairs of runs in which the loss `a` is lower than `b`; ties count half."""
    differences = np.subtract.outer(np.asarray(a), np.asarray(b))
    tied = np.abs(differences) < 1e-12
    return ((differences < 0) & ~tied).mean() + 0.5 * tied.mean()


def problem_table(runs):
    """Median and quartiles of the least loss by problem, budget and variant."""
    cells = ["kind", "problem", "dimensions", "evaluations", "variant"]
    table = runs.groupby(cells, sort=False)["least"].agg(
        seeds="size",
        median="median",
        quartile_1=lambda least: least.quantile(0.25),
        quartile_3=lambda least: least.quantile(0.75),
    )
    return table.reset_index()


def win_shares(runs, variants, control):
    """Win shares against the control: a row for each problem, a column for each variant."""
    rows = {}
    for problem, group in runs.groupby(["kind", "problem"], sort=False):
        least = {name: part["least"] for name, part in group.groupby("variant")}
        rows[problem] = {name: win_share(least[name], least[control]) for name in variants}
    return pd.DataFrame.from_dict(rows, orient="index")


def comparison(runs, kinds, budget, variants, control, *, tested=True):
    """Rank and test of variants on all problems of some kinds, at one budget."""
    runs = runs[
        runs["kind"].isin(kinds)
        & (runs["evaluations"] == budget)
        & runs["variant"].isin([*variants, control])
    ]
    shares = win_shares(runs, variants, control)
    groups = runs.groupby(["kind", "problem", "variant"])["least"]
    medians = groups.median().unstack()[list(variants)]
    data_sets = [name.split(",")[0] for _, name in shares.index]
    by_set = shares.groupby(data_sets).mean()  # two scores on one set are not independent
    table = pd.DataFrame(
        {
            "problems": " and ".join(kinds),
            "number": len(medians),
            "evaluations": budget,
            "control": control,
            "variant": list(variants),
            "average rank": average_ranks(-medians).round(2),
            "win share": shares.mean().round(3),
            "better": (shares > 0.5 + 1e-12).sum(),
            "worse": (shares < 0.5 - 1e-12).sum(),
            "Holm's p": adjusted_p(shares, control).round(4) if tested else np.nan,
            "Holm's p, sets": adjusted_p(by_set, control).round(4) if tested else np.nan,
        }
    )
    return table.reset_index(drop=True)


def adjusted_p(shares, control):
    """Wilcoxon's test of each column against the control's, with Holm's correction."""
    return holm(wilcoxon_to_control(shares, list(shares).index(control)))


def summary(runs):
    """All comparisons: ours together, each kind, the slow ones without a test, the follow-up."""
    families = [OURS, *((kind,) for kind in KINDS if kind != SLOW)]
    follow_up = [FOLLOW_UP_CONTROL, "JADE 5", CONTROL, "L-SHADE 10"]
    tables = [
        comparison(runs, kinds, budget, VARIANTS, CONTROL)
        for kinds, budget in itertools.product(families, BUDGETS)
    ]
    tables += [
        comparison(runs, (SLOW,), budget, SLOW_VARIANTS, CONTROL, tested=False)
        for budget in SLOW_BUDGETS
    ]
    tables += [
        comparison(runs, kinds, budget, follow_up, FOLLOW_UP_CONTROL)
        for kinds, budget in itertools.product(families, BUDGETS)
    ]
    return pd.concat(tables, ignore_index=True)


def compact(comparisons):
    """The comparisons on costs and weights together: a row a variant, three columns a budget."""
    part = comparisons[comparisons["problems"] == " and ".join(OURS)]
    rows = {}
    for row in part.to_dict("records"):
        p = row["Holm's p"]
        cells = rows.setdefault((row["control"], row["variant"]), {})
        evaluations = row["evaluations"]
        cells[f"rank, {evaluations}"] = f"{row['average rank']:.1f}"
        cells[f"share, {evaluations}"] = f"{100 * row['win share']:.0f} %"
        cells[f"p, {evaluations}"] = "" if np.isnan(p) else "< 0.001" if p < 1e-3 else f"{p:.3f}"
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["against", "variant"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder of the runs")
    parser.add_argument("--out", type=Path, required=True, help="folder of the tables")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--slow-seeds", type=int, default=5)
    arguments = parse_arguments(
        parser,
        globals(),
        KINDS=TINY_KINDS,
        VARIANTS=TINY_VARIANTS,
        BUDGETS=(20, 40),
        SLOW_BUDGETS=(20,),
        seeds=2,
        slow_seeds=1,
    )
    arguments.folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # of models that don't converge
    runs = run_missing(arguments.folder, arguments.seeds, arguments.slow_seeds)
    comparisons = summary(runs)
    compact(comparisons).to_csv(arguments.out / "de_variants.csv")
    comparisons.to_csv(arguments.out / "de_variants_tests.csv", index=False)
    problem_table(runs).round(6).to_csv(arguments.out / "de_variants_problems.csv", index=False)


if __name__ == "__main__":
    main()
