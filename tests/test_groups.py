"""Whatever holds samples out leaves groups whole: over all classes, in pipelines, in both modes.

The labels are coin flips by group, so nothing can be learned about a new group. A score far above
chance shows that samples of one group were on both sides.
"""

import numpy as np
import pytest
import torch
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline as make_imbalanced_pipeline
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    cross_validate,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skimbal import (
    AdaBoostNetClassifier,
    BalancedBaggingNetClassifier,
    BayesSearchCV,
    CNN1DClassifier,
    DBNClassifier,
    DESearchCV,
    ECOEnsembleClassifier,
    ECSDBNClassifier,
    FixedCostClassifier,
    MLPClassifier,
    NetClassifier,
    TunedCostClassifierCV,
    WindowedClassifier,
)
from skimbal.ensemble import (
    DeepOversamplingClassifier,
    EvolutionaryELMClassifier,
    LMLEClassifier,
    WeightedELMClassifier,
)
from skimbal.neural_network import _fit_plan, cross_fit, fit_population
from skimbal.preprocessing import Spectrogram, flatten

# The classifiers of these tests only record what they are given.
pytestmark = pytest.mark.filterwarnings("ignore:all samples have the same predicted probabilities")


CHANCE = 0.75  # an upper limit: the best of many thresholds or epochs on 32 groups is above 0.5

SMALL = {"hidden_layer_sizes": (48,), "max_epochs": 40, "learning_rate": 0.01, "random_state": 0}
NET = MLPClassifier(**SMALL)
STOPPED = MLPClassifier(
    **SMALL, early_stopping=True, validation_fraction=0.3, n_iter_no_change=40,
    scoring="balanced_accuracy",
)  # fmt: skip  # one line of settings
DYNAMIC = clone(STOPPED).set_params(early_stopping=False, sampler="dynamic")
BAGS = {"n_estimators": 7, "scoring": "balanced_accuracy", "random_state": 0}
TUNED = {"scoring": "balanced_accuracy", "cv": 4, "random_state": 0}
ELM = {"scoring": "balanced_accuracy", "random_state": 0}
HOLD_OUT = {
    "early stopping": STOPPED,
    "dynamic": DYNAMIC,
    "bagging": BalancedBaggingNetClassifier(NET, **BAGS),
    "tuned costs": TunedCostClassifierCV(NET, **TUNED),
    "tuned costs of an early-stopped network": TunedCostClassifierCV(STOPPED, **TUNED),
    "tuned costs of a pipeline": TunedCostClassifierCV(
        make_pipeline(StandardScaler(), LogisticRegression()), **TUNED
    ),
    "search": DESearchCV(
        NET, {"learning_rate": (0.005, 0.02)}, population_size=4, max_generations=1, cv=4,
        scoring="balanced_accuracy", random_state=0,
    ),
    "ECO": ECOEnsembleClassifier(
        NET, population_size=3, max_generations=1, cv=4, scoring="balanced_accuracy",
        random_state=0,
    ),
    "ECS": ECSDBNClassifier(
        **SMALL | {"learning_rate": 0.03}, pretrain_epochs=5, cost_cv=4, search="exact",
        scoring="balanced_accuracy",
    ),
    "weighted ELM": WeightedELMClassifier(scoring="balanced_accuracy"),
    "ELM with random nodes": WeightedELMClassifier(None, n_nodes=60, C=4.0, gamma="scale", **ELM),
    "evolutionary ELM": EvolutionaryELMClassifier(
        C=4.0, gamma="scale", population_size=4, max_generations=1, **ELM
    ),
}  # fmt: skip  # settings side by side


def coin_flips(n_groups=32, n_samples=8):
    rng = np.random.default_rng(1)
    groups = rng.permutation(np.repeat(np.arange(n_groups), n_samples))
    centers = rng.normal(size=(n_groups, 6))
    X = centers[groups] + 0.05 * rng.normal(size=(len(groups), 6))
    return X, np.where(groups % 2, "up", "down"), np.array([f"patient {g}" for g in groups])


def held_out_score(fitted):
    """The score that a fitted classifier reports for samples that it held out."""
    while isinstance(fitted, Pipeline):
        fitted = fitted[-1]
    if hasattr(fitted, "history_"):
        return fitted.history_["valid_score"].iloc[5:].mean()
    scores = (getattr(fitted, name, None) for name in ("oob_score_", "loo_score_", "best_score_"))
    return next(score for score in scores if score is not None)


@pytest.fixture(params=[False, True], ids=["no routing", "routing"])
def routing(request):
    with config_context(enable_metadata_routing=request.param):
        yield request.param


@pytest.mark.parametrize("wrap", [lambda m: m, lambda m: make_pipeline(StandardScaler(), m)],
                         ids=["bare", "pipeline"])  # fmt: skip  # as a table
@pytest.mark.parametrize("name", HOLD_OUT)
def test_coin_flips_by_group_score_near_chance(name, wrap, routing):
    X, y, groups = coin_flips()
    model = wrap(clone(HOLD_OUT[name]))
    key = "groups"
    if isinstance(model, Pipeline) and not routing:
        key = f"{model.steps[-1][0]}__groups"
    assert held_out_score(clone(model).fit(X, y, **{key: groups})) < CHANCE
    # Without groups, routing changes nothing. A linear model cannot know 32 groups.
    if not routing and name != "tuned costs of a pipeline":
        assert held_out_score(model.fit(X, y)) > 0.8, "the task shows no leak"


def recordings(n=24):
    rng, t = np.random.default_rng(1), np.arange(1500)
    tones = [
        sum(np.sin(2 * np.pi * rng.uniform(0.02, 0.45) * t) for _ in range(3)) for _ in range(n)
    ]
    return [(x + 0.3 * rng.normal(size=len(t))).astype("f4")[None] for x in tones]


FRONTS = {
    "bare": lambda m: m,
    "spectrogram": lambda m: make_pipeline(Spectrogram(window=64, hop=64), m),
    "fitted step": lambda m: make_pipeline(
        FunctionTransformer(flatten), make_pipeline(StandardScaler(), m)
    ),
}


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("name", [n for n in HOLD_OUT if n != "tuned costs of a pipeline"])
def test_coin_flips_by_recording_score_near_chance(name, front, routing):
    takes_tables = name == "ECS" or "ELM" in name
    if takes_tables and front != "fitted step":
        pytest.skip("the classifier takes tables")
    model = WindowedClassifier(FRONTS[front](clone(HOLD_OUT[name])), size=256, step=96)
    fitted = model.fit(recordings(), np.array([0, 1] * 12)).estimator_
    assert held_out_score(fitted) < CHANCE


def test_a_convolution_holds_recordings_out():
    scores = []
    for seed in range(3):
        net = CNN1DClassifier(
            n_filters=(8,),
            max_epochs=15,
            early_stopping=True,
            scoring="balanced_accuracy",
            validation_fraction=0.3,
            random_state=seed,
        )
        y = np.random.default_rng(seed).permutation([0, 1] * 12)
        fitted = WindowedClassifier(net, size=256, step=64).fit(recordings(), y)
        scores.append(held_out_score(fitted.estimator_))
    assert np.mean(scores) < 0.7, scores


# ---------------------------------------------------------------- what arrives where


class Spy(ClassifierMixin, BaseEstimator):
    """Keeps the rows and the groups of each fit and of each prediction."""

    fits: list = []
    tests: list = []

    def fit(self, X, y, groups=None):
        self.classes_ = np.unique(y)
        Spy.fits.append((np.asarray(X)[:, 0].astype(int), groups))
        return self

    def predict_proba(self, X):
        Spy.tests.append(np.asarray(X)[:, 0].astype(int))
        return np.tile([0.4, 0.6], (len(X), 1))

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


@pytest.fixture
def spy():
    Spy.fits, Spy.tests = [], []
    return Spy


PURE = np.repeat(np.arange(20), 3)
MIXED = np.arange(60) % 12


@pytest.mark.parametrize("cv", [None, 4, 0.3, GroupKFold(3), StratifiedGroupKFold(3)], ids=str)
@pytest.mark.parametrize("groups", [PURE, MIXED], ids=["one class", "several classes"])
def test_no_split_of_a_cost_search_separates_a_group(cv, groups, spy, routing):
    X, y = np.arange(60.0)[:, None], PURE % 2 if groups is PURE else np.arange(60) // 12 % 2
    model = spy().set_fit_request(groups=True) if routing else spy()
    TunedCostClassifierCV(model, cv=cv, random_state=0).fit(X, y, groups=groups)
    folds = list(zip(spy.fits[:-1] if len(spy.fits) > 1 else spy.fits, spy.tests, strict=False))
    assert folds
    for (train, given), test in folds:
        assert not set(groups[train]) & set(groups[test])
        assert set(y[train]) == set(y[test]) == {0, 1}
        assert len(np.unique(given)) == len(np.unique(groups[train]))


@pytest.mark.parametrize(
    "cv", [StratifiedKFold(3), list(StratifiedKFold(3).split(PURE, PURE % 2))], ids=type
)
@pytest.mark.filterwarnings("ignore:The groups parameter is ignored")
def test_splits_that_separate_a_group_are_refused(cv):
    with pytest.raises(ValueError, match=r"puts samples of \d+ groups on both sides"):
        TunedCostClassifierCV(LogisticRegression(), cv=cv).fit(PURE[:, None], PURE % 2, groups=PURE)


def test_a_class_in_few_groups_limits_the_folds():
    y = (PURE >= 17).astype(int)
    tuned = TunedCostClassifierCV(LogisticRegression(), random_state=0)
    with pytest.warns(UserWarning, match="class 1 has 3 groups, but cv=5"):
        assert tuned.fit(PURE[:, None], y, groups=PURE).n_folds_ == 3
    with pytest.raises(ValueError, match="class True has 1 group, but cv=5"):
        tuned.fit(PURE[:, None], PURE == 3, groups=PURE)


@pytest.mark.parametrize("n_pipelines", [0, 1, 2])
@pytest.mark.parametrize("name", ["fixed costs", "tuned costs", "bagging", "search"])
def test_groups_reach_the_last_step(name, n_pipelines, spy):
    model = spy()
    for _ in range(n_pipelines):
        model = Pipeline([("scale", FunctionTransformer()), ("last", model)])
    outer = {
        "fixed costs": FixedCostClassifier(model),
        "tuned costs": TunedCostClassifierCV(model, cv=2),
        "bagging": BalancedBaggingNetClassifier(model, encoding=None, n_estimators=5),
        "search": DESearchCV(
            Pipeline([("f", FunctionTransformer()), ("m", model)]),
            {"f__validate": [False, True]}, population_size=4, max_generations=1, cv=2,
        ),
    }[name]  # fmt: skip  # settings side by side
    outer.fit(np.arange(60.0)[:, None], PURE % 2, groups=PURE)
    assert spy.fits
    for rows, given in spy.fits:
        assert given is not None
        np.testing.assert_array_equal(PURE[rows], given)


def test_groups_do_not_pass_a_resampler(spy):
    X, y = np.arange(60.0)[:, None], PURE % 2
    over = RandomOverSampler(random_state=0)
    with pytest.warns(UserWarning, match="groups cannot pass the resampler in front of 'spy'"):
        TunedCostClassifierCV(make_imbalanced_pipeline(over, spy()), cv=2).fit(X, y, groups=PURE)
    assert all(given is None for _, given in spy.fits)
    plain = make_imbalanced_pipeline(over, clone(NET).set_params(max_epochs=1))
    TunedCostClassifierCV(plain, cv=2).fit(X, y, groups=PURE)  # it holds nothing out: no warning


@pytest.mark.parametrize("search", [DESearchCV, BayesSearchCV])
def test_a_number_of_folds_in_a_search_leaves_groups_whole(search, spy):
    budget = (
        {"n_iter": 2} if search is BayesSearchCV else {"population_size": 4, "max_generations": 1}
    )
    model = search(LogisticRegression(), {"C": (0.1, 1.0)}, cv=3, **budget)
    X, y, groups = coin_flips()
    assert model.fit(X, y, groups=groups).best_score_ < CHANCE


class Listed(BaseEstimator):
    """No classifier; keeps the rows of each fit, and of each score."""

    rows: list = []

    def __init__(self, a=0):
        self.a = a

    def fit(self, X, y=None):
        Listed.rows.append(X[:, 0].astype(int))
        return self

    def score(self, X, y=None):
        Listed.rows.append(X[:, 0].astype(int))
        return 0.0


@pytest.mark.parametrize("y_of", ["numbers", "two outputs", "nothing"])
def test_folds_of_a_search_of_no_classifier_leave_groups_whole(y_of):
    X = np.arange(60.0)[:, None]
    y = {"numbers": X[:, 0], "two outputs": np.c_[X, X], "nothing": None}[y_of]
    Listed.rows = []
    search = DESearchCV(
        Listed(), {"a": [0, 1, 2, 3]}, population_size=4, max_generations=1, cv=3, refit=False
    )
    search.fit(X, y, groups=MIXED)
    pairs = list(zip(Listed.rows[::2], Listed.rows[1::2], strict=True))
    assert len(pairs) >= 3
    for train, test in pairs:
        assert not set(MIXED[train]) & set(MIXED[test])
        assert len(train) + len(test) == 60


@pytest.mark.parametrize(
    "model", [TunedCostClassifierCV, FixedCostClassifier, BalancedBaggingNetClassifier, "search"]
)
def test_a_calibrator_that_groups_do_not_reach_warns(model, routing):
    X, y, groups = coin_flips()
    inner = CalibratedClassifierCV(LogisticRegression(), cv=2)
    if model == "search":
        model = DESearchCV(inner, {"method": ["sigmoid"]}, population_size=4, max_generations=1)
    else:
        model = model(inner)
    with pytest.warns(UserWarning, match="CalibratedClassifierCV splits its samples and gets no g"):
        model.fit(X, y, groups=groups)
    if isinstance(model, TunedCostClassifierCV):  # a fitted one does not split any more
        prefit = inner.fit(X, y)
        TunedCostClassifierCV(prefit, cv="prefit").fit(X, y, groups=groups)


def test_scikit_learns_search_inside_a_windowed_classifier_gets_the_recordings():
    net = make_pipeline(FunctionTransformer(flatten), NET)
    X, y = recordings(), np.array([0, 1] * 12)
    grid = {"mlpclassifier__batch_size": [64]}
    model = WindowedClassifier(GridSearchCV(net, grid, cv=GroupKFold(3)), size=256, step=96)
    assert model.fit(X, y).estimator_.best_score_ < CHANCE


def test_cross_validate_hands_groups_on_with_routing():
    X, y, groups = coin_flips()
    model = make_pipeline(StandardScaler(), STOPPED)
    with config_context(enable_metadata_routing=True):
        result = cross_validate(
            model, X, y, params={"groups": groups}, cv=GroupKFold(2), return_estimator=True
        )
    assert max(map(held_out_score, result["estimator"])) < 0.8


@pytest.mark.parametrize("splits", [4, None, GroupKFold(4)], ids=str)
def test_cross_fit_and_populations_take_groups(splits, spy):
    X, y = np.arange(60.0)[:, None], PURE % 2
    cross_fit(spy(), X, y, splits, groups=PURE)
    for (train, given), test in zip(spy.fits, spy.tests, strict=True):
        assert not set(PURE[train]) & set(PURE[test])
        np.testing.assert_array_equal(PURE[train], given)
    fit_population([make_pipeline(StandardScaler(), spy())], X, y, [PURE > 9], groups=PURE)
    np.testing.assert_array_equal(spy.fits[-1][1], PURE[PURE > 9])


def test_a_pipeline_transforms_validation_data_with_routing():
    X, y = make_classification(120, random_state=0)
    with config_context(enable_metadata_routing=True):
        net = MLPClassifier(early_stopping=True, max_epochs=3, standardize=False, random_state=0)
        net.set_fit_request(X_val=True, y_val=True)
        steps = [("scale", StandardScaler()), ("net", net)]
        fitted = Pipeline(steps, transform_input=["X_val"]).fit(X, y, X_val=X[:40], y_val=y[:40])
    scaled = StandardScaler().fit_transform(X)
    separate = clone(net).fit(scaled, y, X_val=scaled[:40], y_val=y[:40])
    np.testing.assert_array_equal(fitted[-1].predict_proba(scaled), separate.predict_proba(scaled))


# ---------------------------------------------------------------- copies of one row


def test_repeated_rows_of_a_resampler_are_not_on_both_sides():
    """Random labels of distinct rows: only copies of training rows can be recognized."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(120, 20)), (rng.random(120) < 0.25).astype(int)
    model = make_imbalanced_pipeline(RandomOverSampler(random_state=0), clone(STOPPED))
    assert held_out_score(model.fit(X, y)) < 0.65


def test_an_early_stopped_network_in_a_bag_does_not_train_on_its_validation_rows(monkeypatch):
    seen = []
    real = _fit_plan.make_early_stopping

    def spied(estimator, plan, inputs, data, *patience, is_held_out):
        seen.append(data.X)
        return real(estimator, plan, inputs, data, *patience, is_held_out=is_held_out)

    monkeypatch.setattr("skimbal.neural_network._base.make_early_stopping", spied)
    X, y = make_classification(200, weights=[0.8], random_state=0)
    net = MLPClassifier(early_stopping=True, max_epochs=2, validation_fraction=0.3)
    bag = BalancedBaggingNetClassifier(net, encoding=None, n_estimators=3, random_state=0).fit(X, y)
    for valid, rows in zip(seen, bag.estimators_samples_, strict=True):
        in_bag = {X[r].tobytes() for r in rows}
        assert len(valid) > 0
        assert not in_bag & {row.tobytes() for row in valid}


@pytest.mark.parametrize("wrap", [lambda m: m, lambda m: make_pipeline(FunctionTransformer(), m)],
                         ids=["bare", "pipeline"])  # fmt: skip  # as a table
def test_a_cost_search_in_a_bag_does_not_separate_copies(wrap, spy):
    X, y = np.arange(60.0)[:, None], PURE % 2
    tuned = TunedCostClassifierCV(spy(), cv=3, random_state=0)
    BalancedBaggingNetClassifier(
        wrap(tuned), encoding=None, n_estimators=2, tune_costs=False, random_state=0,
    ).fit(X, y)  # fmt: skip  # settings side by side
    n_checked = 0
    for (train, _), test in zip(spy.fits[:3], spy.tests[:3], strict=True):
        assert not set(train) & set(test)
        n_checked += len(set(train)) < len(train)
    assert n_checked


@pytest.mark.parametrize("n_rare", [2, 3])
def test_a_cost_search_in_a_bag_has_two_rows_of_a_tiny_class(n_rare):
    y = np.repeat([0, 1], [40, n_rare])
    X = np.random.default_rng(0).normal(size=(len(y), 2))
    tuned = TunedCostClassifierCV(LogisticRegression(), cv=2, random_state=0)
    bag = BalancedBaggingNetClassifier(tuned, n_estimators=10, tune_costs=False, random_state=0)
    for rows in bag.fit(X, y).estimators_samples_:
        assert len(set(rows[y[rows] == 1])) > 1


@pytest.mark.parametrize("wrap", [lambda m: m, lambda m: make_pipeline(StandardScaler(), m)],
                         ids=["bare", "pipeline"])  # fmt: skip  # as a table
@pytest.mark.parametrize("n_rare", [3, 4])
@pytest.mark.parametrize("name", ["early stopping", "dynamic", "tuned costs"])
@pytest.mark.filterwarnings("ignore:.* bags leave out no sample of some class:UserWarning")
def test_a_bag_of_groups_has_two_groups_of_a_tiny_class(name, n_rare, wrap):
    """Without groups, the rows of a class that has one can be held out; a group cannot."""
    inner = {
        "early stopping": MLPClassifier(early_stopping=True, max_epochs=1),
        "dynamic": MLPClassifier(sampler="dynamic", max_epochs=1),
        "tuned costs": TunedCostClassifierCV(LogisticRegression(), cv=2),
    }[name]
    groups = np.repeat(np.arange(20 + n_rare), 2)
    X, y = np.random.default_rng(0).normal(size=(len(groups), 2)), (groups >= 20).astype(int)
    bag = BalancedBaggingNetClassifier(wrap(inner), n_estimators=12, random_state=0)
    bags = bag.fit(X, y, groups=groups).estimators_samples_
    n_groups = [len(set(groups[rows][y[rows] == 1])) for rows in bags]
    assert min(n_groups) > 1, n_groups


@pytest.mark.parametrize("routing_of", ["own", "pipeline"])
@pytest.mark.parametrize("encoding", ["standard", "rank", "both", None], ids=str)
def test_a_bag_encodes_validation_data(encoding, routing_of):
    X, y = make_classification(150, weights=[0.8], random_state=0)
    X, net = X * [100] + 1000, MLPClassifier(early_stopping=True, max_epochs=3)
    model, key = net, ""
    if routing_of == "pipeline":
        model, key = Pipeline([("nothing", FunctionTransformer()), ("net", net)]), "net__"
    bag = BalancedBaggingNetClassifier(
        model, n_estimators=2, encoding=encoding, tune_costs=False, random_state=0
    )
    fitted = bag.fit(X[:100], y[:100], **{f"{key}X_val": X[100:], f"{key}y_val": y[100:]})
    for member in fitted.estimators_:
        member = member[-1] if isinstance(member, Pipeline) else member
        encoded = X[100:] if encoding is None else fitted.encoder_.transform(X[100:])
        expected = log_loss(y[100:], member.predict_proba(encoded))
        assert member.history_.valid_loss.min() == pytest.approx(expected, rel=1e-5)


def test_validation_data_that_a_bag_cannot_encode_are_named():
    X, y = make_classification(100, random_state=0)
    bag = BalancedBaggingNetClassifier(MLPClassifier(early_stopping=True), n_estimators=2)
    for X_val, message in ((X[:, :3], "X has 3 features"), (np.full_like(X, np.nan), "NaN")):
        with pytest.raises(ValueError, match=f"X_val cannot be used: .*{message}"):
            bag.fit(X, y, X_val=X_val, y_val=y)


def test_a_class_of_few_groups_in_a_fold_is_said_to_be_in_a_fold():
    groups = np.repeat(np.arange(24), 2)
    X, y = np.zeros((48, 2)), (groups >= 22).astype(int)
    model = TunedCostClassifierCV(MLPClassifier(early_stopping=True, max_epochs=1), cv=2)
    with pytest.raises(ValueError, match="class 1 has 1 group in a fold or bag, but early_stop"):
        model.fit(X, y, groups=groups)


# ---------------------------------------------------------------- bad input

TAKE_GROUPS = {
    "MLP": MLPClassifier(max_epochs=1),
    "own network": NetClassifier(torch.nn.LazyLinear(2), max_epochs=1),
    "DBN": DBNClassifier(max_epochs=1, pretrain_epochs=0),
    "fixed": FixedCostClassifier(LogisticRegression()),
    "tuned": TunedCostClassifierCV(LogisticRegression(), cv=2),
    "ECS": ECSDBNClassifier(max_epochs=1, pretrain_epochs=0, cost_cv=2),
    "bagging": BalancedBaggingNetClassifier(LogisticRegression(), n_estimators=5),
    "AdaBoost": AdaBoostNetClassifier(MLPClassifier(max_epochs=1), n_estimators=1),
    "ECO": ECOEnsembleClassifier(LogisticRegression(), population_size=3, max_generations=1),
    "deep over-sampling": DeepOversamplingClassifier(MLPClassifier(max_epochs=1)),
    "LMLE": LMLEClassifier(MLPClassifier(max_epochs=1)),
    "windowed": WindowedClassifier(MLPClassifier(max_epochs=1)),
    "weighted ELM": WeightedELMClassifier(),
    "evolutionary ELM": EvolutionaryELMClassifier(),
}


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ("machine", r"groups='machine' is a name; .* such as X\['machine'\]"),
        (np.arange(59), r"groups has shape \(59,\), but y has 60 samples"),
        (np.zeros((60, 2)), r"groups has shape \(60, 2\)"),
        ([None, *range(59)], "groups has 1 missing entries"),
        ([np.nan, np.nan, *range(58)], "groups has 2 missing entries"),
    ],
)
@pytest.mark.parametrize("name", TAKE_GROUPS)
def test_bad_groups_are_refused(name, groups, message):
    X = np.random.default_rng(0).normal(size=(60, 4))
    with pytest.raises(ValueError, match=message):
        clone(TAKE_GROUPS[name]).fit(X, PURE % 2, groups=groups)


@pytest.mark.parametrize("name", TAKE_GROUPS)
def test_groups_are_requested_without_a_request(name):
    requests = TAKE_GROUPS[name].get_metadata_routing()
    requests = getattr(requests, "_self_request", requests)
    assert requests.fit.requests["groups"] is True


@pytest.mark.parametrize("kind", ["numbers", "text", "mixed types", "floats"])
def test_names_of_groups_are_of_any_type(kind):
    names = {
        "numbers": PURE + 7,
        "text": [f"g{g}" for g in PURE],
        "mixed types": [str(g // 2) if g % 2 else int(g // 2) for g in PURE],
        "floats": PURE / 3,
    }[kind]
    X = np.random.default_rng(0).normal(size=(60, 4))
    tuned = TunedCostClassifierCV(LogisticRegression(), random_state=0)
    costs = [clone(tuned).fit(X, PURE % 2, groups=g).costs_ for g in (PURE, names)]
    assert np.isfinite(costs[1]).all()
    if kind != "text":  # the order of names decides which folds are drawn
        np.testing.assert_array_equal(*costs)


# ---------------------------------------------------------------- early stopping is weighted


def rare_events(rng, n):
    X = rng.normal(size=(n, 30))
    p = 1 / (1 + np.exp(-(0.45 * X[:, :4].sum(axis=1) - 3.0)))
    return X, (rng.random(n) < p).astype(int)


@pytest.mark.parametrize("labels", [["a", "b"], ["a", "b", "c"]], ids=len)
@pytest.mark.parametrize("sampler", ["balanced", "sqrt", "progressive", "dynamic", "two_phase"])
def test_a_sampler_counts_with_its_last_shares(sampler, labels):
    rng = np.random.default_rng(0)
    y = np.array(labels)[np.minimum(rng.geometric(0.7, 300), len(labels)) - 1]
    X, y_val = rng.normal(size=(300, 3)), rng.choice(labels, 60)
    net = MLPClassifier(early_stopping=True, sampler=sampler, max_epochs=4, random_state=0)
    fitted = net.fit(X, y, X_val=X[:60], y_val=y_val)
    counts = np.array([(y == label).sum() for label in labels])
    power = {"sqrt": 0.5, "two_phase": 1.0}.get(sampler, 0.0)  # of the counts in the last epoch
    factor = dict(zip(labels, counts ** (power - 1.0), strict=True))
    expected = log_loss(
        y_val, fitted.predict_proba(X[:60]), sample_weight=[*map(factor.get, y_val)]
    )
    assert fitted.history_.valid_loss.min() == pytest.approx(expected, rel=1e-5)


def test_a_loss_that_takes_no_weights_is_judged_without_shares():
    X, y = make_classification(200, weights=[0.8], random_state=0)
    net = MLPClassifier(
        loss=torch.nn.CrossEntropyLoss(), sampler="balanced", early_stopping=True, max_epochs=3
    )
    fitted = net.fit(X, y, X_val=X[:60], y_val=y[:60])
    expected = log_loss(y[:60], fitted.predict_proba(X[:60]))
    assert fitted.history_.valid_loss.min() == pytest.approx(expected, rel=1e-5)


def test_a_weighted_network_keeps_the_epoch_of_the_weighted_loss(monkeypatch):
    def unweighted(value, estimator, plan):
        return _fit_plan.bind_loss(value, plan.classes, plan.counts, plan.costs, None)

    gains = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        (X, y), (X_test, y_test) = rare_events(rng, 3000), rare_events(rng, 4000)
        net = MLPClassifier(
            hidden_layer_sizes=(64, 64), class_weight="balanced", early_stopping=True,
            validation_fraction=0.25, n_iter_no_change=12, max_epochs=12, batch_size=32,
            learning_rate=0.003, random_state=seed,
        )  # fmt: skip  # settings side by side
        weighted = net.fit(X, y).predict_proba(X_test)[:, 1]
        with monkeypatch.context() as patch:
            patch.setattr(_fit_plan, "final_loss", unweighted)
            plain = clone(net).fit(X, y).predict_proba(X_test)[:, 1]
        gains.append(roc_auc_score(y_test, weighted) - roc_auc_score(y_test, plain))
    assert np.mean(gains) > 0.02, gains
