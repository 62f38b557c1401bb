"""Bars that share one axis: how long each took, with the spread of its runs."""

import math
import statistics

from .axis import short
from .style import frame, kind, line, name, text, width_of

# Of the bars, left of them at least, right of them; of one bar.
WIDTH, LEAST_LEFT, RIGHT, LINE = 330, 220, 90, 24


def draw(title, unit, rows, targets=()):
    """`rows` are (contender, values), the first one at the top; `targets` are (value, words)."""
    top, bottom = 44, 44 + LINE * len(rows)
    highest = max([max(values) for _, values in rows] + [value for value, _ in targets]) * 1.05
    left = max([LEAST_LEFT] + [width_of(name(one)) + 20 for one, _ in rows])
    place = lambda value: left + WIDTH * value / highest  # noqa: E731
    parts = []
    for value in _ticks(highest):
        parts += [line(place(value), top, place(value), bottom),
                  text(place(value), bottom + 16, short(value), "middle", "faint", 11)]
    for number, (one, values) in enumerate(rows):
        y, middle = top + LINE * number, statistics.median(values)
        parts.append(text(left - 8, y + 16, name(one), "end"))
        parts.append(f'<rect x="{left:.1f}" y="{y + 4}" width="{place(middle) - left:.1f}" height="{LINE - 8}" '
                     f'class="{kind(one)}"/>')
        if len(values) > 1:
            parts.append(line(place(min(values)), y + LINE / 2, place(max(values)), y + LINE / 2, "line", 2))
        parts.append(text(max(place(middle), place(max(values))) + 6, y + 16, short(middle), "start", "ink", 11))
    for value, words in targets:
        parts += [line(place(value), top - 4, place(value), bottom, "target", 2),
                  f'<text x="{place(value) + 4:.1f}" y="{top - 6}" class="target" font-size="11">{words}</text>']
    parts.append(text(left + WIDTH / 2, bottom + 34, unit, "middle", "faint", 11))
    return frame(parts, left + WIDTH + RIGHT, bottom + 46, title)


def _ticks(highest, most=6):
    """Round values from 0."""
    power = 10.0 ** math.floor(math.log10(highest))
    step = next(part * power for part in (0.1, 0.2, 0.5, 1, 2, 5) if highest / (part * power) <= most)
    return [step * number for number in range(int(highest / step) + 1)]
