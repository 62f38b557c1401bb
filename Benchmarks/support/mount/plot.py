"""The table as a picture: for each row a line on which each contender stands at its ratio to overlayfs's time.

An SVG of its own, on a logarithmic axis; a bar spans the runs, a dot is their median, a tick the target.
"""

import html
import math
import statistics

from .report import is_wide, paired, present
from .targets import OVERLAY, ROWS

# Who comes later is drawn over who came before.
COLOURS = {
    "floor-cached": "#d9cdea", "floor": "#b9a3d6", "ext4": "#8a8a8a", "fuse-overlayfs": "#c2571a",
    "lamina-cached": "#2a9d64", "lamina": "#1b6ec2", "lamina-passthrough": "#1b6ec2",
}
NAMES = {"floor": "bare FUSE server", "floor-cached": "bare FUSE server, opens not asked"}
LEFT, WIDTH, LINE, TOP = 330, 560, 22, 66
LOWEST, HIGHEST = 0.1, 100


def place(ratio):
    """Where a ratio stands; those beyond the axis stand at its end."""
    share = math.log(min(max(ratio, LOWEST), HIGHEST) / LOWEST) / math.log(HIGHEST / LOWEST)
    return LEFT + WIDTH * share


def text(x, y, words, anchor="start", colour="#222", size=12):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" font-size="{size}">{html.escape(words)}</text>'


def axis(bottom):
    parts = []
    for ratio in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100):
        x = place(ratio)
        colour = "#222" if ratio == 1 else "#ddd"
        parts.append(f'<line x1="{x:.1f}" y1="{TOP - 8}" x2="{x:.1f}" y2="{bottom}" stroke="{colour}"/>')
        parts.append(text(x, TOP - 14, f"{ratio:g}", "middle", "#555", 11))
    return parts


def legend(contenders):
    parts, x = [], 10
    for name in contenders:
        words = NAMES.get(name, name)
        parts.append(f'<circle cx="{x + 5}" cy="20" r="5" fill="{COLOURS[name]}"/>')
        parts.append(text(x + 14, 24, words))
        x += 34 + 7 * len(words)
    return parts


def line(row, found, contenders, y):
    """One row's marks; None when nobody stands beside overlayfs."""
    parts = []
    for name in contenders:
        ratios = present(paired(found.get(name, []), found.get(OVERLAY, [])))
        if not ratios:
            continue
        low, high, middle = place(min(ratios)), place(max(ratios)), place(statistics.median(ratios))
        opacity = 0.4 if is_wide(ratios) else 1
        parts.append(f'<g opacity="{opacity}" fill="{COLOURS[name]}" stroke="{COLOURS[name]}">'
                     f'<line x1="{low:.1f}" y1="{y}" x2="{high:.1f}" y2="{y}" stroke-width="3" opacity="0.5"/>'
                     f'<circle cx="{middle:.1f}" cy="{y}" r="5" stroke="white"/></g>')
    if not parts:
        return None
    for target in row.targets:
        if target.kind == "most" and target.other == OVERLAY:
            x = place(target.bound)
            parts.append(f'<line x1="{x:.1f}" y1="{y - 9}" x2="{x:.1f}" y2="{y + 9}" stroke="#c00" stroke-width="2"/>')
    return [text(LEFT - 10, y + 4, row.what, "end"), *parts]


def picture(results):
    """The SVG of all rows whose base is overlayfs."""
    contenders = [name for name in COLOURS if any(name in found for found in results.values())]
    parts, y = [], TOP + 12
    for row in ROWS:
        if row.base != OVERLAY or row.figure not in results:
            continue
        drawn = line(row, results[row.figure], contenders, y)
        if drawn:
            parts += drawn
            y += LINE
    width, height = LEFT + WIDTH + 30, y + 24
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" font-family="sans-serif"><rect width="{width}" height="{height}" fill="white"/>')
    foot = text(LEFT, height - 8, "time over overlayfs's in the same run (left is faster); red: target", "start", "#555", 11)
    return "\n".join([head, *legend(contenders), *axis(y - 8), *parts, foot, "</svg>", ""])
