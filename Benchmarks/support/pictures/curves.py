"""Lines on two logarithmic axes: how a figure grows with an amount."""

from .axis import Axis, short
from .style import drawing_order, frame, kind, legend, line, name, text, width_of

WIDTH, LEFT, RIGHT, PLOT = 640, 64, 150, 240
GAP = 15


def draw(title, amount, unit, lines):
    """`lines` is contender to a list of (x, low, middle, high); the names stand at the ends of the lines."""
    lines = {one: points for one, points in lines.items() if points}
    parts, top = legend(lines, 44, WIDTH)
    top += 18
    bottom = top + PLOT
    xs = [point[0] for points in lines.values() for point in points]
    ys = [value for points in lines.values() for point in points for value in point[1:] if value > 0]
    across, up = Axis(xs, LEFT, WIDTH - RIGHT), Axis(ys, bottom, top)
    for value in up.ticks(7):
        y = up.place(value)
        parts += [line(LEFT, y, WIDTH - RIGHT, y), text(LEFT - 8, y + 4, short(value), "end", "faint", 11)]
    for value in across.ticks(9):
        x = across.place(value)
        parts += [line(x, top, x, bottom), text(x, bottom + 16, short(value), "middle", "faint", 11)]
    parts += [line(LEFT, bottom, WIDTH - RIGHT, bottom, "line"), line(LEFT, top, LEFT, bottom, "line")]
    parts += [text(LEFT, top - 8, unit, "middle", "faint", 11),
              text((LEFT + WIDTH - RIGHT) / 2, bottom + 34, amount, "middle", "faint", 11)]
    for one in drawing_order(lines):
        parts += _line(one, lines[one], across, up)
    parts += _names(lines, up, bottom)
    return frame(parts, WIDTH, bottom + 46, title)


def _line(one, points, across, up):
    places = [(across.place(x), up.place(low), up.place(middle), up.place(high)) for x, low, middle, high in points]
    joined = " ".join(f"{x:.1f},{middle:.1f}" for x, _, middle, _ in places)
    parts = [f'<polyline points="{joined}" class="{kind(one)}" style="fill:none" stroke-width="2"/>']
    for x, low, middle, high in places:
        parts.append(line(x, low, x, high, kind(one), 2))
        parts.append(f'<circle cx="{x:.1f}" cy="{middle:.1f}" r="3.5" class="{kind(one)}"/>')
    return parts


def _names(lines, up, bottom):
    """Last values and names at the right, moved apart where they would lie on each other."""
    wanted = sorted((up.place(points[-1][2]), one, points[-1][2]) for one, points in lines.items())
    places, least = [], -1e9
    for y, one, value in wanted:
        least = max(y, least + GAP)
        places.append([least, one, value])
    for place in reversed(range(len(places))):
        most = bottom if place == len(places) - 1 else places[place + 1][0] - GAP
        places[place][0] = min(places[place][0], most)
    x = WIDTH - RIGHT + 8
    parts = []
    for y, one, value in places:
        words = name(one)
        while width_of(f"{short(value)} {words}", 11) > RIGHT - 12 and len(words) > 4:
            words = words[:-2].rstrip() + "…"
        parts.append(text(x, y + 4, f"{short(value)} {words}", size=11))
    return parts
