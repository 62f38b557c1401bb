"""What redirects cost: the same work in a directory of the host, the same bound into a mount, a volume, and the
mount's own sandbox, turn by turn; and the table of it, whose ratios are to the host for bytes and to the sandbox for
names (the project's issue 6).

A figure of names is microseconds each, one of bytes microseconds a MiB: the median of a run's rounds. `later` is
after a pause longer than what the kernel may remember beneath a bind.
"""

import contextlib
import os
import shutil
import statistics
import time
import uuid

from filesystem import call

from . import fill

PLACES = ("host", "bind", "volume", "sandbox")
ROUNDS = 3
MIB = 1 << 20
# Longer than the second for which what is beneath a bind counts.
PAUSE = 1.5

# Figure, what it is, the place that it is compared with, and how often its time may be taken.
ROWS = (
    ("write/big", "write 64 MiB again, a MiB", "host", 1.1),
    ("read/big", "read it again by 128 KiB, a MiB", "host", 1.1),
    ("read/random", "4 KiB of it at random", "host", 1.1),
    ("create", "create files of 100 bytes", "sandbox", 1.2),
    ("lstat/first", "lstat of what was just made", "sandbox", 1.2),
    ("lstat/again", "lstat, again", "sandbox", 1.2),
    ("lstat/later", "lstat, 1.5 s later", "sandbox", 1.2),
    ("read/small", "open, read, close", "sandbox", 1.2),
    ("list/first", "readdir in a fresh mount, an entry", "sandbox", 1.2),
    ("list/again", "readdir, again", "sandbox", 1.2),
    ("chmod", "chmod", "sandbox", 1.2),
    ("rename", "rename", "sandbox", 1.2),
    ("unlink", "unlink", "sandbox", 1.2),
    ("mkdir", "mkdir", "sandbox", 1.2),
    ("miss/first", "missing names, first time", "sandbox", 1.2),
    ("miss/again", "missing names, again", "sandbox", 1.2),
    ("miss/later", "missing names, 1.5 s later", "sandbox", 1.2),
    ("rmdir", "rmdir", "sandbox", 1.2),
)


def measure(bench, _):
    """`redirects/FIGURE/PLACE` for all figures and places."""
    with places(bench) as (roots, remount):
        rounds = []
        for number in range(ROUNDS):
            found = {}
            # Who comes first finds the most free memory and the idlest disk.
            order = [*PLACES[number:], *PLACES[:number]]
            for step in (big, names, directories):
                step(bench, {place: roots[place] for place in order}, f"round{number}", found)
            listings(bench, roots, remount, f"listed{number}", found)
            rounds.append(found)
        return {f"redirects/{key}": statistics.median(one[key] for one in rounds) for key in rounds[0]}


@contextlib.contextmanager
def places(bench):
    """Directories by place, on one filesystem: a bind and a volume of one mount, and the same mount's sandbox; and a
    function that mounts it anew."""
    place = os.path.join(bench.room, "sandboxes", uuid.uuid4().hex[:8])
    store, lamina = os.path.join(bench.room, "store"), bench.programs["lamina"]
    host, bound, root = (os.path.join(place, name) for name in ("host", "bound", "root"))
    for directory in (host, bound, root):
        os.makedirs(directory)
    reference = fill.facts(bench.room)["reference"]
    volume = f"measured-{os.path.basename(place)}"
    sandbox = call(
        lamina, "create", "--root", store, "-v", f"{bound}:/bind", "-v", f"{volume}:/volume", reference).split()[-1]

    def remount():
        call(lamina, "umount", "--root", store, sandbox)
        call(lamina, "mount", "--root", store, sandbox, root)

    call(lamina, "mount", "--root", store, sandbox, root)
    try:
        os.mkdir(os.path.join(root, "sandbox"))
        yield {"host": host, **{name: os.path.join(root, name) for name in PLACES[1:]}}, remount
    finally:
        call(lamina, "umount", "--root", store, sandbox)
        call(lamina, "rm", "--root", store, sandbox)
        call(lamina, "volume", "rm", "--root", store, volume)
        shutil.rmtree(place)


@contextlib.contextmanager
def beside(bench, count):
    """The root of a mount with so many binds, on one directory each."""
    place = os.path.join(bench.room, "sandboxes", uuid.uuid4().hex[:8])
    store, lamina = os.path.join(bench.room, "store"), bench.programs["lamina"]
    root, words = os.path.join(place, "root"), []
    os.makedirs(root)
    for number in range(count):
        os.makedirs(os.path.join(place, f"bound/{number}"))
        words += ["-v", f"{place}/bound/{number}:/redirects/{number}"]
    sandbox = call(lamina, "create", "--root", store, *words, fill.facts(bench.room)["reference"]).split()[-1]
    call(lamina, "mount", "--root", store, sandbox, root)
    try:
        yield root
    finally:
        call(lamina, "umount", "--root", store, sandbox)
        call(lamina, "rm", "--root", store, sandbox)
        shutil.rmtree(place)


def others(bench, _):
    """Names of the layers in a fresh mount, with no redirects and with 1000."""
    found = {}
    for name, count in (("none", 0), ("thousand", 1000)):
        with beside(bench, count) as root:
            for figure, operation, path_list in (
                ("others/lstat", "lstat", "nodes"), ("others/miss", "miss", "directories"),
            ):
                found[f"redirects/{figure}/{name}"] = bench.client.microseconds(
                    root, operation, bench.client.path_list(path_list))
    return found


def turns(bench, roots, found, figure, operation, *words, per=None):
    """One operation in all places, turn by turn."""
    for place, root in roots.items():
        found[f"{figure}/{place}"] = bench.client.microseconds(root, operation, *words, per=per)


def big(bench, roots, name, found):
    size = bench.sizes["write"] // 16
    # The second time counts: the first is the disk's and the memory's.
    for _ in range(2):
        turns(bench, roots, found, "write/big", "write", f"{name}-big", size, MIB, per=MIB)
    turns(bench, roots, found, "read/big", "sequential", f"{name}-big", 128 << 10, per=MIB)
    turns(bench, roots, found, "read/random", "random", f"{name}-big", bench.sizes["random"])
    for root in roots.values():
        os.unlink(os.path.join(root, f"{name}-big"))


def names(bench, roots, name, found):
    count = bench.sizes["names"] // 2
    for root in roots.values():
        os.mkdir(os.path.join(root, name))
    made = listed(bench, name, "file", count)
    # The names of the operations that mount-client makes itself.
    turns(bench, roots, found, "create", "create", name, count)
    turns(bench, roots, found, "lstat/first", "lstat", made)
    turns(bench, roots, found, "lstat/again", "lstat", made)
    time.sleep(PAUSE)
    turns(bench, roots, found, "lstat/later", "lstat", made)
    turns(bench, roots, found, "read/small", "read-files", made)
    turns(bench, roots, found, "chmod", "chmod", *(f"{name}/file{number}" for number in range(min(count, 2000))))
    turns(bench, roots, found, "rename", "rename", name, count)
    turns(bench, roots, found, "unlink", "unlink", name, count)


def listings(bench, roots, remount, name, found):
    """Each in a mount of its own: a server learns whether who lists asks for attributes next."""
    path_list = os.path.join(bench.room, "lists", f"{name}-directory")
    fill.write_list(path_list, [os.fsencode(name)])
    for place, root in roots.items():
        os.mkdir(os.path.join(root, name))
        bench.client.run(root, "create", name, bench.sizes["names"] // 2)
    for place, root in roots.items():
        remount()
        for figure in ("list/first", "list/again"):
            found[f"{figure}/{place}"] = bench.client.microseconds(root, "list", path_list)


def directories(bench, roots, name, found):
    count = bench.sizes["names"] // 4
    turns(bench, roots, found, "mkdir", "mkdir", name, count)
    made = listed(bench, name, "directory", count)
    for figure in ("miss/first", "miss/again"):
        turns(bench, roots, found, figure, "miss", made)
    time.sleep(PAUSE)
    turns(bench, roots, found, "miss/later", "miss", made)
    turns(bench, roots, found, "rmdir", "rmdir", name, count)


def listed(bench, directory, prefix, count):
    """A list of the numbered names that mount-client makes."""
    path = os.path.join(bench.room, "lists", f"{directory}-{prefix}")
    fill.write_list(path, [os.fsencode(f"{directory}/{prefix}{number}") for number in range(count)])
    return path


def table(results):
    """Lines; none where nothing was measured."""
    lines = []
    for figure, what, base, bound in ROWS:
        # One column of values for each figure, one value for each run.
        found = {place: results.get(f"redirects/{figure}/{place}", {}).get("redirects") for place in PLACES}
        if not all(found.values()):
            continue
        cells, reached = [], []
        for place in PLACES:
            value = statistics.median(value for value in found[place] if value is not None)
            if place == "host" or place == base:
                cells.append(f"{value:.3g}")
                continue
            ratio = statistics.median(
                one / other for one, other in zip(found[place], found[base]) if one is not None and other)
            cells.append(f"{value:.3g} ({ratio:.2f} ×)")
            if place in ("bind", "volume"):
                reached.append(f"{place} {'met' if ratio <= bound else '**missed**'}")
        lines.append(f"| {what}, µs | {' | '.join(cells)} | ≤ {bound} × {base} | {', '.join(reached)} |")
    for figure, what in (("others/lstat", "lstat of all nodes of the layers, cold"), ("others/miss", "misses there")):
        none, many = (results.get(f"redirects/{figure}/{name}", {}).get("redirects") for name in ("none", "thousand"))
        if none and many:
            ratio = statistics.median(one / other for one, other in zip(many, none) if one is not None and other)
            lines.append(
                f"| {what}, µs: beside 1000 redirects {statistics.median(many):.3g} ({ratio:.2f} ×), beside none | | | |"
                f" {statistics.median(none):.3g} | ≤ 1.1 × sandbox | {'met' if ratio <= 1.1 else '**missed**'} |")
    if not lines:
        return []
    return ["", f"| beneath redirects | {' | '.join(PLACES)} | target | reached |", "| --- |" + " ---: |" * 4 + " --- | --- |",
            *lines]
