"""From runs to medians, ratios and verdicts, and from those to the table that people read.

`results` is figure to contender to values, one for each run. A ratio is the median of the runs' own ratios: what
disturbs a whole run disturbs both sides of it. Where the middle half of them is too wide, none is stated.
"""

import statistics

from .targets import OVERLAY, READERS, ROWS, most

# The middle half of the runs' ratios may span so much of the median.
WIDEST = 0.3
FASTER, SLOWER = "met", "**missed**"
REQUESTS = (
    ("requests/lstat/cold", "an lstat, cold"), ("requests/lstat/again", "an lstat, again"),
    ("requests/small/cold", "open, read, close of a small file, cold"),
    ("requests/small/again", "open, read, close of a small file, again"),
    ("requests/find", "find -type f of the whole tree, cold"), ("requests/create", "a new file"),
    ("requests/first", "first byte into a file of the layers"),
)


def paired(values, others):
    """The ratios of runs that both have."""
    return [value / other for value, other in zip(values, others) if value is not None and other]


def is_wide(values):
    if len(values) < 3:
        return False
    lower, _, upper = statistics.quantiles(values, n=4, method="inclusive")
    return upper - lower > WIDEST * statistics.median(values)


def number(value):
    """About three significant digits."""
    size = abs(value)
    return f"{value:.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.3g}"


def ratio_text(values):
    if not values:
        return "–"
    span = f"{number(min(values))}–{number(max(values))}"
    if is_wide(values):
        return f"too wide: {span}"
    return f"{number(statistics.median(values))} ×" + (f" ({span})" if len(values) > 1 else "")


def plain_text(values, unit):
    if not values:
        return "–"
    text = f"{number(statistics.median(values))} {unit}"
    return text + (f" ({number(min(values))}–{number(max(values))})" if len(values) > 1 else "")


def cell(row, found, contender):
    values = present(found.get(contender))
    if not values:
        return "–"
    if row.base is None or contender == row.base:
        return plain_text(values, row.unit)
    text = ratio_text(paired(found[contender], found.get(row.base, [])))
    return f"{text}, {number(statistics.median(values))} {row.unit}"


def floor_text(row, found):
    """The bare server asked for opens, and answering them ENOSYS."""
    values = [present(found.get(name)) for name in ("floor", "floor-cached")]
    texts = [f"{number(statistics.median(one))}" for one in values if one]
    return f"{' / '.join(texts)} {row.unit}" if texts else "–"


def present(values):
    return [value for value in values or [] if value is not None]


def verdict(target, found, contender):
    """`met`, `missed`, `unclear` where runs disagree and their spread is wide, None where nothing was measured."""
    values = found.get(contender, [])
    if target.other:
        values = paired(values, found.get(target.other, []))
    values = present(values)
    if not values:
        return None
    if target.kind == "faster":
        values = [1 / value for value in values if value]
    enough = (lambda value: value >= target.bound) if target.kind in ("faster", "at_least") else (
        lambda value: value <= target.bound)
    if is_wide(values) and len({enough(value) for value in values}) > 1:
        return "unclear"
    return FASTER if enough(statistics.median(values)) else SLOWER


def at_floor(found, mode):
    """Whether a missed row is within 15 % of the bare server that answers the same requests."""
    floor = "floor-cached" if mode.endswith("cached") else "floor"
    return floor in found and verdict(most(1.15, floor), found, mode) == FASTER


def verdicts(row, found, modes):
    """What each mode reaches, in a few words."""
    words = []
    for mode in modes:
        name = mode.removeprefix("lamina").removeprefix("-")
        asked = [target for target in row.targets if not target.mode or not name or target.mode == name]
        answers = {verdict(target, found, source(found, mode)) for target in asked} - {None}
        for worst in (SLOWER, "unclear", FASTER):
            if worst in answers and worst != FASTER and at_floor(found, mode):
                words.append(f"{name} at the floor".strip())
                break
            if worst in answers:
                words.append(f"{name} {worst}".strip())
                break
    return ", ".join(words) or "–"


def source(found, mode):
    """The engine has no data modes: its figures count for every one."""
    return "engine" if "engine" in found else mode


def table(results, contenders):
    modes = [name for name in contenders if name.startswith("lamina")]
    lines = [
        f"| what | overlayfs | ext4 | bare FUSE server | fuse-overlayfs | {' | '.join(modes)} | target | reached |",
        "| --- |" + " ---: |" * (4 + len(modes)) + " --- | --- |",
    ]
    for row in ROWS:
        found = results.get(row.figure)
        if not found:
            continue
        cells = [cell(row, found, "overlayfs"), cell(row, found, "ext4"), floor_text(row, found)]
        cells.append(cell(row, found, "fuse-overlayfs"))
        cells += [cell(row, found, source(found, mode)) for mode in modes]
        wanted = "; ".join(target.text() for target in row.targets) or "–"
        lines.append(f"| {row.what} | {' | '.join(cells)} | {wanted} | {verdicts(row, found, modes)} |")
    return lines


def peers(results, contenders):
    """Those that only look and read, as ratios to overlayfs."""
    names = [name for name in contenders if any(found.get(name) for found in results.values()) and name in READERS]
    if not names:
        return []
    lines = ["", "Time over overlayfs's in the same run:", "", f"| what | {' | '.join(names)} |",
             "| --- |" + " ---: |" * len(names)]
    for row in ROWS:
        found = results.get(row.figure, {})
        if row.base and any(found.get(name) for name in names):
            # A big file's base is ext4 in the table above; here all stand beside the same.
            cells = [ratio_text(paired(found.get(name, []), found.get(OVERLAY, []))) for name in names]
            lines.append(f"| {row.what} | {' | '.join(cells)} |")
    return lines


def requests(results, contenders):
    """How much each server is asked."""
    rows = [(what, results[figure]) for figure, what in REQUESTS if results.get(figure)]
    names = [name for name in contenders if any(found.get(name) for _, found in rows)]
    if not names:
        return []
    lines = ["", "Requests that the kernel sends to the server (`fuse:fuse_request_send`):", "",
             f"| what | {' | '.join(names)} |", "| --- |" + " ---: |" * len(names)]
    for what, found in rows:
        values = [present(found.get(name)) for name in names]
        lines.append(f"| {what} | {' | '.join(number(one[0]) if one else '–' for one in values)} |")
    return lines


def summary(results, contenders):
    """How many rows reach their targets, mode by mode."""
    lines = []
    for mode in (name for name in contenders if name.startswith("lamina")):
        counts = {}
        for row in ROWS:
            if row.targets and row.figure in results:
                word = verdicts(row, results[row.figure], [mode]).split()[-1]
                counts[word] = counts.get(word, 0) + 1
        for word, meaning in (("floor", "at the floor"), ("–", "not measured or not asked of it")):
            if word in counts:
                counts[meaning] = counts.pop(word)
        parts = [f"{count} {word.strip('*')}" for word, count in counts.items()]
        lines.append(f"{mode}: {', '.join(parts)}.  ")
    return lines


def disturbance(stolen):
    """What the host took away, by experiment."""
    hit = [f"{name} ({share:.0%})" for name, share in stolen.items() if share > 0.05]
    return f"Experiments during which the host took more than 5 % of the processors: {', '.join(hit) or 'none'}."
