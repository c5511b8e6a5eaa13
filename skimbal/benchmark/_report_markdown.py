"""A report as Markdown."""

from skimbal.benchmark._report_tables import (
    MATRIX_LEGEND,
    SUMMARY_LEGEND,
    failure_table,
    matrix_as_text,
    protocol_table,
    rank_test_lines,
    scores_as_text,
    summary_as_text,
    title_of,
    warning_table,
    win_lose_draw_matrix,
)


def markdown_report(result):
    """The report as Markdown, with failures, warnings, protocol and versions."""
    summary = markdown_table(summary_as_text(result.summary))
    legend = SUMMARY_LEGEND.format(control=escape(result.control))
    protocol = protocol_table(result.protocol).items()
    environments = (", ".join(f"{k} {v}" for k, v in e.items()) for e in result.environments)
    parts = [
        f"# {escape(title_of(result))}",
        *rank_test_lines(result),
        *map(escape, result.notes),
        *["## Methods", summary, legend],
        *["## Data sets", markdown_table(scores_as_text(result, bold="**{}**"))],
        *_pairs(result),
        *_section("## Failed cells", failure_table(result.cells)),
        *_section("## Warnings", warning_table(result.cells)),
        "## Protocol",
        "\n".join(f"- {name}: {escape(text)}" for name, text in protocol),
        "## Versions",
        *map(escape, environments),
    ]
    return "\n\n".join(parts) + "\n"


def escape(text):
    """Text that Markdown shows as it is: no cell of a table and no HTML begins in it.

    >>> print(escape("a|b <script>"))
    a\\|b &lt;script>
    """
    return " ".join(str(text).split()).replace("|", "\\|").replace("<", "&lt;")


def markdown_table(table):
    """A frame of texts as a Markdown table."""
    rows = [[table.index.name or "", *table.columns], ["---"] * (len(table.columns) + 1)]
    rows += [[index, *values] for index, *values in table.itertuples()]
    return "\n".join("| " + " | ".join(map(escape, row)) + " |" for row in rows)


def _section(title, table):
    return [title, markdown_table(table)] if len(table) else []


def _pairs(result):
    means = result.means()
    if means.shape[0] == 0 or means.shape[1] < 2:
        return []
    table = markdown_table(matrix_as_text(win_lose_draw_matrix(result)))
    return ["## Wins, losses and draws of each pair", MATRIX_LEGEND, table]
