"""All curves: an amount, the values it takes, who takes part, and what each of them must not do."""

import dataclasses

from .curve import Curve


@dataclasses.dataclass(frozen=True)
class Series:
    """`small` are the values of a quick run."""

    name: str
    amount: str
    values: tuple
    small: tuple
    who: tuple


MOUNTS = ("lamina", "overlayfs", "fuse-overlayfs")

SERIES = {series.name: series for series in (
    Series("layers", "layers with 20 000 files together", (1, 2, 4, 8, 16, 32, 64, 128), (1, 4), MOUNTS),
    Series("entries", "files of 32 bytes", (1_000, 10_000, 100_000, 500_000, 1_000_000, 2_000_000), (100, 1_000),
           ("lamina", "tar")),
    Series("bytes", "MiB in files of 1 MiB", (16, 64, 256, 1024), (2, 8), ("lamina", "tar")),
    Series("sizes", "bytes of a file, 256 MiB of them together", (4096, 65_536, 1 << 20, 16 << 20, 256 << 20),
           (4096, 65_536), ("lamina", "tar")),
    Series("mounts", "sandboxes mounted at once", (1, 10, 50, 100, 200, 500), (1, 3), MOUNTS),
    Series("threads", "threads", (1, 2, 4, 8), (1, 2), ("lamina",)),
)}

CURVES = (
    Curve("layers", "lookup", "engine: lookup of a path of 4 components", "ns", limit=0.03),
    Curve("layers", "lstat", "lstat of all nodes in a fresh mount, each", "µs", limit=0.03),
    Curve("layers", "ready", "mount ready", "ms", limit=0.1),
    Curve("layers", "load", "load", "s"),
    Curve("entries", "load", "load", "s", limit=1.1, start=100_000),
    Curve("entries", "ready", "mount ready", "ms", limit=0.1),
    Curve("entries", "memory", "resident memory of a fresh mount's server", "MiB", limit=0.1),
    Curve("entries", "disk", "bytes on disk for an entry", "bytes"),
    Curve("entries", "peak", "largest resident set of a load", "MiB"),
    Curve("bytes", "load", "load", "s", limit=1.05, start=64),
    Curve("bytes", "disk", "bytes on disk for a byte", "×"),
    Curve("sizes", "load", "load", "s", limit=0.03),
    Curve("sizes", "first", "first byte into such a file", "ms", start=1 << 20, limit=0.3),
    Curve("mounts", "each", "one more mount ready", "ms", limit=0.15),
    Curve("mounts", "memory", "memory of one mount", "MiB", limit=0.03),
    Curve("threads", "lookups", "engine: million paths a second", "million/s"),
)


def curves_of(name):
    return [curve for curve in CURVES if curve.series == name]
