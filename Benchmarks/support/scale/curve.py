"""Points of a curve, and the slope of its logarithms: 0 is flat, 1 grows as x does."""

import dataclasses
import math
import statistics


@dataclasses.dataclass(frozen=True)
class Curve:
    """One figure against one amount; `limit` is the slope that Lamina's may have, from `start` on."""

    series: str
    figure: str
    what: str
    unit: str
    limit: float | None = None
    start: float = 0


def medians(points):
    """x to the median of its runs, in the order of x. `points` is x, as text, to values."""
    return sorted((float(x), statistics.median(values)) for x, values in points.items() if values)


def slope(points, start=0):
    """The slope of the line through the logarithms (least squares); None for fewer than two points."""
    known = [(math.log(x), math.log(value)) for x, value in medians(points) if x >= start and value > 0]
    if len(known) < 2:
        return None
    return statistics.linear_regression(*zip(*known)).slope


def spread(values):
    """How far runs are apart, as a share of their median."""
    middle = statistics.median(values)
    return (max(values) - min(values)) / middle if middle else 0


def verdict(curve, points):
    """`met` or `missed`, None where no slope is asked for or known."""
    found = slope(points, curve.start)
    if curve.limit is None or found is None:
        return None
    return "met" if found <= curve.limit else "missed"
