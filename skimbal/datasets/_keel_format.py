"""The KEEL ``.dat`` format: a header of attributes, then one comma-separated row on each line.

Pure functions from text to values and from values to arrays; nothing here opens a file. The
format is that of Alcala-Fdez et al. (2011), KEEL Data-Mining Software Tool, J. Multiple-Valued
Logic and Soft Computing 17, 255-287.
"""

import contextlib
import hashlib
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from skimbal.datasets._checks import check_option
from skimbal.datasets._text import lines_of, parse_number, unquoted, without_byte_order_mark
from skimbal.exceptions import KeelFormatError

MISSING = {"?", "<null>"}
_ATTRIBUTE = re.compile(
    r"(?P<name>[^\s{}\[\],]+)"
    r"(?:\s+(?P<kind>real|integer|nominal)(?=[\s\[{]|$))?"
    r"\s*(?:\[(?P<range>[^\]]*)\]|\{(?P<categories>[^{}]*)\})?",
    re.IGNORECASE,
)
_ATTRIBUTE_FORM = (
    "'@attribute NAME real [LOW, HIGH]', '@attribute NAME integer [LOW, HIGH]' "
    "(ranges are optional) or '@attribute NAME {VALUE, ...}'"
)


@dataclass(frozen=True)
class KeelAttribute:
    """One declared attribute.

    Attributes
    ----------
    name : str
    kind : {"real", "integer", "nominal"}
    range : tuple of (float, float) or None
        Declared smallest and largest value of a number; None if there is no declaration.
    categories : tuple of str
        Declared values of a nominal attribute in the declared order; empty for numbers.

    Examples
    --------
    >>> KeelAttribute("Length", "real", range=(0.0, 1.0)).categories
    ()
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
        All attributes in declared order, including the output.
    inputs : tuple of str
        Names of the input attributes, in the order of ``@inputs``.
    output : str
        Name of the one output attribute.
    rows : tuple of tuple
        One tuple for each row, with one value for each attribute in declared order: a float, the
        declared spelling of a category, or None if the value is missing.

    Examples
    --------
    >>> size = KeelAttribute("size", "real")
    >>> label = KeelAttribute("label", "nominal", categories=("no", "yes"))
    >>> dataset = KeelDataset("toy", (size, label), ("size",), "label", rows=((1.5, "no"),))
    >>> dataset.column("label")[1]
    ('no',)
    """

    relation: str
    attributes: tuple[KeelAttribute, ...]
    inputs: tuple[str, ...]
    output: str
    rows: tuple[tuple[float | str | None, ...], ...] = ()

    def column(self, name):
        """Attribute `name` and its values, a tuple with one entry for each row."""
        index = [attribute.name for attribute in self.attributes].index(name)
        return self.attributes[index], tuple(row[index] for row in self.rows)


class _Mismatch(Exception):
    """What was expected and what was found, at a place that the raiser does not know."""


@contextlib.contextmanager
def _place(source, line_number):
    """Raise a mismatch as a KeelFormatError that names file and line."""
    try:
        yield
    except _Mismatch as mismatch:
        expected, found = mismatch.args
        raise KeelFormatError(
            f"{source}, line {line_number}: expected {expected}, got {found}"
        ) from None


def _by_spelling(names: Iterable[str]) -> dict[str, str]:
    """Map each accepted spelling to the declared one; case matters only if names differ in case."""
    names = tuple(names)
    folded: dict[str, list[str]] = {}
    for name in names:
        folded.setdefault(name.casefold(), []).append(name)
    relaxed = {fold: same[0] for fold, same in folded.items() if len(same) == 1}
    return relaxed | {name: name for name in names}


def _look_up(spellings, text):
    return spellings.get(text, spellings.get(text.casefold()))


def _parse_range(text):
    """Bounds ``(low, high)`` of a declared range, or None if it is not a range."""
    bounds = [parse_number(part.strip()) for part in text.split(",")]
    if len(bounds) != 2 or None in bounds or bounds[0] > bounds[1]:
        return None
    return tuple(bounds)


def _parse_attribute(declaration):
    match = _ATTRIBUTE.fullmatch(declaration)
    name, kind = (match["name"], (match["kind"] or "nominal").lower()) if match else ("", "")
    if match is None or (kind == "nominal") != (match["categories"] is not None):
        raise _Mismatch(_ATTRIBUTE_FORM, repr(f"@attribute {declaration}"))
    if kind == "nominal":
        categories = tuple(unquoted(part) for part in match["categories"].split(","))
        if "" in categories or len(set(categories)) < len(categories):
            expected = f"different, non-empty values for attribute {name!r}"
            raise _Mismatch(expected, repr(match["categories"]))
        return KeelAttribute(name, kind, categories=categories)
    if match["range"] is None:
        return KeelAttribute(name, kind)
    bounds = _parse_range(match["range"])
    if bounds is None:
        expected = f"a range [LOW, HIGH] of two numbers for attribute {name!r}"
        raise _Mismatch(expected, repr(f"[{match['range']}]"))
    return KeelAttribute(name, kind, range=bounds)


def _content(lines, first_line=1):
    """Yield (line number, stripped text) of the lines that are neither empty nor comments."""
    for line_number, line in enumerate(lines, start=first_line):
        line = without_byte_order_mark(line).strip() if line_number == 1 else line.strip()
        if line and not line.startswith("%"):
            yield line_number, line


@dataclass
class _Header:
    """What the header has declared so far."""

    relation: str | None = None
    attributes: dict[str, KeelAttribute] = field(default_factory=dict)
    inputs: tuple[str, ...] | None = None
    output: str | None = None


def _add_relation(header, text):
    if not text or header.relation is not None:
        raise _Mismatch("one '@relation NAME'", f"a second one, {text!r}" if text else "none")
    header.relation = text


def _add_attribute(header, text):
    attribute = _parse_attribute(text)
    if attribute.name in header.attributes:
        raise _Mismatch("attribute names that differ", f"{attribute.name!r} a second time")
    header.attributes[attribute.name] = attribute


def _add_inputs(header, text):
    header.inputs = _declared_names(header, "@inputs", text)


def _add_outputs(header, text):
    names = _declared_names(header, "@outputs", text)
    if len(names) != 1:
        raise _Mismatch("exactly one attribute in @outputs", f"{len(names)}: {text!r}")
    header.output = names[0]


def _end_header(header, text):
    if text:
        raise _Mismatch("nothing after @data", repr(text[:60]))


def _declared_names(header, keyword, text):
    spellings = _by_spelling(header.attributes)
    names: list[str] = []
    for part in map(str.strip, text.split(",")):
        name = _look_up(spellings, part)
        if name is None or name in names:
            declared = ", ".join(header.attributes)
            expected = f"different declared attributes in {keyword} (declared: {declared})"
            raise _Mismatch(expected, repr(part))
        names.append(name)
    return tuple(names)


_ENTRIES = {
    "@relation": _add_relation,
    "@attribute": _add_attribute,
    "@inputs": _add_inputs,
    "@outputs": _add_outputs,
    "@data": _end_header,
}
_SPELLINGS = {"@input": "@inputs", "@output": "@outputs"}


def _add_line(header, line):
    """Add a line of the header; return its keyword."""
    if not line.startswith("@"):
        raise _Mismatch("a line '@data' before the first row", repr(line[:60]))
    first, *rest = line.split(maxsplit=1)
    keyword = _SPELLINGS.get(first.lower(), first.lower())
    if keyword not in _ENTRIES:
        raise _Mismatch(f"one of {', '.join(_ENTRIES)}", repr(line[:60]))
    _ENTRIES[keyword](header, rest[0] if rest else "")
    return keyword


def _empty_dataset(header):
    """The data set that a complete header declares, without rows."""
    for keyword, value in (("@relation", header.relation), ("@outputs", header.output)):
        if value is None:
            raise _Mismatch(f"a line '{keyword} NAME' before @data", "none")
    others = tuple(name for name in header.attributes if name != header.output)
    inputs = others if header.inputs is None else header.inputs
    if header.output in inputs or not inputs:
        expected = f"at least one input, and not the output {header.output!r}, in @inputs"
        raise _Mismatch(expected, ", ".join(inputs) or "none")
    return KeelDataset(header.relation, tuple(header.attributes.values()), inputs, header.output)


def parse_header(lines, *, source="<string>"):
    """Parse the lines up to ``@data``.

    Parameters
    ----------
    lines : sequence of str
        Lines of the file, from the first.
    source : str, default="<string>"
        File name for error messages.

    Returns
    -------
    dataset : KeelDataset
        Without rows.
    n_lines : int
        Number of lines of the header, including ``@data``.

    Raises
    ------
    KeelFormatError
        If the header breaks the format or ``@data`` is missing.
    """
    header = _Header()
    for line_number, line in _content(lines):
        with _place(source, line_number):
            if _add_line(header, line) == "@data":
                return _empty_dataset(header), line_number
    with _place(source, len(lines) + 1):
        raise _Mismatch("a line '@data'", "the end of the file")


def _value_reader(attribute):
    """Function from a text to the value of `attribute`; None if the text is not a valid value."""
    if attribute.kind == "nominal":
        spellings = _by_spelling(attribute.categories)
        return lambda text: _look_up(spellings, text)
    low, high = attribute.range or (-math.inf, math.inf)

    def read_number(text):
        value = parse_number(text)
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
        One comma-separated row on each line. Empty lines and lines that start with ``%`` are
        skipped.
    header : KeelDataset
        Its attributes say what each column may hold.
    source : str, default="<string>"
        File name for error messages.
    first_line : int, default=1
        Line number of ``lines[0]`` in the file, for error messages.

    Returns
    -------
    dataset : KeelDataset
        `header` with the rows.

    Raises
    ------
    KeelFormatError
        If a row has a wrong number of values, a value is not allowed by its attribute, an output
        is missing, or there is no row.
    """
    readers = [(attribute, _value_reader(attribute)) for attribute in header.attributes]
    rows = []
    for line_number, line in _content(lines, first_line):
        with _place(source, line_number):
            rows.append(_parse_row(line, readers, header.output))
    with _place(source, first_line + len(lines)):
        if not rows:
            raise _Mismatch("at least one row", "none")
    return replace(header, rows=tuple(rows))


def _parse_row(line, readers, output):
    texts = [unquoted(text) for text in line.split(",")]
    if len(texts) != len(readers):
        expected = f"{len(readers)} values, one for each attribute"
        raise _Mismatch(expected, f"{len(texts)}: {line[:80]!r}")
    row = []
    for text, (attribute, read) in zip(texts, readers, strict=True):
        value = read(text)
        is_missing = value is None and text.lower() in MISSING
        if value is None and (not is_missing or attribute.name == output):
            raise _Mismatch(_expected_value(attribute), repr(text))
        row.append(value)
    return tuple(row)


def parse_keel(text, *, source="<string>"):
    """Parse the text of a KEEL ``.dat`` file.

    Keywords, attribute names in ``@inputs`` and ``@outputs``, and nominal values match in any
    case. White space and quotes around values are ignored, and so is a byte order mark. ``?`` and
    ``<null>`` are missing values. Numbers are plain decimals within the declared range: ``nan``,
    ``inf``, ``1_000`` and ``0x10`` are errors.

    Parameters
    ----------
    text : str
        Content of the file.
    source : str, default="<string>"
        File name for error messages.

    Returns
    -------
    dataset : KeelDataset

    Raises
    ------
    KeelFormatError
        A ValueError that names the file, the line and what was expected there.

    Examples
    --------
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
    lines = lines_of(text)
    header, n_lines = parse_header(lines, source=source)
    return parse_rows(lines[n_lines:], header, source=source, first_line=n_lines + 1)


def encode_inputs(dataset, categories="onehot"):
    """Inputs of a data set as one float array.

    Columns follow ``@inputs``, and the categories of a nominal input follow their declaration, even
    if no row holds them: two files with one header give the same columns.

    Parameters
    ----------
    dataset : KeelDataset
        A parsed file.
    categories : {"onehot", "ordinal"}, default="onehot"
        A nominal input becomes one 0/1 column for each declared category, named
        ``input=category``, or one column with the position of the category in the declaration, 0
        to n_categories - 1.

    Returns
    -------
    X : ndarray of shape (n_samples, n_columns), float64
        A missing value is NaN (in all columns of a one-hot input).
    feature_names : list of str, length n_columns
        Names of the inputs, ``input=category`` for one-hot ones.

    Raises
    ------
    ValueError
        If `categories` is another value.

    Examples
    --------
    >>> dataset = parse_keel(
    ...     '''@relation toy
    ... @attribute size real [0, 9]
    ... @attribute color {red, green}
    ... @attribute class {negative, positive}
    ... @inputs size, color
    ... @outputs class
    ... @data
    ... 1.5, red, negative
    ... 2.5, green, positive'''
    ... )
    >>> encode_inputs(dataset)
    (array([[1.5, 1. , 0. ],
           [2.5, 0. , 1. ]]), ['size', 'color=red', 'color=green'])
    """
    check_option("categories", categories, ("onehot", "ordinal"))
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
    >>> label = KeelAttribute("label", "nominal", categories=("no", "yes"))
    >>> dataset = KeelDataset("toy", (label,), (), "label", rows=(("no",), ("yes",)))
    >>> encode_output(dataset).tolist()
    ['no', 'yes']
    """
    return np.array(dataset.column(dataset.output)[1])


def complete_rows(dataset):
    """The data set without the rows that miss an input or the output."""
    return replace(dataset, rows=tuple(row for row in dataset.rows if None not in row))


def canonical_order(dataset):
    """The data set with its rows ordered by the SHA-256 digest of their values.

    Files of one data set list its rows in different orders. The digest depends on the values of a
    row only, so two files with the same rows get the same order. That order is unrelated to values
    and labels, so cross-validation without shuffling is sound. Sorted values would put the extremes
    of the first column into one test fold. Equal rows are neighbors.
    """
    return replace(dataset, rows=tuple(sorted(dataset.rows, key=_row_digest)))


def _row_digest(row):
    # Adding 0.0 turns -0.0 into 0.0, the same value with another text.
    texts = (repr(value + 0.0) if isinstance(value, float) else repr(value) for value in row)
    return hashlib.sha256(",".join(texts).encode()).digest()
