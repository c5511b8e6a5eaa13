"""What the documentation says is run: README, docstrings, pages; and no public name lacks any."""

import dataclasses
import doctest
import importlib
import inspect
import pkgutil
import re
import shlex
import tomllib
from pathlib import Path

import pytest
from numpydoc.validate import validate

import skimbal
from skimbal import exceptions
from skimbal.benchmark._methods import METHODS as METHODS_BY_NAME
from skimbal.benchmark._parser import check_names, make_parser
from skimbal.benchmark._suites import SUITES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BUILT = {"_build", "auto_examples", "generated", "sg_execution_times.rst"}
PAGES = sorted(
    page
    for page in (ROOT / "docs").rglob("*.rst")
    if not BUILT.intersection(page.relative_to(ROOT / "docs").parts)
)
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS

# numpydoc's codes for what a reader misses; those of pure typography are left out.
ERRORS = {
    "GL06",  # unknown section
    "GL07",  # sections in the wrong order
    "GL08",  # no docstring
    "SS01",  # no summary
    "SS06",  # summary of more than one line
    "PR02",  # documented parameter that does not exist
    "PR03",  # parameters in the wrong order
    "PR07",  # parameter without description
}
EXPORTED_ERRORS = ERRORS | {
    "PR01",  # parameter not documented
    "PR04",  # parameter without type
    "RT01",  # what is returned is not documented
    "EX01",  # no example
}

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(skimbal.__path__, "skimbal.")
    if not module.name.endswith("__main__")
)


def exported():
    """Yield the dotted name of everything that the public packages export."""
    for module in MODULES:
        if module.count(".") > 1 or module.startswith("skimbal._"):
            continue
        for name in getattr(importlib.import_module(module), "__all__", []):
            yield f"{module}.{name}"


def get(dotted):
    module, _, name = dotted.rpartition(".")
    return getattr(importlib.import_module(module), name)


def own_methods(dotted):
    """Yield the dotted names of the public methods that skimbal itself defines."""
    for name, value in inspect.getmembers(get(dotted), inspect.isfunction):
        if not name.startswith("_") and value.__module__.startswith("skimbal."):
            yield f"{dotted}.{name}"


def problems(dotted, codes):
    return [f"{code}: {text}" for code, text in validate(dotted)["errors"] if code in codes]


def allowed_gaps(item):
    """Codes of what an abstract class, or a record that functions return, can do without."""
    if dataclasses.is_dataclass(item):
        return {"PR01", "EX01"}  # its fields are in the section Attributes
    return {"EX01"} if inspect.isabstract(item) else set()


EXPORTED = sorted(exported())
CALLABLES = [name for name in EXPORTED if callable(get(name))]
METHODS = [
    method for name in CALLABLES if inspect.isclass(get(name)) for method in own_methods(name)
]
EXCEPTIONS = sorted(
    f"skimbal.exceptions.{name}" for name, item in vars(exceptions).items() if inspect.isclass(item)
)


# Optional packages that examples need; the oldest supported environment lacks some.
NEEDED = {"skimbal.persistence._onnx": "onnxruntime", "serving": "onnxruntime"}


@pytest.mark.usefixtures("without_processes")
@pytest.mark.parametrize("name", ["skimbal", *MODULES])
def test_docstring_examples_run(name):
    pytest.importorskip(NEEDED.get(name, "skimbal"))
    module = importlib.import_module(name)
    is_empty = not Path(module.__file__).read_text().strip()
    assert module.__doc__ or is_empty or name == "skimbal._version"
    assert doctest.testmod(module, optionflags=OPTIONS).failed == 0


@pytest.mark.usefixtures("without_processes")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.name}")
def test_examples_of_the_pages_run(page):
    pytest.importorskip(NEEDED.get(page.stem, "skimbal"))
    failed, _ = doctest.testfile(str(page), module_relative=False, optionflags=OPTIONS)
    assert failed == 0


@pytest.mark.parametrize("name", CALLABLES)
def test_docstrings_of_exported_names_are_complete(name):
    assert problems(name, EXPORTED_ERRORS - allowed_gaps(get(name))) == []


@pytest.mark.parametrize("name", METHODS)
def test_docstrings_of_public_methods_are_right(name):
    assert problems(name, ERRORS) == []


def test_api_page_lists_the_public_names():
    page = (ROOT / "docs" / "api.rst").read_text()
    listed = re.findall(r"^   ([a-z_]+\.\w+)$", page, re.MULTILINE)
    assert {f"skimbal.{name}" for name in listed} == {*EXPORTED, *EXCEPTIONS}


def test_design_page_shows_the_tree():
    """Each module of each package, and no other."""
    page = (ROOT / "docs" / "development" / "design.rst").read_text()
    shown = {
        folder: set(files.split())
        for folder, files in re.findall(r"^      (\w+)/ +(.+(?:\n {24}\w.+)*)$", page, re.MULTILINE)
    }
    folders = {path.parent for path in (ROOT / "skimbal").glob("*/*.py")}
    modules = {
        folder.name: {path.stem for path in folder.glob("*.py")} - {"__init__"}
        for folder in folders
    }
    assert shown == {name: files for name, files in modules.items() if files}


def test_readme_is_one_screen():
    assert len(README.splitlines()) <= 75


def test_readme_example_prints_what_it_shows(capsys):
    blocks = re.findall(
        r"^```python\n(.*?)^```.*?^```text\n(.*?)^```", README, re.MULTILINE | re.DOTALL
    )
    assert blocks
    for code, printed in blocks:
        exec(compile(code, "README.md", "exec"), {})
        assert capsys.readouterr().out == printed


def test_readme_links_to_files_that_exist():
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_changelog_has_the_version():
    changelog = (ROOT / "CHANGELOG.md").read_text()
    version, _, is_development = skimbal.__version__.partition(".dev")
    assert ("[Unreleased]" if is_development else f"[{version}]") in changelog


def test_pre_commit_uses_the_constrained_tools():
    """Hooks from elsewhere would have versions of their own."""
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    assert set(re.findall(r"repo: (\S+)", hooks)) == {"local"}


def test_make_targets_in_the_documentation_exist():
    """Those in code: in literals, and lines of a block (fenced in Markdown, indented in rst)."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *PAGES]:
        block_line = "" if page.suffix == ".md" else "    "
        named = re.findall(rf"(?:^{block_line}|`)make ([a-z-]+)", page.read_text(), re.MULTILINE)
        assert set(named) <= targets, page.name


@pytest.mark.parametrize(
    "page", ["README.md", "docs/guide/benchmark_runner.rst", "docs/guide/own_table.rst"]
)
def test_commands_of_the_documentation_are_understood(page):
    text = re.sub(r" *\\\n *", " ", (ROOT / page).read_text())  # continued lines as one
    lines = re.findall(r"^ *skimbal (.+)$", text, re.MULTILINE)
    assert lines
    for line in lines:
        options = make_parser().parse_args(shlex.split(line, comments=True))
        check_names(options)
        if options.name == "run" and options.suite:
            assert set(options.methods) <= set(METHODS_BY_NAME)
            assert set(options.datasets or []) <= set(SUITES[options.suite].datasets)


def test_command_line_entry_point_is_declared():
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts == {"skimbal": "skimbal.benchmark.cli:main"}
