"""Extreme learning machines: leave-one-out against refits, weights, searches and bad input."""

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.datasets import make_blobs, make_classification
from sklearn.metrics import make_scorer, recall_score, roc_auc_score
from sklearn.metrics.pairwise import rbf_kernel

from skimbal.cost_sensitive import TunedCostClassifierCV, find_costs
from skimbal.ensemble import EvolutionaryELMClassifier, WeightedELMClassifier
from skimbal.ensemble._evolutionary_elm import evolve, weights_of_genes
from skimbal.metrics import decide, g_mean

KERNELS = ("laplacian", "rbf", "poly", None)
FIXED = {"C": 4.0, "gamma": 0.3, "n_nodes": 25, "tune_costs": False, "random_state": 0}


def data(n_classes=2, n=80, seed=0):
    weights = [0.75] + [0.25 / (n_classes - 1)] * (n_classes - 1)
    return make_classification(
        n, 5, n_informative=4, n_redundant=0, n_classes=n_classes, n_clusters_per_class=1,
        weights=weights, class_sep=0.7, random_state=seed,
    )  # fmt: skip  # settings side by side


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("kernel", KERNELS)
def test_leave_one_out_is_that_of_refits(kernel, n_classes):
    """With weights of the classes that do not change: without the sample, they would a little."""
    X, y = data(n_classes, 40)
    machine = WeightedELMClassifier(kernel, encoding=None, weighting=None, **FIXED).fit(X, y)
    refits = []
    for i in range(len(y)):
        kept = np.arange(len(y)) != i
        refits.append(clone(machine).fit(X[kept], y[kept]).decision_function(X[[i]])[0])
    assert_allclose(machine.loo_decision_, refits, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("kernel", KERNELS)
def test_groups_are_left_out_together(kernel):
    X, y = data(n=40)
    groups = np.arange(40) % 8
    machine = WeightedELMClassifier(kernel, encoding=None, weighting=None, **FIXED)
    machine.fit(X, y, groups=groups)
    for group in range(3):
        out = groups == group
        refit = clone(machine).fit(X[~out], y[~out])
        assert_allclose(machine.loo_decision_[out], refit.decision_function(X[out]), rtol=1e-6)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("weighting", ["W1", "W2", None])
def test_weights_are_copies(kernel, weighting):
    X, y = data(3)
    n_times = np.random.default_rng(0).integers(0, 4, len(y))
    machine = WeightedELMClassifier(kernel, weighting=weighting, n_nodes=25, random_state=0)
    weighted = machine.fit(X, y, sample_weight=n_times)
    proba = weighted.predict_proba(X)
    expected = weighted.loo_proba_.repeat(n_times, axis=0)
    repeated = clone(machine).fit(X.repeat(n_times, axis=0), y.repeat(n_times))
    assert_allclose(repeated.predict_proba(X), proba, rtol=1e-9)
    assert_allclose(repeated.loo_proba_, expected, rtol=1e-9)
    assert_allclose(repeated.costs_, weighted.costs_)


def test_samples_without_weight_have_no_leave_one_out_values():
    X, y = data()
    weight = np.where(np.arange(len(y)) < 10, 0.0, 1.0)
    machine = WeightedELMClassifier().fit(X, y, sample_weight=weight)
    assert np.isnan(machine.loo_proba_[:10]).all()
    assert np.isfinite(machine.loo_proba_[10:]).all()
    assert np.isfinite(machine.loo_score_)


def test_many_samples_take_the_primal_form_and_few_the_dual_one():
    X, y = data(n=120)
    primal = WeightedELMClassifier(None, encoding=None, **FIXED).fit(X, y)
    features = primal.features_.values(primal.features_.raw(X), primal.gamma_)
    weight = primal.class_weight_[y]
    kernel = features @ features.T
    dual = np.linalg.solve(np.diag(1 / (4.0 * weight)) + kernel, 2.0 * y - 1)
    assert primal.output_weights_.shape == (25, 1)
    assert_allclose(kernel @ dual, primal.decision_function(X), rtol=1e-6)


def test_the_C_of_the_article_is_larger_by_the_mean_number_of_samples_of_a_class():
    X, y = data(3)
    machine = WeightedELMClassifier("rbf", encoding=None, **FIXED).fit(X, y)
    kernel = rbf_kernel(X, gamma=machine.gamma_)
    W = np.diag(1 / np.bincount(y)[y])
    C = 4.0 * len(y) / 3
    targets = 2.0 * np.eye(3)[y] - 1
    alpha = np.linalg.solve(np.eye(len(y)) / C + W @ kernel, W @ targets)
    assert_allclose(kernel @ alpha, machine.decision_function(X), rtol=1e-7)


def test_the_rare_class_is_found_with_weights():
    """Figures of the article's kind: overlapping Gaussians, 20 to 1."""
    X, y = make_blobs([2000, 100], 2, centers=[[0, 0], [1.5, 0]], random_state=0)
    recalls = {}
    for weighting in (None, "W1", "W2"):
        machine = WeightedELMClassifier(
            "rbf", weighting=weighting, C=1.0, gamma="scale", tune_costs=False
        ).fit(X[::2], y[::2])
        recalls[weighting] = recall_score(y[1::2], machine.predict(X[1::2]))
    assert recalls[None] < 0.2
    assert recalls["W1"] > 0.7
    assert recalls[None] < recalls["W1"] < recalls["W2"]  # W2 has less of the frequent class


def test_without_costs_the_decision_is_that_of_the_outputs():
    for n_classes in (2, 3):
        X, y = data(n_classes)
        machine = WeightedELMClassifier(tune_costs=False).fit(X, y)
        outputs = machine.decision_function(X)
        decided = outputs > 0 if n_classes == 2 else outputs.argmax(axis=1)
        np.testing.assert_array_equal(machine.predict(X), decided)
        assert not hasattr(machine, "costs_")


def test_costs_are_those_of_the_leave_one_out_probabilities():
    X, y = data()
    machine = WeightedELMClassifier(shrinkage=0.25).fit(X, y)
    found = find_costs(y, machine.loo_proba_, shrinkage=0.25)
    assert_allclose(machine.costs_, found.costs)
    assert machine.loo_score_ == pytest.approx(found.score)
    assert not hasattr(machine.set_params(tune_costs=False).fit(X, y), "costs_")


def test_leave_one_out_probabilities_are_honest():
    """On labels without any signal they are no better than chance, those of the training are."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(150, 10)), rng.permutation(np.repeat([0, 1], [110, 40]))
    machine = WeightedELMClassifier(C=100.0, gamma="scale").fit(X, y)
    assert roc_auc_score(y, machine.predict_proba(X)[:, 1]) > 0.95
    assert roc_auc_score(y, machine.loo_proba_[:, 1]) < 0.6


def test_grids_are_searched_by_the_leave_one_out_error():
    X, y = data()
    Cs, gammas = [0.1, 1.0, 10.0], [0.03, 0.3]
    errors = {}
    for C in Cs:
        for gamma in gammas:
            machine = WeightedELMClassifier(C=C, gamma=gamma).fit(X, y)
            weight = machine.class_weight_[y]
            errors[C, gamma] = weight @ (2 * y - 1 - machine.loo_decision_) ** 2
    gamma = min(gammas, key=lambda gamma: errors[1.0, gamma])
    C = min(Cs, key=lambda C: errors[C, gamma])
    chosen = WeightedELMClassifier(C=Cs, gamma=gammas).fit(X, y)
    assert (chosen.C_, chosen.gamma_) == (C, gamma)
    scaled = [WeightedELMClassifier(C=1.0, gamma=gamma).fit(X, y) for gamma in ("scale", "loo")]
    ratio = np.log2(scaled[1].gamma_ / scaled[0].gamma_)
    assert ratio == pytest.approx(round(ratio))


def test_the_class_balance_of_the_probabilities_is_that_of_the_training():
    X, y = make_blobs([800, 80], 2, centers=[[0, 0], [2, 0]], random_state=0)
    for weighting, mean in {"W1": 0.5, None: 80 / 880}.items():
        machine = WeightedELMClassifier("rbf", weighting=weighting, C=1.0).fit(X, y)
        weight = machine.class_weight_[y]
        assert np.average(machine.loo_proba_[:, 1], weights=weight) == pytest.approx(mean, abs=0.06)


@pytest.mark.parametrize("cls", [WeightedELMClassifier, EvolutionaryELMClassifier])
def test_a_scorer_without_weights_is_taken(cls):
    def errors(y_true, y_pred):
        return float((y_true != y_pred).sum())

    X, y = data()
    machine = cls(C=4.0, gamma="scale", scoring=make_scorer(errors, greater_is_better=False))
    machine.fit(X, y)
    decided = decide(machine.loo_proba_, machine.cost_matrix_)
    assert machine.loo_score_ == -(decided != y).sum()


def test_a_cost_search_outside_takes_the_machine():
    X, y = data()
    tuned = TunedCostClassifierCV(WeightedELMClassifier(), cv=3, random_state=0).fit(X, y)
    assert tuned.predict(X).shape == y.shape


# ---------------------------------------------------------------- evolution


def test_weights_of_genes_begin_at_the_inverse_frequencies():
    counts = np.array([60.0, 30.0, 10.0])
    assert_allclose(weights_of_genes(np.zeros(2), counts), 100 / (3 * counts))
    weights = weights_of_genes(np.log([2.0, 4.0]), counts)
    assert_allclose(weights * counts / (weights * counts)[0], [1.0, 2.0, 4.0])
    assert weights @ counts == pytest.approx(100)


def test_evolution_finds_the_minimum_and_stops_without_progress():
    bounds = np.array([[-3.0, 3.0], [-3.0, 3.0]])
    best, lowest = evolve(lambda genes: ((genes - 1) ** 2).sum(), bounds, 12, 60, 0)
    assert_allclose(best, 1.0, atol=1e-3)
    assert (np.diff(lowest) <= 0).all()
    best, lowest = evolve(lambda genes: 1.0, bounds, 4, 60, 0)
    assert len(lowest) == 21


@pytest.mark.parametrize("kernel", ["laplacian", None])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_evolved_costs_score_no_less_than_inverse_frequencies(kernel, n_classes):
    X, y = data(n_classes)
    options = {"C": 4.0, "gamma": "scale", "n_nodes": 25, "random_state": 0}
    machine = EvolutionaryELMClassifier(kernel, max_generations=6, **options).fit(X, y)
    plain = WeightedELMClassifier(kernel, tune_costs=False, **options).fit(X, y)
    assert machine.search_scores_[-1] >= plain.loo_score_ - 1e-5
    assert (np.diff(machine.search_scores_) >= 0).all()
    assert machine.loo_score_ == pytest.approx(machine.search_scores_[-1], abs=1e-4)
    assert g_mean(y, machine.predict(X)) > 0.5


def test_the_score_decides_which_costs_are_found():
    X, y = data(n=120)
    found = [
        EvolutionaryELMClassifier(
            "rbf", C=4.0, gamma="scale", scoring=scoring, max_generations=5, random_state=0
        ).fit(X, y).class_weight_
        for scoring in ("accuracy", "g_mean")
    ]  # fmt: skip  # settings side by side
    ratios = [weights[1] / weights[0] for weights in found]
    assert ratios[0] < ratios[1]


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize("cls", [WeightedELMClassifier, EvolutionaryELMClassifier])
@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"kernel": "rbff"}, "'kernel' parameter of"),
        ({"encoding": "ranks"}, "'encoding' parameter of"),
        ({"C": "press"}, "'C' parameter of"),
        ({"C": [1.0, 0.0]}, r"C=\[1.0, 0.0\] must be a positive number"),
        ({"C": []}, "must be a positive number, several of them, or one of 'loo'"),
        ({"gamma": [np.inf]}, "one of 'scale', 'loo'"),
        ({"gamma": -1.0}, "'gamma' parameter of"),
        ({"scoring": "roc_auc"}, "roc_auc"),
        ({"activation": "sine"}, "'activation' parameter of"),
        ({"memory_limit": 10**5}, r"kernel matrices of 80 distinct rows need 0.00 GiB"),
        ({"memory_limit": 10**5}, r"use kernel=None \(random nodes"),
        ({"kernel": None, "memory_limit": 10**5}, "use fewer n_nodes"),
        ({"kernel": "poly", "gamma": 1e200}, r"with gamma=1e\+200 the values of the kernel"),
        ({"kernel": "poly", "degree": 1.5}, "'degree' parameter of"),
        ({"C": 1e30, "kernel": "poly", "degree": 1}, "use a smaller C"),
    ],
)
def test_bad_parameters_leave_nothing_behind(cls, params, message):
    machine, (X, y) = cls(**params), data()
    with pytest.raises(ValueError, match=message):
        machine.fit(X, y)
    assert not [name for name in vars(machine) if name.endswith("_")]


def test_an_unknown_weighting_is_refused():
    with pytest.raises(ValueError, match="'weighting' parameter of WeightedELMClassifier"):
        WeightedELMClassifier(weighting="W3").fit(*data())


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.zeros(80), "weight"),
        (-np.ones(80), "[Nn]egative"),
        (np.ones(79), "sample_weight.shape"),
        ((data()[1] == 0).astype(float), "1 class with a positive sample_weight"),
    ],
)
def test_bad_weights_are_refused(weight, message):
    with pytest.raises(ValueError, match=message):
        WeightedELMClassifier().fit(*data(), sample_weight=weight)


@pytest.mark.parametrize("kind", ["one sample", "copies", "one group"])
@pytest.mark.parametrize(
    "machine", [WeightedELMClassifier(), EvolutionaryELMClassifier()], ids=repr
)
def test_a_class_with_one_sample_gets_a_warning_and_equal_costs(machine, kind):
    rng = np.random.default_rng(0)
    n_rare = 1 if kind == "one sample" else 3
    X, y = rng.normal(size=(30 + n_rare, 2)), np.repeat(["usual", "rare"], [30, n_rare])
    X[y == "rare"] += 4
    groups = np.append(np.arange(30), [30] * n_rare) if kind == "one group" else None
    if kind == "copies":
        X[y == "rare"] = 5.0
    machine = clone(machine).set_params(C=4.0, gamma="scale")
    with pytest.warns(UserWarning, match=r"the classes \['rare'\] have one distinct sample"):
        machine.fit(X, y, groups=groups)
    assert machine.cost_matrix_.tolist() == [[0, 1], [1, 0]]
    assert machine.predict([[5.0, 5.0], [-0.5, -0.5]]).tolist() == ["rare", "usual"]


def test_a_fit_stays_within_the_memory_that_it_counts():
    X, y = data(n=600)
    tracemalloc.start()
    WeightedELMClassifier(C=1.0, gamma="scale", memory_limit=5 * 8 * 600**2).fit(X, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5.5 * 8 * 600**2
    with pytest.raises(ValueError, match="memory_limit"):
        WeightedELMClassifier(memory_limit=5 * 8 * 600**2 - 1).fit(X, y)


def test_predictions_in_parts_are_those_at_once():
    X, y = data()
    machine = WeightedELMClassifier(C=1.0, gamma="scale").fit(X, y)
    at_once = machine.predict_proba(X)
    machine.memory_limit = 5000
    assert_allclose(machine.predict_proba(X), at_once, rtol=1e-12)


def test_published_settings():
    published = WeightedELMClassifier.as_published(random_state=3)
    assert (published.kernel, published.weighting, published.tune_costs) == ("rbf", "W1", False)
    assert published.random_state == 3
    assert WeightedELMClassifier.as_published(weighting="W2", kernel=None).kernel is None
    X, y = make_classification(60, weights=[0.8], random_state=0)
    fitted = published.fit(X, y)
    np.testing.assert_array_equal(fitted.predict(X), fitted.predict_proba(X).argmax(axis=1))
