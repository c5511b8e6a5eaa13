"""The constraints files say what pyproject.toml promises: tested versions and lower bounds."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import skimbal
from skimbal._utils._extras import PACKAGES_OF_EXTRA, how_to_install

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
LINE = re.compile(r"^([\w.-]+)==(\S+)$")


def pins(file):
    """Map canonical name -> pinned version of a constraints file."""
    lines = [line for line in (ROOT / file).read_text().splitlines() if line and line[0] != "#"]
    matches = [LINE.match(line) for line in lines]
    assert all(matches), f"{file} has a line that pins no version"
    return {canonicalize_name(match[1]): Version(match[2]) for match in matches}


def requirements(*extras):
    """Requirements of the package and of `extras`, those that name the package itself left out."""
    texts = PROJECT["dependencies"] + [text for extra in extras for text in EXTRAS[extra]]
    parsed = [Requirement(text) for text in texts]
    return [requirement for requirement in parsed if requirement.name != PROJECT["name"]]


@pytest.mark.parametrize("requirement", requirements(*EXTRAS), ids=lambda r: r.name)
def test_the_tested_version_is_allowed(requirement):
    version = pins("constraints.txt")[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(version)


@pytest.mark.parametrize("requirement", requirements("keel", "plot", "test"), ids=lambda r: r.name)
def test_the_oldest_leg_tests_the_lower_bound(requirement):
    (bound,) = [spec for spec in requirement.specifier if spec.operator == ">="]
    version = pins("constraints-oldest.txt")[canonicalize_name(requirement.name)]
    assert version == Version(bound.version)


@pytest.mark.parametrize("name", ["torch", "skorch"])
def test_the_oldest_leg_leaves_out_tests_of_packages_that_it_has_at_the_tested_version(name):
    """Tests that are marked any_version; if this fails, let `make test-oldest` run them."""
    assert pins("constraints.txt")[name] == pins("constraints-oldest.txt")[name]


@pytest.mark.parametrize("requirement", requirements(*EXTRAS), ids=lambda r: r.name)
def test_each_requirement_has_a_lower_bound(requirement):
    assert [spec.operator for spec in requirement.specifier] == [">="]


@pytest.mark.parametrize("extra", PACKAGES_OF_EXTRA)
def test_messages_name_the_packages_of_the_extra(extra):
    assert how_to_install(extra).startswith(f"pip install {PACKAGES_OF_EXTRA[extra]} ")
    assert PACKAGES_OF_EXTRA[extra].split() == [Requirement(text).name for text in EXTRAS[extra]]


PATHS = [
    path
    for folder in ("skimbal", "docs", "examples")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in (".py", ".rst") and "_build" not in path.parts
]


def test_nothing_says_that_an_index_has_this_package():
    found = [path for path in PATHS if re.search(r"pip install \S*skimbal\b", path.read_text())]
    assert found == []


def test_the_citation_is_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["cff-version"] == "1.2.0"
    assert citation.keys() >= {"message", "title", "authors"}  # required by the format
    assert citation["version"] == skimbal.__version__
    assert citation["license"] == PROJECT["license"]
