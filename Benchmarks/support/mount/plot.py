"""The table as a picture: for each row a line on which each contender stands at its ratio to overlayfs's time.

An SVG of its own, on a logarithmic axis; a bar spans the runs, a dot is their median, a tick the target.
"""

import math
import statistics

from pictures import style

from .report import is_wide, paired, present
from .targets import OVERLAY, ROWS

LEFT, WIDTH, LINE = 330, 560, 22
LOWEST, HIGHEST = 0.1, 100


def place(ratio):
    """Where a ratio stands; those beyond the axis stand at its end."""
    share = math.log(min(max(ratio, LOWEST), HIGHEST) / LOWEST) / math.log(HIGHEST / LOWEST)
    return LEFT + WIDTH * share


def axis(top, bottom):
    parts = []
    for ratio in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100):
        x = place(ratio)
        parts.append(style.line(x, top, x, bottom, "line" if ratio == 1 else "grid"))
        parts.append(style.text(x, top - 6, f"{ratio:g}", "middle", "faint", 11))
    return parts


def line(row, found, contenders, y):
    """One row's marks; None when nobody stands beside overlayfs."""
    parts = []
    for name in style.drawing_order(contenders):
        ratios = present(paired(found.get(name, []), found.get(OVERLAY, [])))
        if not ratios:
            continue
        low, high, middle = place(min(ratios)), place(max(ratios)), place(statistics.median(ratios))
        parts.append(f'<g opacity="{0.4 if is_wide(ratios) else 1}">{style.line(low, y, high, y, style.kind(name), 3)}'
                     f'<circle cx="{middle:.1f}" cy="{y}" r="5" class="{style.kind(name)}"/></g>')
    if not parts:
        return None
    for target in row.targets:
        if target.kind == "most" and target.other == OVERLAY:
            parts.append(style.line(place(target.bound), y - 9, place(target.bound), y + 9, "target", 2))
    return [style.text(LEFT - 10, y + 4, row.what, "end"), *parts]


def picture(results):
    """The SVG of all rows whose base is overlayfs."""
    contenders = {name for found in results.values() for name in found} - {"engine", "redirects"}
    width = LEFT + WIDTH + 30
    parts, top = style.legend(contenders, 44, width)
    top += 24
    rows, y = [], top + 16
    for row in ROWS:
        if row.base != OVERLAY or row.figure not in results:
            continue
        drawn = line(row, results[row.figure], contenders, y)
        if drawn:
            rows += drawn
            y += LINE
    foot = "time over overlayfs's in the same run: left is faster; red: target; beyond the axis: at its end"
    parts += [*axis(top, y - 8), *rows, style.text(LEFT, y + 12, foot, "start", "faint", 11)]
    return style.frame(parts, width, y + 24, "A mounted tree beside kernel overlayfs")
