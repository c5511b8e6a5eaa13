"""Coordinates of the charts of a web report, which its template draws as SVG."""

from dataclasses import dataclass

import numpy as np

from skimbal.benchmark._report_tables import by_method, is_best

COST_WIDTH, COST_HEIGHT = 720.0, 360.0
LEFT, RIGHT, TOP, BOTTOM = 56.0, 190.0, 14.0, 44.0  # margins; the right one has the labels
LABEL_HEIGHT = 15.0
PANEL_WIDTH, PANEL_LABELS, PANEL_ROW = 280.0, 118.0, 14.0
STEPS = (0.01, 0.02, 0.05, 0.1, 0.2)


@dataclass(frozen=True)
class Tick:
    """A mark of an axis."""

    position: float
    text: str


@dataclass(frozen=True)
class CostPoint:
    """A method in the chart of score and cost, with the height of its label."""

    method: str
    x: float
    y: float
    label_y: float
    score: float
    cost: str


@dataclass(frozen=True)
class CostChart:
    """Mean score of each method over what a fit costs: time or memory."""

    points: list[CostPoint]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    width: float
    height: float
    label_x: float


def spread_labels(wanted, spacing, lowest, highest):
    """Heights as near as a single pass gets to those that are wanted, at least `spacing` apart.

    >>> spread_labels([10.0, 12.0, 50.0], 15.0, 0.0, 100.0).tolist()
    [10.0, 25.0, 50.0]
    >>> spread_labels([90.0, 95.0], 15.0, 0.0, 100.0).tolist()
    [85.0, 100.0]
    """
    order = np.argsort(wanted, kind="stable")
    heights = np.asarray(wanted, dtype=float)[order]
    steps = spacing * np.arange(len(heights))
    heights = np.maximum.accumulate(np.maximum(heights, lowest) - steps) + steps
    room = highest - spacing * np.arange(len(heights))[::-1]
    heights = np.maximum(np.minimum(heights, room), lowest + steps)
    spread = np.empty_like(heights)
    spread[order] = heights
    return spread


def cost_chart(summary, column, unit):
    """The `CostChart` of a report's summary and a column of it; None if no method has both."""
    known = summary[summary["mean"].notna() & (summary[column] > 0)]
    if known.empty:
        return None
    height = max(COST_HEIGHT, TOP + BOTTOM + LABEL_HEIGHT * len(known))
    scores, logs = known["mean"].to_numpy(), np.log10(known[column].to_numpy(dtype=float))
    first, last = np.floor(logs.min()), max(np.ceil(logs.max()), np.floor(logs.min()) + 1)
    bottom, top, step = _score_axis(scores)

    def x(log):
        return LEFT + (log - first) / (last - first) * (COST_WIDTH - LEFT - RIGHT)

    def y(score):
        return TOP + (top - score) / (top - bottom) * (height - TOP - BOTTOM)

    heights = spread_labels(y(scores), LABEL_HEIGHT, TOP, height - BOTTOM)
    points = [
        CostPoint(str(method), x(log), y(score), label, score, f"{10.0**log:.3g} {unit}")
        for method, log, score, label in zip(known.index, logs, scores, heights, strict=True)
    ]
    decades = np.arange(first, last + 1)
    levels = np.arange(round(bottom / step), round(top / step) + 1) * step
    return CostChart(
        points,
        [Tick(x(log), f"{10.0**log:g} {unit}") for log in decades],
        [Tick(y(level), f"{level:.2f}") for level in levels],
        COST_WIDTH,
        height,
        COST_WIDTH - RIGHT + 16.0,
    )


def _score_axis(scores):
    """Ends and step of an axis of scores, with about five ticks."""
    span = max(np.ptp(scores), 0.02)
    step = next((step for step in STEPS if span / step <= 5), STEPS[-1])
    bottom = np.floor(scores.min() / step - 0.2) * step
    top = np.ceil(scores.max() / step + 0.2) * step
    return bottom, top, step


@dataclass(frozen=True)
class PanelRow:
    """A method on one data set; the coordinates are None if it has no score."""

    method: str
    text: str
    y: float
    x: float | None = None
    low: float | None = None
    high: float | None = None
    is_best: bool = False


@dataclass(frozen=True)
class Panel:
    """The scores of all methods on one data set."""

    dataset: str
    rows: list[PanelRow]
    ticks: list[Tick]
    width: float
    height: float
    label_x: float
    best: str


def panels(result):
    """A `Panel` for each data set; their axes go from 0 to 1. The best average rank is on top."""
    means, stds = by_method(result, "mean"), by_method(result, "std")
    marks = is_best(means)
    order = [method for method in _by_rank(result.summary) if method in means]
    return [
        _panel(name, means.loc[name, order], stds.loc[name, order], marks.loc[name, order])
        for name in means.index
    ]


def _by_rank(summary):
    return summary.sort_values("rank", kind="stable").index


def _panel_x(score):
    return PANEL_LABELS + np.clip(score, 0.0, 1.0) * (PANEL_WIDTH - PANEL_LABELS - 12.0)


def _panel(dataset, means, stds, marks):
    rows = []
    for number, (method, mean, std) in enumerate(zip(means.index, means, stds, strict=True)):
        y = 10.0 + PANEL_ROW * number
        if np.isnan(mean):
            rows.append(PanelRow(str(method), "no score", y))
            continue
        spread = 0.0 if np.isnan(std) else std
        x, low, high = (_panel_x(value) for value in (mean, mean - spread, mean + spread))
        text = f"{mean:.3f}" + (f" ± {std:.3f}" if spread else "")
        rows.append(PanelRow(str(method), text, y, x, low, high, bool(marks[method])))
    best = ", ".join(f"{row.method} {row.text}" for row in rows if row.is_best)
    height = 10.0 + PANEL_ROW * len(rows) + 12.0
    ticks = [Tick(_panel_x(level), f"{level:g}") for level in (0.0, 0.5, 1.0)]
    label_x = PANEL_LABELS - 8.0
    return Panel(str(dataset), rows, ticks, PANEL_WIDTH, height, label_x, best or "none")
