"""All that is measured: a name, the part it belongs to, who takes part, and the function that does it.

A function gets the bench (what is fixed for the run) and a new sandbox of one contender; it gives figures by name,
which targets.py knows. It leaves nothing mounted.
"""

import dataclasses
import glob
import os
from collections.abc import Callable

from . import changes, costs, engine, files, names, redirects, requests, targets, workloads

ALL = ("ext4", "overlayfs", "fuse-overlayfs", "lamina")
MOUNTS = ALL[1:]
LAMINA = ("lamina",)
ENGINE = ("engine",)
REDIRECTS = ("redirects",)
# What a bare FUSE server can do too.
FLOORS = ("floor", "floor-cached")
SERVERS = ("fuse-overlayfs", "lamina", "squashfuse", "unionfs-fuse") + FLOORS


@dataclasses.dataclass
class Experiment:
    part: str
    who: tuple
    run: Callable
    # Paths that the tree must have; without one the experiment is left out, as on the small image.
    needs: tuple = ()
    # Whether it takes so much new memory that the host's giving it would count (measure.py).
    fills_memory: bool = False
    # Runs that it gets at most; a count of requests is the same each time.
    runs: int = 1000


PYTHON = ("usr/bin/python3", "usr/lib/python3/dist-packages/numpy")
SCIENCE = (*PYTHON, "usr/lib/python3/dist-packages/scipy", "usr/lib/python3/dist-packages/matplotlib")

EXPERIMENTS = {
    "lstat": Experiment("names", ALL + FLOORS + targets.READERS, names.look_up),
    "miss": Experiment("names", ALL + FLOORS + targets.READERS, names.miss),
    "list": Experiment("names", ALL + FLOORS + targets.READERS, names.read_directories),
    "find": Experiment("names", ALL + FLOORS + targets.READERS, names.find),
    "du": Experiment("names", ALL + FLOORS, names.disk_usage),
    "small": Experiment("files", ALL + FLOORS + targets.READERS, files.small),
    "big": Experiment("files", ALL + FLOORS + targets.READERS, files.big, fills_memory=True),
    "threads": Experiment("files", ALL + FLOORS, files.threads),
    "new-names": Experiment("changes", ALL + FLOORS, changes.new_names),
    "new-bytes": Experiment("changes", ALL + FLOORS, changes.new_bytes, fills_memory=True),
    "first-byte": Experiment("changes", MOUNTS + FLOORS, changes.first_byte, fills_memory=True),
    "truncate": Experiment("changes", MOUNTS + FLOORS, changes.one_file("truncate")),
    "chmod": Experiment("changes", MOUNTS + FLOORS, changes.one_file("chmod")),
    "chmod-tree": Experiment("changes", MOUNTS + FLOORS, changes.change_modes),
    "rm": Experiment("changes", MOUNTS + FLOORS, changes.remove_tree),
    "numpy": Experiment("workloads", ALL + FLOORS, workloads.python("numpy", "import numpy"), PYTHON),
    "science": Experiment(
        "workloads", ALL + FLOORS, workloads.python("science", "import scipy.stats, pandas, matplotlib.pyplot"),
        SCIENCE),
    "make": Experiment("workloads", ALL + FLOORS, workloads.make, ("usr/bin/make", "usr/bin/g++")),
    "dpkg": Experiment("workloads", MOUNTS + FLOORS, workloads.install, ("usr/bin/dpkg",)),
    "git": Experiment("workloads", MOUNTS + FLOORS, workloads.status, ("usr/bin/git", workloads.HEADERS)),
    "cp": Experiment("workloads", MOUNTS + FLOORS, workloads.copy),
    "two-lstat": Experiment("clients", ALL + FLOORS, names.two_clients("lstat", "lstat", "nodes")),
    "two-small": Experiment("clients", ALL + FLOORS, names.two_clients("small", "read-files", "small")),
    "requests": Experiment("cost", SERVERS, requests.count, runs=1),
    "ready": Experiment("cost", MOUNTS, costs.ready),
    "memory": Experiment("cost", MOUNTS, costs.resident),
    "second": Experiment("cost", MOUNTS, costs.second_container),
    "engine": Experiment("engine", ENGINE, engine.lookups),
    "layers": Experiment("engine", ENGINE, engine.many_layers),
    "beneath": Experiment("redirects", REDIRECTS, redirects.measure, fills_memory=True),
    "beside": Experiment("redirects", REDIRECTS, redirects.others),
    "scale": Experiment("scale", LAMINA, costs.scale),
    # Last: it empties the caches that all others rely on.
    "disk": Experiment("disk", ALL, files.from_disk),
}
PARTS = tuple(dict.fromkeys(experiment.part for experiment in EXPERIMENTS.values()))
# Many mounts say nothing about a time and take minutes.
BY_DEFAULT = tuple(part for part in PARTS if part != "scale")


def chosen(names):
    """Experiments by part or by name, in the order of the list; a name that is none is a ValueError."""
    for name in names:
        if name not in PARTS and name not in EXPERIMENTS:
            raise ValueError(name)
    return [name for name, one in EXPERIMENTS.items() if name in names or one.part in names]


def missing(experiment, tree):
    """What the tree lacks for it, or None."""
    for path in EXPERIMENTS[experiment].needs:
        if not glob.glob(os.path.join(tree, path)):
            return path
    return None


def takes_part(experiment, contender, run):
    """A contender in several modes, `lamina-cached`, takes part as itself."""
    one = EXPERIMENTS[experiment]
    # Readers are slow where they are asked much, and hardly vary: one run of each.
    if run > one.runs or (run > 1 and contender in targets.READERS):
        return False
    return contender in one.who or (contender.startswith("lamina") and "lamina" in one.who)
