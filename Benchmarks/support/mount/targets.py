"""The rows of the table: a figure each, and what Lamina must reach in it (the project's issue 5).

A ratio is a time over another contender's time in the same run; `faster` is the other's time over Lamina's. Bounds
without a contender are in the row's own unit.
"""

import dataclasses

OVERLAY = "overlayfs"
FUSE = "fuse-overlayfs"
# Peers of looking and reading alone.
READERS = ("erofs", "squashfuse", "unionfs-fuse")


@dataclasses.dataclass(frozen=True)
class Target:
    """`most`: at most `bound` times `other`'s; `faster`: at least `bound` times as fast as `other`; `at_most` and
    `at_least`: of the figure itself. `mode` is the data mode that it is asked of, every one if empty."""

    kind: str
    bound: float
    other: str = ""
    mode: str = ""

    def text(self):
        return {
            "most": f"≤ {self.bound:g} × {self.other}", "faster": f"≥ {self.bound:g} × faster than {self.other}",
            "at_most": f"≤ {self.bound:g}", "at_least": f"≥ {self.bound:g}",
        }[self.kind] + (f" ({self.mode})" if self.mode else "")


@dataclasses.dataclass(frozen=True)
class Row:
    figure: str
    what: str
    unit: str
    targets: tuple = ()
    # The contender that ratios are to; None where the figure has no peer.
    base: str | None = OVERLAY


def most(bound, other=OVERLAY, mode=""):
    return Target("most", bound, other, mode)


def faster(bound, other=FUSE):
    return Target("faster", bound, other)


def at_most(bound, mode=""):
    return Target("at_most", bound, mode=mode)


def at_least(bound):
    return Target("at_least", bound)


def big_file(figure, what, unit="µs"):
    return [
        Row(f"{figure}/warm", f"{what}, warm", unit, (most(1.05, "ext4"),), "ext4"),
        Row(f"{figure}/cold", f"{what}, first time", unit, (most(1.1, "ext4", "passthrough"),), "ext4"),
    ]


def workload(figure, what):
    return [
        Row(f"{figure}/cold", f"{what}, cold", "s", (most(1.5), faster(1))),
        Row(f"{figure}/warm", f"{what}, warm", "s", (most(1.1), faster(1))),
    ]


def new_name(figure, bound):
    return Row(figure, f"{figure}, 10 000", "µs", (most(bound), faster(1.6)))


def first_byte(size):
    targets = [at_most(0.5)] + ([faster(500), faster(500, OVERLAY)] if size == "1GiB" else [])
    return Row(f"first/{size}", f"first byte into a file of {size}", "ms", tuple(targets))


ROWS = [
    Row("engine/paths", "engine: random existing paths of 5 components", "million/s", (at_least(1),), None),
    Row("engine/lookups", "engine: the same, components", "million/s", (), None),
    Row("engine/layers", "engine: 128 layers, time over 1 layer's", "×", (at_most(1.1),), None),
    Row("engine/misses", "engine: misses, time over hits'", "×", (at_most(1),), None),
    Row("engine/threads", "engine: two threads, throughput over one's", "×", (at_least(1.6),), None),
    Row("lstat/cold", "lstat of all nodes, random order, cold", "µs", (most(2.3), faster(3))),
    Row("lstat/warm", "lstat of all nodes, warm", "µs", (most(0.8),)),
    Row("miss/first", "misses, first time", "µs", (faster(4),)),
    Row("miss/again", "misses, again", "µs", (most(1),)),
    Row("list/cold", "readdir of all directories, an entry, cold", "µs", (most(1.5),)),
    Row("list/warm", "readdir of all directories, an entry, warm", "µs", (most(1),)),
    Row("find/cold", "find -type f, cold", "s", (most(2),)),
    Row("find/warm", "find -type f, warm", "s", (most(1.2),)),
    Row("du/cold", "du -s, cold", "s", (most(1),)),
    Row("small/cold", "open, read, close of files under 16 KiB, cold", "µs", (most(3),)),
    Row("small/again", "open, read, close of files under 16 KiB, again", "µs", (most(1),)),
    *big_file("sequential", "big file in order, 128 KiB"),
    *big_file("random", "big file at random, 4 KiB"),
    *big_file("map", "big file mapped, 128 KiB"),
    Row("second", "a second container reads 1 GiB: page cache", "MiB", (at_most(16, "passthrough"),), None),
    new_name("create", 1.5), new_name("rename", 2), new_name("unlink", 2.5), new_name("mkdir", 2),
    new_name("rmdir", 2.5),
    Row("write/big", "write 1 GiB, a MiB", "µs", (most(1.1),)),
    Row("write/small", "write 64 MiB by 4 KiB, a write", "µs", (most(1),)),
    Row("sync", "write of 4 KiB with fsync", "µs", (most(1.3),)),
    first_byte("4KiB"), first_byte("1MiB"), first_byte("100MiB"), first_byte("1GiB"),
    Row("first/flat", "first byte, slowest over fastest size", "×", (at_most(2),), None),
    Row("truncate/1GiB", "open(O_TRUNC) of a file of 1 GiB", "ms", (at_most(0.5),)),
    Row("chmod/1GiB", "chmod of a file of 1 GiB", "ms", (at_most(0.5),)),
    Row("chmod/tree", "chmod -R /usr/share", "s", (faster(1),)),
    Row("rm", "rm -rf of the Boost headers", "s", (most(2.5),)),
    *workload("numpy", "import numpy"), *workload("science", "import scipy, pandas, matplotlib"),
    *workload("make", "make of C and C++"), *workload("dpkg", "dpkg -i of 8 000 entries, no fsync a file"),
    *workload("git", "git status of the kernel headers"), *workload("cp", "cp -r of /usr/include"),
    Row("clients/lstat", "two clients, lstat, cold", "µs", (most(4),)),
    Row("clients/small", "two clients, open, read, close, cold", "µs", (most(4),)),
    Row("threads/small", "small files, warm: two threads, throughput over one's", "×", (at_least(1.6),), None),
    Row("threads/big", "a big file, warm: two threads, throughput over one's", "×", (at_least(1.6),), None),
    Row("ready", "mount ready", "ms", (at_most(50),), None),
    Row("memory/find", "resident memory of the server after find", "MiB", (at_most(24),), None),
    Row("memory/lstat", "the same after lstat of all, four times", "MiB", (at_most(24),), None),
    Row("memory/growth", "growth by the last three of them", "MiB", (at_most(1),), None),
    Row("memory/anonymous", "of it, memory that is no file's, after find", "MiB", (), None),
    Row("memory/kernel", "the kernel's tables (Slab), growth by find", "MiB", (), None),
    Row("scale/seconds", "200 mounts, until all are ready", "s", (), None),
    Row("scale/memory", "200 mounts, memory (Pss) of one server", "MiB", (at_most(24),), None),
    Row("disk/lstat", "lstat of all nodes, nothing cached", "µs"),
    Row("disk/small", "open, read, close of small files, nothing cached", "µs"),
    Row("disk/sequential", "big file in order, 128 KiB, nothing cached", "µs", (), "ext4"),
]
