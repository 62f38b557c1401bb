"""Extraction as bars: seconds of every program on gzip layers, and Lamina beside the floor in each compression."""

from pictures import bars

MEASURES = (("wall", "seconds", "s"), ("cpu", "CPU seconds", "s"), ("peak", "largest process", "MiB"))


def pictures(results):
    """Name to SVG. `results` is program/compression/heat to runs."""
    found = {}
    for measure, what, unit in MEASURES:
        rows = _rows(results, "gzip/warm", measure)
        if rows:
            found[f"{len(found) + 1}-gzip-{what.replace(' ', '-')}"] = bars.draw(f"gzip layers into the store: {what}", unit, rows)
    for compression, name in (("zstd", "zstd"), ("none", "plain")):
        rows = _rows(results, f"{compression}/warm", "wall")
        if rows:
            found[f"{len(found) + 1}-{compression}-seconds"] = bars.draw(f"{name} layers into the store: seconds", "s", rows)
    return found


def _rows(results, rest, measure):
    rows = []
    for key, runs in results.items():
        program, others = key.split("/", 1)
        if others == rest and runs:
            rows.append((program, [run[measure] for run in runs]))
    return rows
