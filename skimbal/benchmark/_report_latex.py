"""A report as tables for LaTeX, by pandas."""

from skimbal.benchmark._report_tables import (
    MATRIX_LEGEND,
    TITLES,
    by_method,
    is_best,
    matrix_as_text,
    rank_test_lines,
    scores_as_text,
    summary_as_text,
    title_of,
    win_lose_draw_matrix,
)

BOLD = "textbf:--rwrap;"


def latex_report(result):
    """The tables of the report, with what they are over in comments."""
    comments = [title_of(result), *rank_test_lines(result), *result.notes]
    comments.append("Needs the packages booktabs and longtable.")
    parts = ["\n".join(f"% {' '.join(text.split())}" for text in comments)]
    parts += [text for _, text in latex_tables(result)]
    return "\n\n".join(parts)


def latex_tables(result):
    """Pairs of a name and a table: "summary", "scores" and, with two methods or more, "pairs"."""
    metric = TITLES[result.metric]
    summary = summary_as_text(result.summary).rename(columns=lambda name: name.replace("_", " "))
    yield "summary", latex_table(summary, f"Summary of the {metric} of all methods.")
    caption = f"Mean and standard deviation of the {metric} over folds and trials."
    best = is_best(by_method(result, "mean"))
    yield "scores", latex_table(scores_as_text(result), caption, best, environment="longtable")
    means = result.means()
    if means.shape[0] > 0 and means.shape[1] > 1:
        matrix = matrix_as_text(win_lose_draw_matrix(result))
        yield "pairs", latex_table(matrix, MATRIX_LEGEND.replace("%", r"\%"))


def latex_table(table, caption, bold=None, environment="table"):
    """A frame of texts as a LaTeX table whose names and texts are escaped.

    Parameters
    ----------
    table : DataFrame of str
    caption : str
        LaTeX.
    bold : DataFrame of bool or None
        Cells to be bold.
    environment : {"table", "longtable"}

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"a_b": ["0.5"]}, index=["100 %"])
    >>> print(latex_table(table, "One.", table == "0.5"))
    \\begin{table}
    \\caption{One.}
    \\begin{tabular}{lr}
    \\toprule
     & a\\_b \\\\
    \\midrule
    100 \\% & \\textbf{0.5} \\\\
    \\bottomrule
    \\end{tabular}
    \\end{table}
    <BLANKLINE>
    """
    table = table.rename_axis(index=None, columns=None)
    style = table.style.format(escape="latex")
    style = style.format_index(escape="latex", axis=0).format_index(escape="latex", axis=1)
    if bold is not None:
        style = style.apply(lambda _: bold.map({True: BOLD, False: ""}.get), axis=None)
    columns = "l" + "r" * table.shape[1]
    return style.to_latex(
        column_format=columns, hrules=True, caption=caption, environment=environment
    )
