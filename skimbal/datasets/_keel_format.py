"""The KEEL ``.dat`` format: a header of attributes, then one comma-separated row a line.

Pure functions from text to values and from values to arrays; nothing here opens a file. The
format is that of Alcala-Fdez et al. (2011), KEEL Data-Mining Software Tool, J. Multiple-Valued
Logic and Soft Computing 17, 255-287.
"""

import hashlib
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from skimbal.exceptions import KeelFormatError

MISSING = {"?", "<null>"}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_ATTRIBUTE = re.compile(
    r"(?P<name>[^\s{}\[\],]+)"
    r"(?:\s+(?P<kind>real|integer|nominal)(?=[\s\[{]|$))?"
    r"\s*(?:\[(?P<range>[^\]]*)\]|\{(?P<categories>[^{}]*)\})?",
    re.IGNORECASE,
)
_ATTRIBUTE_FORM = (
    "'@attribute NAME real [LOW, HIGH]', '@attribute NAME integer [LOW, HIGH]' "
    "(ranges may be left out) or '@attribute NAME {VALUE, ...}'"
)
_ENTRIES = ("@relation", "@attribute", "@inputs", "@outputs", "@data")
_SPELLINGS = {"@input": "@inputs", "@output": "@outputs"}


@dataclass(frozen=True)
class KeelAttribute:
    """One declared attribute.

    Attributes
    ----------
    name : str
    kind : {"real", "integer", "nominal"}
    range : tuple of (float, float) or None
        Declared least and greatest value of a number; None where none is declared.
    categories : tuple of str
        Declared values of a nominal attribute in the declared order; empty for numbers.
    """

    name: str
    kind: str
    range: tuple[float, float] | None = None
    categories: tuple[str, ...] = ()


@dataclass(frozen=True)
class KeelDataset:
    """A parsed KEEL file.

    Attributes
    ----------
    relation : str
        Name given by ``@relation``.
    attributes : tuple of KeelAttribute
        In declared order, the output among them.
    inputs : tuple of str
        Names of the input attributes, in the order of ``@inputs``.
    output : str
        Name of the one output attribute.
    rows : tuple of tuple
        One tuple a row with one value an attribute, in declared order: a float, the declared
        spelling of a category, or None where the value is missing.
    """

    relation: str
    attributes: tuple[KeelAttribute, ...]
    inputs: tuple[str, ...]
    output: str
    rows: tuple[tuple[float | str | None, ...], ...] = ()

    def column(self, name):
        """Attribute `name` and its values, a tuple with one entry a row."""
        index = [attribute.name for attribute in self.attributes].index(name)
        return self.attributes[index], tuple(row[index] for row in self.rows)


def _format_error(source, line_number, expected, got):
    return KeelFormatError(f"{source}, line {line_number}: expected {expected}, got {got}")


def _by_spelling(names: Iterable[str]) -> dict[str, str]:
    """Map each accepted spelling to the declared one; case counts only where it must."""
    names = tuple(names)
    folded: dict[str, list[str]] = {}
    for name in names:
        folded.setdefault(name.casefold(), []).append(name)
    relaxed = {fold: same[0] for fold, same in folded.items() if len(same) == 1}
    return relaxed | {name: name for name in names}


def _look_up(spellings, text):
    return spellings.get(text, spellings.get(text.casefold()))


def _parse_number(text):
    """Value of a plain decimal number, or None (no NaN, infinity, underscore or hexadecimal)."""
    if not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def _parse_range(text):
    """Bounds ``(low, high)`` of a declared range, or None where it is not one."""
    bounds = [_parse_number(part.strip()) for part in text.split(",")]
    if len(bounds) != 2 or None in bounds or bounds[0] > bounds[1]:
        return None
    return tuple(bounds)


def _parse_attribute(declaration, source, line_number):
    match = _ATTRIBUTE.fullmatch(declaration)
    error = _format_error(source, line_number, _ATTRIBUTE_FORM, repr(f"@attribute {declaration}"))
    if match is None:
        raise error
    kind = (match["kind"] or "nominal").lower()
    if (kind == "nominal") != (match["categories"] is not None):
        raise error
    if kind == "nominal":
        categories = tuple(part.strip() for part in match["categories"].split(","))
        if "" in categories or len(set(categories)) < len(categories):
            expected = f"different, non-empty values for attribute {match['name']!r}"
            raise _format_error(source, line_number, expected, repr(match["categories"]))
        return KeelAttribute(match["name"], kind, categories=categories)
    bounds = None if match["range"] is None else _parse_range(match["range"])
    if match["range"] is not None and bounds is None:
        expected = f"a range [LOW, HIGH] of two numbers for attribute {match['name']!r}"
        raise _format_error(source, line_number, expected, repr(f"[{match['range']}]"))
    return KeelAttribute(match["name"], kind, range=bounds)


def _content(lines, first_line=1):
    """Yield (line number, stripped text) of the lines that are neither empty nor comments."""
    for line_number, line in enumerate(lines, start=first_line):
        line = line.strip()
        if line and not line.startswith("%"):
            yield line_number, line


class _Header:
    """What the header has declared so far; `dataset` says whether that is enough."""

    def __init__(self, source):
        self.source = source
        self.relation: str | None = None
        self.attributes: dict[str, KeelAttribute] = {}
        self.inputs: tuple[str, ...] | None = None
        self.output: str | None = None

    def add(self, line_number, line):
        first, *rest = line.split(maxsplit=1)
        keyword = _SPELLINGS.get(first.lower(), first.lower())
        if keyword not in _ENTRIES:
            expected = f"one of {', '.join(_ENTRIES)}"
            raise _format_error(self.source, line_number, expected, repr(line[:60]))
        getattr(self, "_add_" + keyword[1:])(line_number, rest[0] if rest else "")

    def _add_data(self, line_number, rest):
        if rest:
            raise _format_error(self.source, line_number, "nothing after @data", repr(rest[:60]))

    def _add_relation(self, line_number, rest):
        if not rest or self.relation is not None:
            expected = "one '@relation NAME'"
            got = "none" if not rest else f"a second one, {rest!r}"
            raise _format_error(self.source, line_number, expected, got)
        self.relation = rest

    def _add_attribute(self, line_number, rest):
        attribute = _parse_attribute(rest, self.source, line_number)
        if attribute.name in self.attributes:
            expected = "attribute names that differ"
            raise _format_error(
                self.source, line_number, expected, f"{attribute.name!r} a second time"
            )
        self.attributes[attribute.name] = attribute

    def _add_inputs(self, line_number, rest):
        self.inputs = self._declared_names("@inputs", line_number, rest)

    def _add_outputs(self, line_number, rest):
        names = self._declared_names("@outputs", line_number, rest)
        if len(names) != 1:
            expected = "exactly one attribute in @outputs"
            raise _format_error(self.source, line_number, expected, f"{len(names)}: {rest!r}")
        self.output = names[0]

    def _declared_names(self, keyword, line_number, rest):
        spellings = _by_spelling(self.attributes)
        names = []
        for text in (part.strip() for part in rest.split(",")):
            name = _look_up(spellings, text)
            if name is None or name in names:
                declared = ", ".join(self.attributes)
                expected = f"different declared attributes in {keyword} (declared: {declared})"
                raise _format_error(self.source, line_number, expected, repr(text))
            names.append(name)
        return tuple(names)

    def dataset(self, line_number):
        """The data set without rows; `line_number` is where the header ends."""
        if self.relation is None or self.output is None:
            keyword = "@relation" if self.relation is None else "@outputs"
            expected = f"a line '{keyword} NAME' before @data"
            raise _format_error(self.source, line_number, expected, "none")
        others = tuple(name for name in self.attributes if name != self.output)
        inputs = others if self.inputs is None else self.inputs
        if self.output in inputs or not inputs:
            expected = f"at least one input, and not the output {self.output!r}, in @inputs"
            raise _format_error(self.source, line_number, expected, ", ".join(inputs) or "none")
        return KeelDataset(self.relation, tuple(self.attributes.values()), inputs, self.output)


def parse_header(lines, *, source="<string>"):
    """Parse the lines up to ``@data``.

    Parameters
    ----------
    lines : sequence of str
        Lines of the file, from the first.
    source : str, default="<string>"
        Name that errors give.

    Returns
    -------
    dataset : KeelDataset
        Without rows.
    n_lines : int
        Lines that the header takes, ``@data`` included.

    Raises
    ------
    KeelFormatError
        Where the header breaks the format or ``@data`` is missing.
    """
    header = _Header(source)
    for line_number, line in _content(lines):
        if not line.startswith("@"):
            expected = "a line '@data' before the first row"
            raise _format_error(source, line_number, expected, repr(line[:60]))
        header.add(line_number, line)
        if line.lower() == "@data":
            return header.dataset(line_number), line_number
    raise _format_error(source, len(lines) + 1, "a line '@data'", "the end of the file")


def _value_reader(attribute):
    """Function from a text to the value of `attribute`; it gives None for what is not one."""
    if attribute.kind == "nominal":
        spellings = _by_spelling(attribute.categories)
        return lambda text: _look_up(spellings, text)
    low, high = attribute.range or (-math.inf, math.inf)

    def read_number(text):
        value = _parse_number(text)
        if value is None or not low <= value <= high:
            return None
        return value if attribute.kind == "real" or value.is_integer() else None

    return read_number


def _expected_value(attribute):
    if attribute.kind == "nominal":
        values = f"one of {{{', '.join(attribute.categories)}}}"
    else:
        values = "an integer" if attribute.kind == "integer" else "a number"
        if attribute.range is not None:
            values += " in [{:g}, {:g}]".format(*attribute.range)
    return f"{values} for attribute {attribute.name!r}"


def parse_rows(lines, header, *, source="<string>", first_line=1):
    """Parse data rows against a header.

    Parameters
    ----------
    lines : sequence of str
        One comma-separated row a line; empty lines and lines that start with ``%`` are left out.
    header : KeelDataset
        Its attributes say what each column may hold.
    source : str, default="<string>"
        Name that errors give.
    first_line : int, default=1
        Line number of ``lines[0]`` in the file, for errors.

    Returns
    -------
    dataset : KeelDataset
        `header` with the rows.

    Raises
    ------
    KeelFormatError
        A wrong number of values, a value that its attribute does not allow, an output that is
        missing, or no row at all.
    """
    readers = [(attribute, _value_reader(attribute)) for attribute in header.attributes]
    rows = tuple(
        _parse_row(line, readers, header.output, source, line_number)
        for line_number, line in _content(lines, first_line)
    )
    if not rows:
        raise _format_error(source, first_line + len(lines), "at least one row", "none")
    return replace(header, rows=rows)


def _parse_row(line, readers, output, source, line_number):
    texts = [text.strip() for text in line.split(",")]
    if len(texts) != len(readers):
        expected = f"{len(readers)} values, one for each attribute"
        raise _format_error(source, line_number, expected, f"{len(texts)}: {line[:80]!r}")
    row = []
    for text, (attribute, read) in zip(texts, readers, strict=True):
        value = read(text)
        missing = value is None and text.lower() in MISSING
        if value is None and (not missing or attribute.name == output):
            raise _format_error(source, line_number, _expected_value(attribute), repr(text))
        row.append(value)
    return tuple(row)


def parse_keel(text, *, source="<string>"):
    """Parse the text of a KEEL ``.dat`` file.

    Keywords, attribute names in ``@inputs`` and ``@outputs``, and nominal values match in any
    case; white space around values does not count. ``?`` and ``<null>`` are missing values.
    Numbers are plain decimals within the declared range: ``nan``, ``inf``, ``1_000`` and
    ``0x10`` are refused.

    Parameters
    ----------
    text : str
        Content of the file.
    source : str, default="<string>"
        File name that errors give.

    Returns
    -------
    dataset : KeelDataset

    Raises
    ------
    KeelFormatError
        A ValueError that names the file, the line and what was expected there.

    Examples
    --------
    >>> from skimbal.datasets import parse_keel
    >>> dataset = parse_keel('''@relation toy
    ... @attribute Length real [0.0, 1.0]
    ... @attribute Sex {M, F}
    ... @attribute Class {positive, negative}
    ... @inputs Length, Sex
    ... @outputs Class
    ... @data
    ... 0.5, F, negative
    ... 0.25, ?, positive
    ... ''')
    >>> dataset.rows
    ((0.5, 'F', 'negative'), (0.25, None, 'positive'))
    """
    lines = text.splitlines()
    header, n_lines = parse_header(lines, source=source)
    return parse_rows(lines[n_lines:], header, source=source, first_line=n_lines + 1)


def encode_inputs(dataset, categories="onehot"):
    """Inputs of a data set as one float array.

    Columns follow ``@inputs``, and the categories of a nominal input follow their declaration,
    whether or not a row holds them: two files with one header give the same columns.

    Parameters
    ----------
    dataset : KeelDataset
        A parsed file.
    categories : {"onehot", "ordinal"}, default="onehot"
        A nominal input becomes one 0/1 column a declared category, named ``input=category``, or
        one column with the category's position in the declaration, 0 to n_categories - 1.

    Returns
    -------
    X : ndarray of shape (n_samples, n_columns), float64
        NaN where a value is missing (in all columns of a one-hot input).
    feature_names : list of str, length n_columns
        Names of the inputs, ``input=category`` for one-hot ones.

    Raises
    ------
    ValueError
        For another value of `categories`.

    Examples
    --------
    >>> from skimbal.datasets import encode_inputs, parse_keel
    >>> dataset = parse_keel(
    ...     '''@relation toy
    ... @attribute size real [0, 9]
    ... @attribute colour {red, green}
    ... @attribute class {negative, positive}
    ... @inputs size, colour
    ... @outputs class
    ... @data
    ... 1.5, red, negative
    ... 2.5, green, positive'''
    ... )
    >>> encode_inputs(dataset)
    (array([[1.5, 1. , 0. ],
           [2.5, 0. , 1. ]]), ['size', 'colour=red', 'colour=green'])
    """
    if categories not in ("onehot", "ordinal"):
        raise ValueError(
            f"categories={categories!r} is not known; use 'onehot' (a 0/1 column a category) "
            "or 'ordinal' (one column of positions)"
        )
    columns: list[np.ndarray] = []
    names: list[str] = []
    for name in dataset.inputs:
        attribute, values = dataset.column(name)
        if attribute.kind != "nominal":
            columns.append(np.array(values, dtype=np.float64)[:, None])
            names.append(name)
            continue
        position = {category: float(k) for k, category in enumerate(attribute.categories)}
        codes = np.array([position.get(value, np.nan) for value in values])[:, None]
        columns.append(_one_hot(codes, len(position)) if categories == "onehot" else codes)
        names += [f"{name}={c}" for c in attribute.categories] if categories == "onehot" else [name]
    return np.hstack(columns), names


def _one_hot(codes, n_categories):
    """Indicator columns of codes of shape (n_samples, 1); a NaN code gives a row of NaN."""
    return np.where(np.isnan(codes), np.nan, codes == np.arange(n_categories))


def encode_output(dataset):
    """Output values of a data set.

    Parameters
    ----------
    dataset : KeelDataset
        A parsed file.

    Returns
    -------
    y : ndarray of shape (n_samples,)
        Strings for a nominal output, else float64.

    Examples
    --------
    >>> from skimbal.datasets import encode_output, parse_keel
    >>> dataset = parse_keel(
    ...     '''@relation toy
    ... @attribute size real [0, 9]
    ... @attribute colour {red, green}
    ... @attribute class {negative, positive}
    ... @inputs size, colour
    ... @outputs class
    ... @data
    ... 1.5, red, negative
    ... 2.5, green, positive'''
    ... )
    >>> encode_output(dataset).tolist()
    ['negative', 'positive']
    """
    return np.array(dataset.column(dataset.output)[1])


def complete_rows(dataset):
    """The data set without the rows in which an input or the output is missing."""
    return replace(dataset, rows=tuple(row for row in dataset.rows if None not in row))


def canonical_order(dataset):
    """The data set with its rows ordered by the SHA-256 digest of their values.

    Files of one data set list its rows in different orders. The digest depends on a row's values
    alone, so any two files with the same rows come out in the same order. That order is
    unrelated to values and labels, so that a cross-validation without shuffling is sound; sorted
    values would put the extremes of the first column into the same test fold. Equal rows end up
    side by side.
    """
    return replace(dataset, rows=tuple(sorted(dataset.rows, key=_row_digest)))


def _row_digest(row):
    # Adding 0.0 turns -0.0 into 0.0, which is the same value with another text.
    texts = (repr(value + 0.0) if isinstance(value, float) else repr(value) for value in row)
    return hashlib.sha256(",".join(texts).encode()).digest()
