"""What the displays share when they draw: axes, colors of classes and of series.

matplotlib is an optional package, so it is imported when something is drawn.

The colors are those of M. Okabe and K. Ito, "Color Universal Design" (2008), which people with the
usual kinds of color blindness can tell apart. The most frequent class is gray and the rarest one is
vermilion in every display.
"""

import io
import math
import re
from collections.abc import Callable
from itertools import cycle, islice
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skimbal._utils._extras import how_to_install

GRAY, VERMILION = "#8c8c8c", "#D55E00"
SERIES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000")
BETWEEN = ("#0072B2", "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#000000")
LINE_STYLES = ("-", "--", ":", "-.")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
PANEL_SIZE = (3.6, 3.2)  # inches


def import_pyplot() -> Any:
    """Return ``matplotlib.pyplot``, or raise an ImportError that names the extra."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            "drawing needs matplotlib, which is not installed; install it with "
            f"{how_to_install('plot')}"
        ) from error
    return plt


def class_colors(class_counts: ArrayLike) -> list[str]:
    """Color of each class: gray for the most frequent one, vermilion for the rarest.

    >>> class_colors([900, 30, 70])
    ['#8c8c8c', '#D55E00', '#0072B2']
    """
    counts = np.asarray(class_counts)
    order = np.argsort(-counts, kind="stable")  # most frequent first
    between = list(islice(cycle(BETWEEN), max(len(order) - 2, 0)))[::-1]
    ranked = [GRAY, *between, VERMILION][: len(order)]
    colors = dict(zip(order.tolist(), ranked, strict=True))
    return [colors[c] for c in range(len(order))]


def series_styles(n: int) -> list[dict[str, str]]:
    """Color and line style of each of n series; the style changes where colors begin again."""
    return [
        {
            "color": SERIES[i % len(SERIES)],
            "linestyle": LINE_STYLES[i // len(SERIES) % len(LINE_STYLES)],
        }
        for i in range(n)
    ]


def single_axes(ax: Any = None, figsize: tuple[float, float] = (6.0, 4.0)) -> Any:
    """The axes that are given, or those of a new figure."""
    plt = import_pyplot()
    if ax is None:
        _, ax = plt.subplots(figsize=figsize, layout="constrained")
    return ax


def svg_of(draw: Callable[[Any], Any], figsize: tuple[float, float]) -> str:
    """The SVG element of a drawing, to be put into a web page.

    Its text stays text. Black and dark grays take the color of the text around the picture. The
    same drawing gives the same bytes.

    Parameters
    ----------
    draw : callable
        Gets the axes.
    figsize : (float, float)
        Width and height in inches; what does not fit makes the picture larger.

    Returns
    -------
    element : str
        From ``<svg`` to ``</svg>``.

    Raises
    ------
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> from skimbal.inspection import svg_of
    >>> element = svg_of(lambda ax: ax.plot([0, 1]), figsize=(3, 2))
    >>> element[:5], element[-6:]
    ('<svg ', '</svg>')
    """
    plt = import_pyplot()
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    figure = Figure(figsize=figsize)
    draw(figure.subplots())
    for text in figure.findobj(Text):
        text.set_parse_math(False)  # a dollar in a name is a dollar
    written = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    options = {"svg.fonttype": "none", "svg.hashsalt": "skimbal", "font.family": "sans-serif"}
    with plt.rc_context(options):
        figure.savefig(
            written, format="svg", bbox_inches="tight", transparent=True, metadata=nothing
        )
    return embeddable_svg(written.getvalue())


def embeddable_svg(document: str) -> str:
    """The element of an SVG document of matplotlib, without what only a file of its own needs.

    >>> embeddable_svg('<?xml?><svg xmlns="http://w3"><path style="fill: #000000"/></svg>')
    '<svg><path style="fill: currentColor"/></svg>'
    """
    element = document[document.index("<svg") :].strip()
    element = re.sub(r' xmlns(:xlink)?="[^"]*"', "", element)
    # Black and dark grays, which would not be seen on a dark page.
    return re.sub(r"(fill|stroke): #([0-5][0-9a-f])\2\2\b", r"\1: currentColor", element)


def panel_axes(ax: Any, n_panels: int, n_columns: int | None = None, **options: Any) -> np.ndarray:
    """Axes of panels, shape (n_panels,).

    Parameters
    ----------
    ax : Axes, array-like of Axes or None
        None makes a figure. One Axes is divided into the panels, if there are several. An array has
        the axes of the panels.
    n_panels : int
        Number of panels.
    n_columns : int or None
        Panels in a row; at most four by default.
    **options
        Passed to ``subplots`` for a new figure, such as ``sharey=True``.

    Raises
    ------
    ValueError
        If an array has another number of axes than there are panels.
    """
    plt = import_pyplot()
    n_columns = min(n_panels, 4) if n_columns is None else min(n_columns, n_panels)
    n_rows = math.ceil(n_panels / n_columns)
    if ax is None:
        width, height = PANEL_SIZE
        size = (width * n_columns, height * n_rows)
        _, axes = plt.subplots(
            n_rows, n_columns, figsize=size, layout="constrained", squeeze=False, **options
        )
        for unused in axes.flat[n_panels:]:
            unused.remove()
        return axes.ravel()[:n_panels]
    given = np.asarray(ax, dtype=object).ravel()
    if len(given) == n_panels:
        return given
    if len(given) > 1:
        raise ValueError(
            f"ax has {len(given)} axes, but there are {n_panels} panels; give one for each panel, "
            "or a single one, which is divided"
        )
    return _divided(given[0], n_panels, n_rows, n_columns)


def _divided(ax, n_panels, n_rows, n_columns):
    """Axes inside the area of one."""
    from matplotlib.gridspec import GridSpecFromSubplotSpec

    ax.set_axis_off()
    spec = GridSpecFromSubplotSpec(n_rows, n_columns, ax.get_subplotspec(), wspace=0.5, hspace=0.6)
    panels = [ax.figure.add_subplot(spec[i // n_columns, i % n_columns]) for i in range(n_panels)]
    return np.array(panels, dtype=object)
