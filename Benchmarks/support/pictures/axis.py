"""A logarithmic axis: where a value stands, which values get a line, and how numbers are written."""

import math

STEPS = ((1,), (1, 3), (1, 2, 5))


def short(value):
    """A number for people: 2 M, 500 k, 0.05."""
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if abs(value) >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.3g}"


class Axis:
    """Values from `low` to `high` on pixels from `start` to `end`; `end` may be the smaller one."""

    def __init__(self, values, start, end, room=0.06):
        low, high = min(values), max(values)
        if low == high:
            low, high = low / 2, high * 2
        margin = (math.log(high) - math.log(low)) * room
        self.low, self.high = math.log(low) - margin, math.log(high) + margin
        self.start, self.end = start, end

    def place(self, value):
        share = (math.log(value) - self.low) / (self.high - self.low)
        return self.start + (self.end - self.start) * share

    def ticks(self, most):
        """Round values of the axis, no more than `most`, and two at least where there are."""
        best = []
        for steps in STEPS:
            found = self._multiples(steps)
            if len(found) > most:
                break
            best = found
        if len(best) < 2:
            best = self._multiples(STEPS[-1])[:most]
        while len(best) > most:
            best = best[::2]
        return best

    def _multiples(self, steps):
        first, last = math.floor(self.low / math.log(10)), math.ceil(self.high / math.log(10))
        values = [step * 10.0 ** power for power in range(first, last + 1) for step in steps]
        return [value for value in values if self.low <= math.log(value) <= self.high]
