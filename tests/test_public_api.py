"""The names that code outside the project imports."""

import ast
import importlib
import inspect
import json
import pickle
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import skimbal

TOP_LEVEL = {
    "NetClassifier": "neural_network",
    "MLPClassifier": "neural_network",
    "CNN1DClassifier": "neural_network",
    "CNN2DClassifier": "neural_network",
    "ResNetClassifier": "neural_network",
    "DBNClassifier": "neural_network",
    "FixedCostClassifier": "cost_sensitive",
    "TunedCostClassifierCV": "cost_sensitive",
    "ECSDBNClassifier": "cost_sensitive",
    "AdaBoostNetClassifier": "ensemble",
    "BalancedBaggingNetClassifier": "ensemble",
    "ECOEnsembleClassifier": "ensemble",
    "WindowedClassifier": "ensemble",
    "DESearchCV": "model_selection",
    "BayesSearchCV": "model_selection",
}
ELSEWHERE = [
    *(
        ("augmentation", name)
        for name in ("Noise", "Shift", "Scaling", "TimeMask", "FrequencyMask")
    ),
    *(("augmentation", name) for name in ("Flip", "Crop", "Cutout", "all_augmentations")),
    ("benchmark", "Method"),
    ("benchmark", "Suite"),
    ("benchmark", "make_table_encoder"),
    ("benchmark", "report"),
    ("benchmark", "resume"),
    ("benchmark", "run_benchmark"),
    ("cost_sensitive", "find_costs"),
    ("datasets", "cut_segments"),
    ("datasets", "fetch_cifar10_imbalanced"),
    ("datasets", "fetch_wisdm"),
    ("datasets", "list_keel"),
    ("datasets", "fetch_diabetes130"),
    ("datasets", "load_ai4i2020"),
    ("datasets", "load_cwru"),
    ("datasets", "load_kddcup99"),
    ("datasets", "load_keel"),
    ("datasets", "load_watch"),
    ("datasets", "make_motor_sound"),
    ("datasets", "make_gun_drilling"),
    ("datasets", "make_nested_spheres"),
    ("ensemble", "PriorCorrectedClassifier"),
    ("ensemble", "CategoryCentersClassifier"),
    ("ensemble", "RecordingStream"),
    ("inspection", "ClassWeightScheduleDisplay"),
    ("inspection", "ConfusionMatrixGridDisplay"),
    ("inspection", "CostSurfaceDisplay"),
    ("inspection", "CriticalDifferenceDisplay"),
    ("inspection", "FeatureMapDisplay"),
    ("inspection", "ReliabilityDiagramDisplay"),
    ("inspection", "SearchConvergenceDisplay"),
    ("inspection", "ThresholdCurveDisplay"),
    ("inspection", "TrainingHistoryDisplay"),
    ("ensemble", "LMLEClassifier"),
    ("losses", "all_losses"),
    ("losses", "BalancedSoftmax"),
    ("losses", "ClassBalanced"),
    ("losses", "CrossEntropy"),
    ("losses", "DeferredReweighting"),
    ("losses", "Dice"),
    ("losses", "Focal"),
    ("losses", "GeneralizedDice"),
    ("losses", "IncrementalWeightedCrossEntropy"),
    ("losses", "LDAM"),
    ("losses", "LogitAdjustment"),
    ("losses", "MeanFalseError"),
    ("losses", "MeanSquaredFalseError"),
    ("metrics", "correct_prior"),
    ("metrics", "cost_savings"),
    ("metrics", "expected_cost"),
    ("metrics", "g_mean"),
    ("metrics", "get_scorer"),
    ("metrics", "macro_f1"),
    ("metrics", "scorer_names"),
    ("model_selection", "ClassWeights"),
    ("model_selection", "class_weight_space"),
    ("neural_network", "CNN_PRESETS"),
    ("neural_network", "Module"),
    ("neural_network", "cross_fit"),
    ("neural_network", "fit_population"),
    ("optim", "JADE"),
    ("persistence", "load"),
    ("persistence", "save"),
    ("persistence", "to_onnx"),
    ("preprocessing", "ChunkedTable"),
    ("preprocessing", "SlidingWindow"),
    ("preprocessing", "Spectrogram"),
    ("preprocessing", "TableEncoder"),
    ("sampling", "NDSampler"),
]
PACKAGES = sorted(
    module.name
    for module in pkgutil.iter_modules(skimbal.__path__)
    if module.ispkg and not module.name.startswith("_")
)


@pytest.mark.parametrize(("name", "package"), TOP_LEVEL.items())
def test_estimators_are_at_the_top_and_in_their_package(name, package):
    module = importlib.import_module(f"skimbal.{package}")
    assert getattr(skimbal, name) is getattr(module, name)
    assert name in skimbal.__all__
    assert name in module.__all__


@pytest.mark.parametrize(("package", "name"), ELSEWHERE)
def test_names_are_in_their_package(package, name):
    module = importlib.import_module(f"skimbal.{package}")
    assert hasattr(module, name)
    assert name in module.__all__


@pytest.mark.parametrize("package", ["", *PACKAGES])
def test_all_is_complete(package):
    """ruff keeps it sorted."""
    module = importlib.import_module(f"skimbal.{package}".rstrip("."))
    for name in module.__all__:  # those of a lazy package are there when they were asked for
        getattr(module, name)
    public = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert public == set(module.__all__) - {"__version__"}


@pytest.mark.parametrize("package", PACKAGES)
def test_public_things_live_below_their_package(package):
    """Their repr, pickles and documentation name the module, so it has to lead to the package."""
    module = importlib.import_module(f"skimbal.{package}")
    for name in getattr(module, "__all__", []):
        value = getattr(module, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert value.__module__.startswith(module.__name__), name


# ---------------------------------------------------------------- lazy packages

ROOT = Path(skimbal.__file__).parent
LAZY = [path for path in sorted(ROOT.rglob("__init__.py")) if "_lazy_names(" in path.read_text()]


def package_of(path):
    return ".".join(["skimbal", *path.parent.relative_to(ROOT).parts])


@pytest.mark.parametrize("path", LAZY, ids=package_of)
def test_lazy_names_are_those_that_type_checkers_see(path):
    (block,) = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.If)]
    imported = {node.module: [alias.name for alias in node.names] for node in block.body}
    _, mapping = block.orelse[0].value.args
    lazy = {module: names.split() for module, names in ast.literal_eval(mapping).items()}
    assert lazy == imported
    assert [names for names in lazy.values() if names != sorted(names, key=sort_key)] == []


def sort_key(name):
    """As ruff sorts imports: constants, classes, then the rest."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


def modules_after(code):
    """Top-level packages, and modules of skimbal, that a fresh interpreter has after some code."""
    script = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    return set(json.loads(result.stdout.splitlines()[-1]))


def test_the_package_imports_nothing_until_a_name_is_used():
    loaded = modules_after("import skimbal; skimbal.__version__, dir(skimbal)")
    assert {name for name in loaded if name.startswith("skimbal")} == {
        "skimbal",
        "skimbal._lazy",
        "skimbal._version",
    }
    assert not loaded & {"numpy", "pandas", "scipy", "sklearn", "torch"}


def test_a_network_imports_no_search_no_ensemble_and_no_sampler():
    loaded = modules_after("from skimbal import MLPClassifier")
    assert "skimbal.neural_network" in loaded
    needless = {"imblearn", "skopt", "scipy.signal", "skimbal.model_selection", "skimbal.ensemble"}
    assert not loaded & (needless | {"skimbal.cost_sensitive", "skimbal.benchmark"})


@pytest.mark.slow
def test_packages_are_attributes_and_everything_can_be_listed():
    script = (
        "import skimbal; skimbal.metrics.g_mean; skimbal.exceptions.AbsentClassWarning\n"
        "assert {*skimbal.__all__, 'metrics', 'benchmark'} <= {*dir(skimbal)}\n"
        "from skimbal import *\n"
        "assert {*skimbal.__all__} <= {*globals()}\n"
        "assert MLPClassifier is skimbal.neural_network.MLPClassifier\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("package", [package_of(path) for path in LAZY])
def test_a_name_that_a_lazy_package_lacks_is_an_attribute_error(package):
    module = importlib.import_module(package)
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'Nonsense'"):
        module.Nonsense  # noqa: B018 - asking for it is the test
    assert not hasattr(module, "_nonsense")


def test_a_class_is_pickled_by_its_own_module():
    pickled = pickle.dumps(skimbal.MLPClassifier)
    assert b"skimbal.neural_network" in pickled
    assert pickle.loads(pickled) is skimbal.MLPClassifier
