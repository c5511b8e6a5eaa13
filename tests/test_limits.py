"""Limits of the style guide: lengths, methods, suppressions, private imports, documentation.

`tests/performance/code_figures.py` measures; `python tests/performance/code_figures.py` prints the
figures of the whole package. Complexity is checked by ruff (C901).
"""

import dataclasses
import inspect
import re
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest
from numpydoc.docscrape import NumpyDocString

MAX_CODE_LINES = 400
MAX_METHODS = 12

TESTS = Path(__file__).parent
ROOT = TESTS.parent
FIGURES = SimpleNamespace(**runpy.run_path(str(TESTS / "performance" / "code_figures.py")))

FILES = FIGURES.sources()
SCRIPTS = [
    *FIGURES.sources(ROOT / "examples"),
    *FIGURES.sources(TESTS / "performance"),
    *sorted((ROOT / "docs").glob("*.py")),
]
# Scripts that measure the inside of packages, as their unit tests test it.
PACKAGES_OF_SCRIPT = {
    "bagging_defaults": ["ensemble"],
    "table_inputs": ["preprocessing"],
    "bayes_optimizer": ["model_selection"],
    "cluster_run": ["benchmark"],
    "cluster_sizing": ["benchmark"],
    "cost_search_parts": ["cost_sensitive"],
    "de_variants": ["optim", "cost_sensitive"],
    "encoder_defaults": ["_training", "_utils", "neural_network"],
    "ensemble_problems": ["ensemble"],
    "ensemble_tables": ["_utils"],
    "gun_drilling_tables": ["benchmark"],
    "large_data": ["_utils"],
    "registered_votes": ["cost_sensitive"],
    "table_defaults": ["benchmark"],
    "table_defaults_choice": ["_training", "neural_network"],
    "weighted_stopping": ["neural_network"],
}
CLASSES = {f"{cls.__module__}.{cls.__qualname__}": cls for cls in FIGURES.own_classes()}
OBJECTS = FIGURES.public_objects()

# Public objects behind which no paper or book stands, by the reason. Records (data classes) and
# abstract classes need no entry.
WITHOUT_PAPER = {
    "runs, stores and prints comparisons": """
        benchmark.report benchmark.resume benchmark.run_benchmark
    """,
    "makes numbers of the columns of a table": "benchmark.make_table_encoder",
    "moves signals in time": "augmentation.Shift",
    "draws what networks have recorded": "inspection.TrainingHistoryDisplay",
    "writes a drawing as text": "inspection.svg_of",
    "reads and lists files": """
        datasets.list_keel datasets.official_folds preprocessing.ChunkedTable
    """,
    "writes and reads estimators": "persistence.load persistence.save persistence.to_onnx",
    "cuts recordings into windows": """
        datasets.cut_segments ensemble.RecordingStream ensemble.WindowedClassifier
        preprocessing.SlidingWindow
        preprocessing.WindowIndex preprocessing.flatten preprocessing.index_windows
    """,
    "looks up, converts or wraps what it is given": """
        augmentation.all_augmentations augmentation.resolve_augmentation
        modules.OwnNetwork modules.replace_dropout neural_network.Module
        losses.BoundBatchLoss losses.BoundLoss losses.Formula losses.all_losses losses.resolve_loss
        metrics.check_class_scorer metrics.check_label_scorer metrics.confusion_score
        metrics.cost_matrix_from_costs
        metrics.get_scorer metrics.make_confusion_scorer metrics.make_cost_scorer
        metrics.normalize_costs metrics.score_labels metrics.scorer_names sampling.resolve_batches
        cost_sensitive.scoring_with_metadata
    """,
    "another public name has the reference: the loss or score of labels": """
        losses.cross_entropy metrics.accuracy_from_confusion
        metrics.balanced_accuracy_from_confusion metrics.g_mean_from_confusion
        metrics.macro_f1_from_confusion metrics.recall_from_confusion
    """,
    "computes a step of a network": """
        modules.affine modules.bernoulli modules.is_matrix_vector modules.norms
        modules.per_axis modules.repeat_for_batched_kernel modules.seeded
        modules.size_after_layers
        modules.smallest_size
    """,
    "fits other estimators, or predicts by them": """
        ensemble.default_network neural_network.check_training_data
        neural_network.class_probabilities neural_network.cross_fit
        neural_network.check_training_data
        neural_network.cross_fit_coroutine neural_network.fit_population
        neural_network.prediction_steps neural_network.unknown_prior cost_sensitive.unknown_balance
        neural_network.validation_rows
    """,
}
EXEMPT = {f"skimbal.{name}" for names in WITHOUT_PAPER.values() for name in names.split()}


def relative(path):
    return path.relative_to(ROOT).as_posix()


def is_record_or_abstract(item):
    return dataclasses.is_dataclass(item) or inspect.isabstract(item)


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_a_file_has_at_most_400_lines_of_code(path):
    assert FIGURES.code_lines(path) <= MAX_CODE_LINES


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_has_at_most_12_methods(name):
    found = FIGURES.methods(CLASSES[name])
    assert len(found) <= MAX_METHODS, sorted(found)


@pytest.mark.parametrize("path", [*FILES, *SCRIPTS, *TESTS.rglob("test_*.py")], ids=relative)
def test_each_suppression_has_a_reason_on_its_line(path):
    without = [f"{line}: {text}" for line, text, has in FIGURES.suppressions(path) if not has]
    assert without == []


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_no_module_imports_a_private_module_of_another_package(path):
    own = path.relative_to(FIGURES.PACKAGE).parts[0].removesuffix(".py")
    assert FIGURES.private_imports(path, own) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=relative)
def test_no_script_imports_a_private_module_of_what_it_does_not_measure(path):
    assert FIGURES.private_imports(path, *PACKAGES_OF_SCRIPT.get(path.stem, [])) == []


# ---------------------------------------------------------------- documentation


def public_names(test):
    return pytest.mark.parametrize("name", OBJECTS)(test)


@public_names
def test_public_objects_have_an_example(name):
    item = OBJECTS[name]
    assert inspect.isabstract(item) or ">>> " in (item.__doc__ or "")


@public_names
def test_public_objects_have_a_reference(name):
    item = OBJECTS[name]
    assert name in EXEMPT or is_record_or_abstract(item) or FIGURES.has_reference(item)


def test_the_list_of_objects_without_a_paper_is_up_to_date():
    gone = [name for name in EXEMPT if name not in OBJECTS]
    needless = [
        name
        for name in EXEMPT & set(OBJECTS)
        if FIGURES.has_reference(OBJECTS[name]) or is_record_or_abstract(OBJECTS[name])
    ]
    assert sorted(gone) + sorted(needless) == []


# Classes that share parameters are those that have the parameter on the left. The parameters on the
# right mean something else in some of them; the number says how many texts there are.
FAMILIES = {
    "early_stopping": {"hidden_layer_sizes": 2, "dropout": 3, "scoring": 2},
    "search_spaces": {
        # A batch of the one is a generation of the other.
        **dict.fromkeys(("patience", "target_score", "callbacks", "state_file"), 2),
        **dict.fromkeys(("search_spaces", "x0", "time_budget_s"), 2),
    },
    "n_nodes": {"scoring": 2, "random_state": 2},
    "cost_space": {
        "cost_space": 2,
        "scoring": 2,
        "shrinkage": 2,
        "n_jobs": 2,
        "refit": 2,
        "random_state": 2,
    },
}


def parameter_texts(item):
    """Name -> type (without the default, which may differ) and description."""
    parameters = NumpyDocString(inspect.getdoc(item))["Parameters"]
    return {
        parameter.name: (re.sub(r",? *default=.*", "", parameter.type), *parameter.desc)
        for parameter in parameters
    }


def shared_texts(family):
    """Parameter -> text -> names of the estimators that have this text."""
    found = {}
    for name, item in OBJECTS.items():
        if inspect.isclass(item) and family in inspect.signature(item).parameters:
            for parameter, text in parameter_texts(item).items():
                found.setdefault(parameter, {}).setdefault(text, []).append(name)
    return found


SHARED = [(family, parameter) for family in FAMILIES for parameter in shared_texts(family)]


@pytest.mark.parametrize(("family", "parameter"), SHARED)
def test_shared_parameters_have_one_text(family, parameter):
    texts = shared_texts(family)[parameter]
    assert len(texts) <= FAMILIES[family].get(parameter, 1), texts


# ---------------------------------------------------------------- text

BRITISH = re.compile(
    r"\b\w*(?:optimis(?!t|m)|standardis|normalis|initialis|regularis|randomis|minimis|maximis|penalis"
    r"|behaviour|colour|favour|neighbour|labelled|modelling|centred)\w*",
    re.IGNORECASE,
)
PAGES = [
    page
    for page in sorted((ROOT / "docs").rglob("*.rst"))
    if not {"_build", "_templates", "auto_examples", "generated"} & {*page.parts}
    and page.name != "sg_execution_times.rst"
]
TEXTS = [*FILES, *PAGES, *sorted((ROOT / "examples").glob("*.py")), ROOT / "README.md"]
WIDE = re.compile(r"https?://|^\s*[|+]")  # addresses and grid tables can't be broken


@pytest.mark.parametrize("path", TEXTS, ids=relative)
def test_the_spelling_is_american(path):
    assert sorted({match[0] for match in BRITISH.finditer(path.read_text())}) == []


@pytest.mark.parametrize("path", PAGES, ids=relative)
def test_pages_have_at_most_100_columns(path):
    lines = enumerate(path.read_text().splitlines(), 1)
    assert [n for n, line in lines if len(line) > 100 and not WIDE.search(line)] == []


# ---------------------------------------------------------------- the measures themselves


def write(folder, source):
    path = folder / "module.py"
    path.write_text(source)
    return path


def test_code_lines_leave_out_docstrings_comments_and_blanks(tmp_path):
    source = (
        '"""One.\n\nTwo.\n"""\n\n# three\nx = """a\nb"""  # four\n\n\ndef f():\n    """Five."""\n'
    )
    assert FIGURES.code_lines(write(tmp_path, source + "    return (\n        x\n    )\n")) == 6


@pytest.mark.parametrize(
    ("line", "has_reason"),
    [
        ("x = 1  # type: ignore", False),
        ("x = 1  # type: ignore[override, misc]", False),
        ("x = 1  # noqa: E402, F401", False),
        ("x = 1  # fmt: skip", False),
        ("x = 1  # noqa: E402 - the backend is set before", True),
        ("x = 1  # type: ignore[override]  # a property of the parent", True),
        ("x = [1]  # one row a class  # fmt: skip", True),
    ],
)
def test_reasons_of_suppressions_are_seen(tmp_path, line, has_reason):
    ((_, _, found),) = FIGURES.suppressions(write(tmp_path, line + "\n"))
    assert found == has_reason


@pytest.mark.parametrize(
    ("line", "n_found"),
    [
        ("from skimbal.metrics._scores import g_mean", 1),
        ("import skimbal.metrics._scores", 1),
        ("from skimbal.metrics import _scores", 1),
        ("from skimbal._fitting._scheduler import Fit", 1),
        ("from skimbal.metrics import g_mean", 0),
        ("from skimbal._utils._torch import free_memory", 0),
        ("from skimbal._fitting import Fit", 0),
        ("from skimbal._training.net import make_net", 0),
        ("from skimbal.losses._base import BaseLoss", 0),
    ],
)
def test_private_imports_are_seen(tmp_path, line, n_found):
    assert len(FIGURES.private_imports(write(tmp_path, line), "losses")) == n_found


def test_methods_are_counted_over_our_own_bases():
    class Base:
        def fit(self): ...
        def __len__(self): ...
        def _one(self): ...

    class Derived(Base, dict):
        @property
        def two(self): ...
        def _one(self): ...

    Base.__module__ = Derived.__module__ = "skimbal.anything"
    assert FIGURES.methods(Derived) == {"_one", "two"}
