"""Each curve as a picture."""

import statistics

from pictures import curves

from .curve import medians
from .series import CURVES, SERIES


def pictures(results):
    """Name to SVG, for every curve with two points or more."""
    found = {}
    for curve in CURVES:
        lines = {
            one: [(x, min(points[_key(points, x)]), middle, max(points[_key(points, x)])) for x, middle in medians(points)]
            for one, points in results.get(curve.series, {}).get(curve.figure, {}).items()}
        if any(len(points) > 1 for points in lines.values()):
            title = f"{curve.what}, by {SERIES[curve.series].amount}"
            found[f"scale-{curve.series}-{curve.figure}"] = curves.draw(
                title, SERIES[curve.series].amount, curve.unit, lines)
    return found


def _key(points, x):
    return next(amount for amount in points if float(amount) == x)
