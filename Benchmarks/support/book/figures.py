"""Every figure of a report in one form, whichever benchmark's it is."""

import dataclasses

from mount.targets import ROWS
from scale.series import CURVES

# What others' figures are ratios to, the first one that a figure has.
CONTROLS = ("floor", "overlayfs", "ext4", "fuse-overlayfs", "tar", "podman", "control")


@dataclasses.dataclass(frozen=True)
class Figure:
    """`values` is contender to the runs' values."""

    name: str
    unit: str
    values: dict
    more_is_better: bool = False

    @property
    def control(self):
        return next((one for one in CONTROLS if self.values.get(one)), None)


def of_extraction(results):
    for key, runs in results["runs"].items():
        program, rest = key.split("/", 1)
        if runs:
            yield f"extract/{rest}", "s", program, [run["wall"] for run in runs]


def of_mount(results):
    units = {row.figure: row.unit for row in ROWS}
    for figure, found in results["runs"].items():
        for contender, values in found.items():
            yield figure, units.get(figure, ""), contender, [value for value in values if value is not None]


def of_scale(results):
    units = {(curve.series, curve.figure): curve.unit for curve in CURVES}
    for series, figures in results["series"].items():
        for figure, found in figures.items():
            for contender, points in found.items():
                for amount, values in points.items():
                    yield f"scale/{series}/{figure}/{amount}", units[series, figure], contender, values


def of_figures(results):
    """The form that needs no reading: figure to unit and contenders."""
    for figure, found in results["figures"].items():
        for contender, values in found["values"].items():
            yield figure, found["unit"], contender, values


READERS = {
    "extract": of_extraction, "mount": of_mount, "lookup": of_mount, "copyup": of_mount, "write": of_mount,
    "scale": of_scale, "prune": of_figures, "micro": of_figures,
}


def more_is_better(unit):
    return "/s" in unit


def of_parts(parts):
    """Name to figure."""
    found = {}
    for part in parts:
        for name, unit, contender, values in READERS[part.name](part.results):
            name = f"{part.name}: {name}"
            figure = found.setdefault(name, Figure(name, unit, {}, more_is_better(unit)))
            figure.values[contender] = values
    return found
