"""The contenders: each gives private writable trees over the image that lies on a filled filesystem (fill.py).

A sandbox is mounted and unmounted any number of times; a fresh mount of it has cold caches of its own. Sandboxes are
left where they are until the filesystem goes, because ext4 is slow where much was just deleted; only what is large is
removed.
"""

import contextlib
import os
import shutil
import subprocess
import time
import uuid

from filesystem import call

from . import fill


def patiently(*command):
    """An unmount that is tried again while something, a process on its way out or one that walks all mounts, is in
    there; gives whether it worked."""
    for _ in range(100):
        try:
            call(*command)
            return True
        except RuntimeError as error:
            if "busy" not in str(error).lower():
                raise
            time.sleep(0.1)
    return False


class Sandbox:
    """A writable tree; `root` is where it is mounted, `server` the process that serves it, if any."""

    server = None
    # Whether changes are made to the merged tree itself (shared.py).
    shares_tree = False
    # Whether it can be changed, and changes nobody else's tree.
    is_private = True

    def __init__(self, room, programs):
        self.room, self.programs = room, programs
        self.place = os.path.join(room, "sandboxes", uuid.uuid4().hex[:8])
        self.root = os.path.join(self.place, "root")
        os.makedirs(self.root)

    def another(self):
        """A second sandbox of the same contender."""
        return type(self)(self.room, self.programs)

    def mount(self):
        raise NotImplementedError

    def serve(self, *command):
        """Starts a server that stays in the foreground and returns when its mount is there."""
        path = os.path.join(self.place, "log")
        with open(path, "w") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        while not os.path.ismount(self.root):
            if self.process.poll() is not None:
                with open(path) as log:
                    raise RuntimeError(f"{command[0]}: {log.read().strip()[-300:]}")
            time.sleep(0.0005)
        self.server = self.process.pid

    def unmount(self):
        if not patiently("umount", self.root):
            call("umount", "--lazy", self.root)

    def remove(self):
        shutil.rmtree(self.place)

    @contextlib.contextmanager
    def mounted(self):
        """The root of a fresh mount."""
        self.mount()
        try:
            yield self.root
        finally:
            self.unmount()

    def timed_mount(self):
        """Milliseconds until the mount answers."""
        start = time.monotonic()
        self.mount()
        os.listdir(self.root)
        return (time.monotonic() - start) * 1000


class Plain(Sandbox):
    """The merged tree itself, which all sandboxes of this contender share; its caches are always warm."""

    shares_tree = True
    is_private = False

    def __init__(self, room, programs):
        self.room, self.programs = room, programs
        self.root = os.path.join(room, "merged")

    def mount(self):
        pass

    def unmount(self):
        pass

    def remove(self):
        pass


class Overlay(Sandbox):
    def __init__(self, room, programs):
        super().__init__(room, programs)
        for name in ("upper", "work"):
            os.mkdir(os.path.join(self.place, name))

    def options(self):
        return f"lowerdir={fill.lower_directories(self.room)},upperdir={self.place}/upper,workdir={self.place}/work"

    def mount(self):
        call("mount", "-t", "overlay", "overlay", "-o", self.options(), self.root)


class FuseOverlay(Overlay):
    def mount(self):
        self.serve("fuse-overlayfs", "-f", "-o", self.options(), self.root)

    def unmount(self):
        super().unmount()
        self.process.wait(timeout=60)


class Lamina(Sandbox):
    """`mode` is the data mode, empty where the program has but one."""

    def __init__(self, room, programs, mode=""):
        super().__init__(room, programs)
        self.store = os.path.join(room, "store")
        self.mode = ["--data", mode] if mode else []
        reference = fill.facts(room)["reference"]
        self.id = call(programs["lamina"], "create", "--root", self.store, reference).split()[-1]

    def another(self):
        return Lamina(self.room, self.programs, *self.mode[1:])

    def mount(self):
        call(self.programs["lamina"], "mount", "--root", self.store, *self.mode, self.id, self.root)
        with open(os.path.join(self.store, "sandboxes", self.id, "lock")) as file:
            self.server = int(file.read())

    def unmount(self):
        if not patiently(self.programs["lamina"], "umount", "--root", self.store, self.id):
            call("umount", "--lazy", self.root)

    def remove(self):
        call(self.programs["lamina"], "rm", "--root", self.store, self.id)
        super().remove()


class Floor(Sandbox):
    """A FUSE server that does nothing but answer (Benchmarks/Sources/mount-floor): the merged tree, read before."""

    shares_tree = True
    is_private = False
    options = ()
    lists_fully = False

    def mount(self):
        options = [*self.options, *(["--full"] if self.lists_fully else [])]
        self.serve(self.programs["mount-floor"], *options, os.path.join(self.room, "merged"), self.root)

    def unmount(self):
        super().unmount()
        self.process.wait(timeout=60)


class CachedFloor(Floor):
    options = ("--cached",)
