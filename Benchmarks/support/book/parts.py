"""The directories that a report is made of: one for each benchmark, with results.json, table.md and pictures."""

import dataclasses
import json
import os

TITLES = {
    "extract": "Layers into the store", "mount": "The mounted tree", "lookup": "Looking about in the tree",
    "copyup": "First changes", "write": "New names and new bytes", "prune": "Reclaiming space", "scale": "How costs grow",
    "micro": "Parts by themselves",
}


@dataclasses.dataclass(frozen=True)
class Part:
    name: str
    results: dict
    table: str
    # Name to SVG.
    pictures: dict

    @property
    def title(self):
        return TITLES[self.name]

    @property
    def facts(self):
        return self.results.get("facts", {})


def read(directory):
    """The parts that are there, in the order of the titles. Raises ValueError where there is none."""
    parts = []
    for name in TITLES:
        place = os.path.join(directory, name)
        if not os.path.exists(os.path.join(place, "results.json")):
            continue
        with open(os.path.join(place, "results.json")) as file:
            results = json.load(file)
        with open(os.path.join(place, "table.md")) as file:
            table = file.read()
        pictures = {}
        for picture in sorted(os.listdir(place)):
            if picture.endswith(".svg"):
                with open(os.path.join(place, picture)) as file:
                    pictures[picture.removesuffix(".svg")] = file.read()
        parts.append(Part(name, results, table, pictures))
    if not parts:
        raise ValueError(f"{directory}: no results of any benchmark below it")
    return parts
