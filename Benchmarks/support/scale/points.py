"""One point of each series: what one amount costs each contender. Every point has a fresh filesystem of its own.

A function gets the point and gives figures: figure to contender to value.
"""

import contextlib
import json
import os
import subprocess
import tempfile
import time

from disk import usage
from filesystem import FreshFilesystem, call
from image import image_of
from mount import fill
from mount.client import Client
from mount.sandboxes import FuseOverlay, Lamina, Overlay

from . import tars

MIB = 1 << 20
LAYERED_FILES = {False: 20_000, True: 400}
SIZED_BYTES = {False: 256 * MIB, True: MIB}
MOUNTS = 5
# What a look at a tree looks at, at most.
LOOKS = 20_000


class FarOverlay(Overlay):
    """The layers by names relative to the filesystem: 128 long ones are more than mount(2) takes."""

    def options(self):
        count = fill.facts(self.room)["layers"]
        lower = ":".join(f"layers/{number}" for number in reversed(range(count)))
        return f"lowerdir={lower},upperdir={self.place}/upper,workdir={self.place}/work"

    def mount(self):
        words = ("mount", "-t", "overlay", "overlay", "-o", self.options(), self.root)
        call("sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", self.room, *words)


class FarFuseOverlay(FarOverlay, FuseOverlay):
    def mount(self):
        here = os.getcwd()
        os.chdir(self.room)
        try:
            self.serve("fuse-overlayfs", "-f", "-o", self.options(), self.root)
        finally:
            os.chdir(here)


MAKERS = {"lamina": Lamina, "overlayfs": FarOverlay, "fuse-overlayfs": FarFuseOverlay}


class Point:
    """A filesystem, and what lies on it."""

    def __init__(self, room, amount, who, programs, quick):
        self.room, self.amount, self.who, self.programs, self.quick = room, amount, who, programs, quick
        self.store = os.path.join(room, "store")
        self.client = Client(room, programs["mount-client"])
        self.figures = {}

    def note(self, figure, contender, value):
        self.figures.setdefault(figure, {})[contender] = value

    def image(self, files, layers, size):
        """An image of `files` files of `size` bytes; its layers are on the filesystem's outside, read before."""
        place = os.path.join(self.programs["place"], f"image-{files}-{layers}-{size}")
        if not os.path.exists(os.path.join(place, "index.json")):
            os.makedirs(place, exist_ok=True)
            return image_of(tars.write(place, files, layers, size), place)
        return image_of((), place)

    def load(self, image):
        """Loads with Lamina; seconds until all is durable, and MiB of the largest process."""
        image.warm()
        words = (self.programs["lamina"], "load", "--no-blobs", "--quiet", "--root", self.store, "--input", image.path)
        seconds, peak, output = timed(words)
        reference = next(line.split(": ", 1)[1] for line in output.splitlines() if line.startswith("Loaded image: "))
        with open(os.path.join(self.room, "facts.json"), "w") as file:
            json.dump({"layers": len(image.layers), "reference": reference, "chain": image.chain}, file)
        return seconds, peak

    def extract(self, image):
        """Seconds of GNU tar, each layer into a directory of its own, and of a sync."""
        image.warm()
        start = time.monotonic()
        for number, layer in enumerate(image.layers):
            directory = os.path.join(self.room, "layers", str(number))
            os.makedirs(directory)
            call("tar", "--extract", "--file", layer, "--directory", directory, "--numeric-owner")
        call("sync", "--file-system", self.room)
        return time.monotonic() - start

    def list(self, name, paths):
        os.makedirs(os.path.join(self.room, "lists"), exist_ok=True)
        fill.write_list(self.client.path_list(name), [path.encode() for path in paths])

    def sandbox(self, contender):
        return MAKERS[contender](self.room, self.programs)

    def lookups(self, *options):
        """Million paths a second of the union, without FUSE."""
        room = os.path.join(self.room, "engine-room")
        os.makedirs(room, exist_ok=True)
        found = json.loads(call(
            self.programs["union-lookups"], *options, "--seconds", "0.2" if self.quick else "2", self.store,
            fill.facts(self.room)["chain"], room, self.client.path_list("nodes")))
        if found["errors"]:
            raise RuntimeError(f"union-lookups: {found['errors']} paths were not as expected")
        return found["paths"] / found["seconds"] / 1e6


def timed(words):
    """Seconds of a program, MiB of its resident set, and what it said."""
    with tempfile.TemporaryFile() as log:
        start = time.monotonic()
        child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        _, status, resources = os.wait4(child.pid, 0)
        seconds = time.monotonic() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        log.seek(0)
        output = log.read().decode(errors="replace")
    if child.returncode != 0:
        raise RuntimeError(f"{' '.join(words[:2])} ended with {child.returncode}: {output.strip()[-300:]}")
    return seconds, resources.ru_maxrss / 1024, output


def proportional(pid):
    """MiB of a process, shared pages in parts."""
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pss:")) / 1024


def resident(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:")) / 1024


def ready(sandbox):
    """Milliseconds until a mount answers, the fastest of a few: what disturbs one does not disturb all."""
    times = []
    for _ in range(MOUNTS):
        times.append(sandbox.timed_mount())
        sandbox.unmount()
    return min(times)


def layers(point):
    files = LAYERED_FILES[point.quick]
    image = point.image(files, point.amount, 32)
    point.extract(image)
    point.note("load", "lamina", point.load(image)[0])
    point.list("nodes", tars.paths(files))
    point.note("lookup", "lamina", 1e3 / point.lookups())
    for contender in point.who:
        sandbox = point.sandbox(contender)
        point.note("ready", contender, ready(sandbox))
        with sandbox.mounted() as root:
            point.note("lstat", contender, point.client.microseconds(root, "lstat", point.client.path_list("nodes")))


def entries(point):
    image = point.image(point.amount, 1, 32)
    seconds, peak = point.load(image)
    point.note("load", "lamina", seconds)
    point.note("peak", "lamina", peak)
    point.note("disk", "lamina", usage(point.store) / point.amount)
    sandbox = point.sandbox("lamina")
    point.note("ready", "lamina", ready(sandbox))
    with sandbox.mounted():
        point.note("memory", "lamina", resident(sandbox.server))
    point.note("load", "tar", point.extract(image))
    point.note("disk", "tar", usage(os.path.join(point.room, "layers")) / point.amount)


def content(files, size, point):
    image = point.image(files, 1, size)
    point.note("load", "lamina", point.load(image)[0])
    point.note("load", "tar", point.extract(image))


def total(point):
    content(point.amount, MIB, point)
    point.note("disk", "lamina", usage(point.store) / (point.amount * MIB))
    point.note("disk", "tar", usage(os.path.join(point.room, "layers")) / (point.amount * MIB))


def sizes(point):
    files = max(1, SIZED_BYTES[point.quick] // point.amount)
    content(files, point.amount, point)
    first = next(tars.paths(1))
    sandbox = point.sandbox("lamina")
    with sandbox.mounted() as root:
        point.note("first", "lamina", point.client.microseconds(root, "first-byte", first) / 1000)


def mounts(point):
    image = point.image(LAYERED_FILES[point.quick], 4, 32)
    point.extract(image)
    point.load(image)
    for contender in point.who:
        with contextlib.ExitStack() as stack:
            # Made before the clock starts: it is mounts that are asked about.
            made = [point.sandbox(contender) for _ in range(point.amount)]
            start = time.monotonic()
            for sandbox in made:
                stack.enter_context(sandbox.mounted())
                os.listdir(os.path.join(sandbox.root, "opt"))
            point.note("each", contender, (time.monotonic() - start) * 1e3 / point.amount)
            if all(sandbox.server for sandbox in made):
                point.note("memory", contender, sum(proportional(one.server) for one in made) / point.amount)


def threads(point):
    files = LAYERED_FILES[point.quick]
    point.load(point.image(files, 4, 32))
    point.list("nodes", tars.paths(files))
    point.note("lookups", "lamina", point.lookups("--threads", str(point.amount)))


POINTS = {
    "layers": layers, "entries": entries, "bytes": total, "sizes": sizes, "mounts": mounts, "threads": threads,
}


def measure(order):
    """Figures of one point; the order is a dictionary, as it comes from another process."""
    with FreshFilesystem(order["programs"]["place"], gibibytes=60) as filesystem:
        point = Point(filesystem.path, order["amount"], order["who"], order["programs"], order["quick"])
        POINTS[order["series"]](point)
        return point.figures
