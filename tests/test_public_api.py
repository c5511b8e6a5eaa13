"""The names that code outside the project imports."""

import importlib
import inspect
import pkgutil

import pytest

import skimbal

TOP_LEVEL = {
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
    ("cost_sensitive", "find_costs"),
    ("datasets", "cut_segments"),
    ("datasets", "fetch_cifar10_imbalanced"),
    ("datasets", "fetch_wisdm"),
    ("datasets", "list_keel"),
    ("datasets", "load_ai4i2020"),
    ("datasets", "load_cwru"),
    ("datasets", "load_kddcup99"),
    ("datasets", "load_keel"),
    ("datasets", "load_watch"),
    ("datasets", "make_motor_sound"),
    ("datasets", "make_nested_spheres"),
    ("ensemble", "PriorCorrectedClassifier"),
    ("ensemble", "CategoryCentersClassifier"),
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
    ("neural_network", "cross_fit"),
    ("neural_network", "fit_population"),
    ("optim", "JADE"),
    ("preprocessing", "SlidingWindow"),
    ("preprocessing", "Spectrogram"),
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
    public = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert public == set(getattr(module, "__all__", [])) - {"__version__"}


@pytest.mark.parametrize("package", PACKAGES)
def test_public_things_live_below_their_package(package):
    """Their repr, pickles and documentation name the module, so it has to lead to the package."""
    module = importlib.import_module(f"skimbal.{package}")
    for name in getattr(module, "__all__", []):
        value = getattr(module, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert value.__module__.startswith(module.__name__), name
