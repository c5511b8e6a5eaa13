"""``csv-table`` for numbers: equal decimals in a column, numbers at the right, the best in bold.

A column holds numbers if each of its cells begins with one, as ``8 of 10`` and ``0.57 ± 0.16`` do.
The first row of the file is the header. New options; their lists are separated by semicolons:

``columns``
    The columns to show, in this order. ``name -> header`` gives a column another header.
``decimals``
    ``name: 2`` rounds a column. Without it a column has as many decimals as its longest number.
``highest``, ``lowest``
    The columns whose best number is set in bold.
``within``
    A column. The best number is then the best of the rows that are equal in this column.
``best-in-row``
    A flag. The best number is then the best of its row.
"""

import csv
import io
import re

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.parsers.rst.directives.tables import CSVTable

LEADING_NUMBER = re.compile(r"(?:< )?([+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?![\w.])")

MAX_UNBROKEN = 25  # characters: shorter cells are not broken into lines


def leading_number(cell):
    """The number that a cell begins with, or None."""
    match = LEADING_NUMBER.match(cell)
    return float(match[1]) if match else None


def is_plain_number(cell):
    """Whether a cell holds a number and nothing else."""
    match = LEADING_NUMBER.fullmatch(cell)
    return match is not None and match[1] == cell


def holds_numbers(cells):
    """Whether each cell of a column that is not empty begins with a number."""
    numbers = [leading_number(cell) for cell in cells if cell]
    return bool(numbers) and None not in numbers


def with_equal_decimals(cells, decimals=None):
    """The cells of a column, with the same number of decimals in all that are numbers.

    Without ``decimals``, a column in which a number has an exponent is left as it is.
    """
    numbers = [cell for cell in cells if is_plain_number(cell)]
    if decimals is None:
        if any("e" in number for number in numbers):
            return list(cells)
        decimals = max((len(number.partition(".")[2]) for number in numbers), default=0)
    sign = "+" if any(number.startswith("+") for number in numbers) else ""
    return [rounded(cell, decimals, sign) if is_plain_number(cell) else cell for cell in cells]


def rounded(cell, decimals, sign):
    """A number as text; one that would round to 0 is given by its upper bound."""
    number, unit = float(cell), 10.0**-decimals
    if 0 < number < unit / 2:
        return f"< {unit:.{decimals}f}"
    return f"{number + 0.0:{sign}.{decimals}f}"  # adding 0.0 turns -0.0 into 0.0


def best_positions(cells, groups, best):
    """The positions of the best number of each group; ``best`` is ``max`` or ``min``."""
    numbers = {}
    for i, (cell, group) in enumerate(zip(cells, groups, strict=True)):
        if (number := leading_number(cell)) is not None:
            numbers.setdefault(group, {})[i] = number
    return [i for of in numbers.values() for i, n in of.items() if n == best(of.values())]


def mark_best(columns, names, best, *, groups=None, in_row=False):
    """Set the best cells of the columns ``names`` in bold, within each column or each row."""
    lines = [columns[name] for name in names]
    if in_row:
        lines = [list(line) for line in zip(*lines, strict=True)]
    for line in lines:
        for i in best_positions(line, groups or [None] * len(line), best):
            line[i] = f"**{line[i]}**"
    if in_row:
        lines = zip(*lines, strict=True)
    columns.update(zip(names, map(list, lines), strict=False))


def names_in(argument):
    """The items of a list that is separated by semicolons."""
    return [name.strip() for name in argument.split(";") if name.strip()]


def pairs_in(separator):
    """A reader of a list of ``key separator value``; a missing value is an empty string."""
    return lambda argument: {
        key.strip(): value.strip()
        for key, _, value in (name.partition(separator) for name in names_in(argument))
    }


class NumberTable(CSVTable):
    """A ``csv-table`` with the options of this module."""

    option_spec = CSVTable.option_spec | {
        "columns": pairs_in("->"),
        "decimals": pairs_in(":"),
        "highest": names_in,
        "lowest": names_in,
        "within": directives.unchanged,
        "best-in-row": directives.flag,
    }

    def run(self):
        self.options = {"widths": "auto", "header-rows": 1, "class": ["table-sm"]} | self.options
        made = super().run()
        for row in made[0].findall(nodes.row):
            for i, cell in enumerate(row):
                cell["classes"] += ["text-end"] * (i in self.numeric)
                if isinstance(row.parent, nodes.tbody) and len(cell.astext()) <= MAX_UNBROKEN:
                    cell["classes"].append("text-nowrap")
        return made

    def get_csv_data(self):
        lines, source = super().get_csv_data()
        header, *rows = csv.reader(lines, self.DocutilsDialect(self.options))
        columns = dict(zip(header, map(list, zip(*rows, strict=True)), strict=True))
        shown = self.options.get("columns") or dict.fromkeys(columns, "")
        self._check_names(columns)
        decimals = self.options.get("decimals", {})
        numeric = [name for name in shown if holds_numbers(columns[name])]
        for name in numeric:
            n = int(decimals[name]) if name in decimals else None
            columns[name] = with_equal_decimals(columns[name], n)
        groups = columns.get(self.options.get("within"))
        for option, best in (("highest", max), ("lowest", min)):
            chosen = self.options.get(option, [])
            mark_best(columns, chosen, best, groups=groups, in_row="best-in-row" in self.options)
        self.numeric = [list(shown).index(name) for name in numeric]
        out = io.StringIO()
        csv.writer(out).writerow([new or name for name, new in shown.items()])
        csv.writer(out).writerows(zip(*(columns[name] for name in shown), strict=True))
        return out.getvalue().splitlines(), source

    def _check_names(self, columns):
        for option in ("columns", "decimals", "highest", "lowest"):
            if unknown := set(self.options.get(option, ())) - set(columns):
                raise self.error(f"{option} names {sorted(unknown)}, the file has {list(columns)}")


def setup(app):
    app.add_directive("csv-table", NumberTable, override=True)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
