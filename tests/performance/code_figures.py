"""Figures of the source code: lines, methods, private imports, suppressions, unused names, tests.

    python tests/performance/code_figures.py

`tests/test_limits.py` has limits for some of the figures.
"""

import argparse
import ast
import doctest
import importlib
import inspect
import io
import pkgutil
import re
import runpy
import tokenize
from collections import Counter
from pathlib import Path

import pandas as pd
from numpydoc.docscrape import NumpyDocString

import skimbal

PACKAGE = Path(skimbal.__file__).parent
ROOT = PACKAGE.parent
# Packages whose modules other packages may import, as far as these modules have no underscore.
INTERNAL = {"_utils", "_fitting", "_training"}
# What scikit-learn and imbalanced-learn call by name.
PROTOCOL = {
    *("fit", "partial_fit", "predict", "predict_proba", "predict_log_proba", "decision_function"),
    *("transform", "inverse_transform", "fit_transform", "fit_resample", "score", "get_params"),
    *("set_params", "get_feature_names_out", "split", "get_n_splits", "get_metadata_routing"),
}
LAYOUT_TOKENS = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}
SUPPRESSION = re.compile(
    r"(?:type:\s*ignore|noqa|fmt:\s*(?:skip|off)|mypy:|pragma:)[\w:\[\],\- ]*?"
)
NUMERIC_CHECKS = re.compile(
    r"assert_(?:allclose|array_\w+|almost_equal|series_equal|frame_equal)|approx\(|isclose|allclose"
    r"|array_equal|gradcheck"
)


def sources(folder=PACKAGE):
    """Python files below a folder."""
    return sorted(Path(folder).rglob("*.py"))


# ---------------------------------------------------------------- lines


def docstring_lines(tree):
    """Numbers of the lines that docstrings take."""
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    lines = set()
    for node in ast.walk(tree):
        if isinstance(node, owners) and ast.get_docstring(node, clean=False) is not None:
            lines.update(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return lines


def code_lines(path):
    """Number of lines with code: neither docstring nor comment nor blank."""
    source = Path(path).read_text()
    lines = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in LAYOUT_TOKENS:
            lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines - docstring_lines(ast.parse(source)))


# ---------------------------------------------------------------- classes


def modules():
    """Import all modules of the package."""
    names = [module.name for module in pkgutil.walk_packages(skimbal.__path__, "skimbal.")]
    return [importlib.import_module(name) for name in names if not name.endswith("__main__")]


def own_classes():
    """Yield the classes that the package defines."""
    for module in modules():
        for item in vars(module).values():
            if inspect.isclass(item) and item.__module__ == module.__name__:
                yield item


def methods(cls):
    """Names of a class's methods, over those of our classes that it inherits from.

    Properties and static methods count; dunders and scikit-learn's protocol do not.
    """
    kinds = (classmethod, staticmethod, property)
    found = set()
    for base in cls.__mro__:
        if base.__module__.startswith("skimbal"):
            for name, item in vars(base).items():
                if inspect.isfunction(item) or isinstance(item, kinds):
                    found.add(name)
    return {name for name in found - PROTOCOL if not re.fullmatch(r"__\w+__", name)}


# ---------------------------------------------------------------- imports


def skimbal_imports(path):
    """Yield (line, dotted module, imported name) for each import from the package."""
    for node in ast.walk(ast.parse(Path(path).read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "skimbal":
                    yield node.lineno, *alias.name.rpartition(".")[::2]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "skimbal":
            for alias in node.names:
                yield node.lineno, node.module, alias.name


def private_imports(path, *own_packages):
    """Imports of a `_module` of a package that is not one's own: 'line: module.name'."""
    found = []
    for line, module, name in skimbal_imports(path):
        package, *inside = [*module.split(".")[1:], name]
        private = [part for part in inside if re.match("_[^_]", part)]
        if private and package not in {*own_packages, "_utils"}:
            found.append(f"{line}: {module}.{name}")
    return found


# ---------------------------------------------------------------- suppressions


def suppressions(path):
    """Yield (line, comment, has a reason) for each comment that silences a tool."""
    with tokenize.open(path) as file:
        for token in tokenize.generate_tokens(file.readline):
            if token.type == tokenize.COMMENT and (match := SUPPRESSION.search(token.string)):
                yield token.start[0], token.string, _has_reason(token.string, match)


def _has_reason(comment, match):
    rest = comment[: match.start()] + re.sub(
        r"^(?:\[[\w\-, ]*\]|:\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*)", "", comment[match.end() :]
    )
    return len(re.findall(r"[A-Za-z]{2,}", rest)) >= 2


# ---------------------------------------------------------------- public names


def exported_names():
    """Dotted names that the packages export, each once, by the package that has it."""
    return sorted(
        f"{module.__name__}.{name}"
        for module in modules()
        if module.__name__.count(".") == 1 and not module.__name__.startswith("skimbal._")
        for name in getattr(module, "__all__", [])
    )


def get(dotted):
    """Return what a dotted name stands for."""
    module, _, name = dotted.rpartition(".")
    return getattr(importlib.import_module(module), name)


def _names_in(source):
    """Names and attributes in a piece of Python; none in text that is no Python."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return set()
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return names | {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def names_that_pages_run():
    """Names in the code of the guide pages, the README and the gallery."""
    used = set()
    for page in (ROOT / "docs").rglob("*.rst"):
        if _is_guide(page):
            for example in doctest.DocTestParser().get_examples(page.read_text()):
                used |= _names_in(example.source)
    readme = (ROOT / "README.md").read_text()
    for block in re.findall(r"^```python\n(.*?)^```", readme, re.MULTILINE | re.DOTALL):
        used |= _names_in(block)
    for script in sources(ROOT / "examples"):
        used |= _names_in(script.read_text())
    return used


def names_needed_elsewhere():
    """'package.name' of what modules of other packages import."""
    needed = set()
    for path in sources():
        own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for _, module, name in skimbal_imports(path):
            if module.count(".") == 1 and module.split(".")[1] != own and own != "__init__":
                needed.add(f"{module}.{name}")
    return needed


def promised_names():
    """'package.name' of what tests/test_public_api.py promises to code outside."""
    listed = runpy.run_path(str(ROOT / "tests" / "test_public_api.py"))
    pairs = [
        *listed["ELSEWHERE"],
        *((package, name) for name, package in listed["TOP_LEVEL"].items()),
    ]
    return {f"skimbal.{package}.{name}" for package, name in pairs}


def names_of_registered_values():
    """'package.name' of the losses and samplers that parameters take by a name in quotes."""
    losses = [f"skimbal.losses.{cls.__name__}" for cls in skimbal.losses.all_losses().values()]
    exported = {
        name: get(name) for name in exported_names() if name.startswith("skimbal.sampling.")
    }
    base = exported["skimbal.sampling.BaseBatches"]
    samplers = [
        n for n, item in exported.items() if inspect.isclass(item) and issubclass(item, base)
    ]
    return {*losses, *samplers}


def unused_names():
    """Exported names that no page calls, no other package needs and nobody was promised."""
    called = names_that_pages_run()
    kept = names_needed_elsewhere() | promised_names() | names_of_registered_values()
    return [
        name
        for name in exported_names()
        if name.rpartition(".")[2] not in called and name not in kept
    ]


def names_that_no_page_mentions():
    """Exported names that are in no guide page, no README and no example, not even in the text."""
    pages = [path for path in (ROOT / "docs").rglob("*.rst") if _is_guide(path)]
    texts = [path.read_text() for path in [*pages, *sources(ROOT / "examples"), ROOT / "README.md"]]
    words = set(re.findall(r"\w+", " ".join(texts)))
    return [name for name in exported_names() if name.rpartition(".")[2] not in words]


def _is_guide(page):
    return page.stem not in {"api", "design"} and not {"generated", "auto_examples"} & {*page.parts}


def has_reference(item):
    """Whether a docstring has a section References."""
    return bool(item.__doc__) and bool(NumpyDocString(inspect.getdoc(item))["References"])


def public_objects():
    """Exported classes and functions, by dotted name."""
    named = {name: get(name) for name in exported_names()}
    return {
        name: item
        for name, item in named.items()
        if inspect.isclass(item) or inspect.isfunction(item)
    }


# ---------------------------------------------------------------- tests


def test_functions(folder):
    """Yield (is parametrized, compares numbers) for each test function."""
    for path in sources(folder):
        source = path.read_text()
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                marks = " ".join(ast.unparse(mark) for mark in node.decorator_list)
                text = ast.unparse(node)
                yield "parametrize" in marks, bool(NUMERIC_CHECKS.search(text))


test_functions.__test__ = False


def modules_without_tests(package):
    """Modules of a package that have no test file of the same name."""
    tested = {path.stem for path in (ROOT / "tests" / package).glob("test_*.py")}
    names = [path.stem for path in (PACKAGE / package).glob("*.py") if path.stem != "__init__"]
    return sorted(name for name in names if f"test_{name.lstrip('_')}" not in tested)


# ---------------------------------------------------------------- table


def figures():
    """A dict: row of the table -> figure."""
    lines = {path.relative_to(PACKAGE).as_posix(): code_lines(path) for path in sources()}
    n_methods = {f"{cls.__module__}.{cls.__qualname__}": len(methods(cls)) for cls in own_classes()}
    largest = max(n_methods, key=n_methods.get)
    longest = max(lines, key=lines.get)
    private = Counter(
        own
        for path in sources()
        for own in [path.relative_to(PACKAGE).parts[0].removesuffix(".py")]
        for _ in private_imports(path, own)
    )
    silenced = [entry for path in sources() for entry in suppressions(path)]
    objects = public_objects()
    tests = list(test_functions(ROOT / "tests"))
    lacking = modules_without_tests("neural_network")
    n_modules = len(list((PACKAGE / "neural_network").glob("_*.py"))) - 1
    return {
        "lines of code of the package": sum(lines.values()),
        "lines of code of the longest file": f"{lines[longest]} ({longest})",
        "files above 400 lines of code": sum(n > 400 for n in lines.values()),
        "most methods of a class": f"{n_methods[largest]} ({largest})",
        "classes above 12 methods": sum(n > 12 for n in n_methods.values()),
        "files in neural_network": n_modules + 1,
        "names imported from a _module of another package": sum(private.values()),
        "exported names": len(exported_names()),
        "exported names that nothing calls": len(unused_names()),
        "exported names that no page mentions": len(names_that_no_page_mentions()),
        "suppressions, those without a reason": f"{len(silenced)}, "
        f"{sum(not reason for *_, reason in silenced)}",
        "public objects": len(objects),
        "public objects with a section References, in percent": round(
            100 * sum(map(has_reference, objects.values())) / len(objects)
        ),
        "test functions": len(tests),
        "tests that are parametrized, in percent": round(
            100 * sum(is_parametrized for is_parametrized, _ in tests) / len(tests)
        ),
        "tests that compare arrays or floats, in percent": round(
            100 * sum(is_numeric for _, is_numeric in tests) / len(tests)
        ),
        "modules of neural_network without a test file": f"{len(lacking)} of {n_modules}",
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true", help="also list what falls short")
    parser.add_argument("--tiny", action="store_true", help="changes nothing: it takes seconds")
    arguments = parser.parse_args()
    print(pd.Series(figures()).to_string())
    if arguments.list:
        print("\nnothing calls:", *unused_names(), sep="\n  ")
        without = [name for name, item in public_objects().items() if not has_reference(item)]
        print("\nno reference:", *without, sep="\n  ")


if __name__ == "__main__":
    main()
