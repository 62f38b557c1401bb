"""Peers that take part where names are looked up and files read: unionfs-fuse, and read-only images of the whole tree."""

import os
import shutil

from filesystem import call

from . import fill
from .sandboxes import FuseOverlay, Sandbox


class UnionFuse(FuseOverlay):
    """unionfs-fuse. It knows no whiteout of the layers, and shows what they hide."""

    def mount(self):
        lower = [f"{directory}=RO" for directory in fill.lower_directories(self.room).split(":")]
        branches = ":".join([f"{self.place}/upper=RW", *lower])
        self.serve("unionfs", "-f", "-o", "cow,suid,dev,allow_other", branches, self.root)


class Erofs(Sandbox):
    """The kernel's EROFS on an image of the merged tree: names and files at their best, and nothing can be changed."""

    is_private = False
    make = ("mkfs.erofs", "--quiet", "IMAGE", "TREE")

    def image(self):
        path = os.path.join(self.room, type(self).__name__.lower() + ".image")
        if not os.path.exists(path):
            places = {"IMAGE": path, "TREE": os.path.join(self.room, "merged")}
            call(*(places.get(word, word) for word in self.make))
        # In the page cache, as the layers of the others are.
        with open(path, "rb", buffering=0) as file:
            while file.read(1 << 22):
                pass
        return path

    def mount(self):
        call("mount", "-t", "erofs", "-o", "loop,ro", self.image(), self.root)


class Squashfuse(Erofs):
    """squashfuse on a squashfs of the merged tree."""

    make = ("mksquashfs", "TREE", "IMAGE", "-quiet", "-no-progress", "-comp", "zstd", "-Xcompression-level", "1")

    def mount(self):
        self.serve(squashfuse(), "-f", self.image(), self.root)

    def unmount(self):
        super().unmount()
        self.process.wait(timeout=60)


def squashfuse():
    """The one on the low-level interface is several times as fast."""
    return shutil.which("squashfuse_ll") or shutil.which("squashfuse")


def here():
    """Name to sandbox maker of those that this machine has."""
    found = {}
    with open("/proc/filesystems") as file:
        if shutil.which("mkfs.erofs") and "\terofs\n" in file.read():
            found["erofs"] = Erofs
    if squashfuse() and shutil.which("mksquashfs"):
        found["squashfuse"] = Squashfuse
    if shutil.which("unionfs"):
        found["unionfs-fuse"] = UnionFuse
    return found
