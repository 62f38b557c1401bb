"""Curves as tables: a line for each amount, medians with their spread, the slope beneath."""

import statistics

from mount.report import number

from .curve import slope, spread, verdict
from .series import SERIES, curves_of


def cell(values):
    if not values:
        return "–"
    text = number(statistics.median(values))
    return text if len(values) < 2 else f"{text} (±{spread(values) / 2:.0%})"


def lines(results):
    """`results` is series to figure to contender to amount, as text, to values."""
    found = []
    for name, series in SERIES.items():
        if name in results:
            found += ["", f"## {series.amount}", "", *_table(series, results[name]), "", *slopes(name, results[name])]
    return found


def _table(series, figures):
    columns = [(curve, one) for curve in curves_of(series.name) for one in figures.get(curve.figure, {})]
    amounts = sorted({amount for curve, one in columns for amount in figures[curve.figure][one]}, key=float)
    heads = [f"{curve.what}, {one}, {curve.unit}" for curve, one in columns]
    found = [f"| {series.amount} | {' | '.join(heads)} |", "| ---: |" + " ---: |" * len(columns)]
    for amount in amounts:
        cells = [cell(figures[curve.figure][one].get(amount, [])) for curve, one in columns]
        found.append(f"| {int(amount):,} | {' | '.join(cells)} |")
    return found


def slopes(name, figures):
    """The slopes of Lamina's curves, each with what it must not be above."""
    found = []
    for curve in curves_of(name):
        points = figures.get(curve.figure, {}).get("lamina", {})
        value = slope(points, curve.start)
        if value is None:
            continue
        limit = "" if curve.limit is None else f", at most {curve.limit:g}: {verdict(curve, points)}"
        others = [f"{one} {slope(other, curve.start):.2f}" for one, other in figures[curve.figure].items()
                  if one != "lamina" and slope(other, curve.start) is not None]
        beside = f" ({'; '.join(others)})" if others else ""
        since = f", from {curve.start:,.0f} on" if curve.start else ""
        found.append(f"- {curve.what}: slope {value:.2f}{since}{limit}{beside}")
    return found
