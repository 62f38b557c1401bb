"""Bytes on disk: Lamina's store with its blobs discarded against the layers unpacked one by one."""

import hashlib
import os

from contenders import CONTENDERS
from filesystem import FreshFilesystem, call
from image import Image


def nodes(root):
    """Every path below `root` and itself, with its status; each inode once."""
    seen = set()
    for directory, _, names in os.walk(root):
        for path in [directory, *(os.path.join(directory, name) for name in names)]:
            status = os.lstat(path)
            if status.st_ino not in seen:
                seen.add(status.st_ino)
                yield path, status


def usage(root):
    return sum(status.st_blocks * 512 for _, status in nodes(root))


def duplicates(root):
    """Bytes of disk in regular files whose content another file has already."""
    contents, bytes_twice = set(), 0
    for path, status in nodes(root):
        if not os.path.isfile(path) or os.path.islink(path) or status.st_size == 0:
            continue
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").digest()
        if digest in contents:
            bytes_twice += status.st_blocks * 512
        contents.add(digest)
    return bytes_twice


def fill(filesystem, contender):
    call(*contender.command(filesystem.path))
    filesystem.sync()


def measure(order):
    image = Image(order["image"])
    figures = {}
    with FreshFilesystem(order["scratch"]) as filesystem:
        fill(filesystem, CONTENDERS["tar-igzip"](image, order["programs"]))
        layers = [os.path.join(filesystem.path, f"layer{number}") for number in range(len(image.layers))]
        # Symlinks' and directories' blocks count, lost+found does not.
        figures["unpacked"] = sum(usage(layer) for layer in layers)
        figures["duplicates"] = duplicates(filesystem.path)
        figures["unpacked_once"] = figures["unpacked"] - figures["duplicates"]
    with FreshFilesystem(order["scratch"]) as filesystem:
        kind = "lamina-no-blobs" if order["no_blobs"] else "lamina"
        fill(filesystem, CONTENDERS[kind](image, order["programs"]))
        store = os.path.join(filesystem.path, "store")
        total = usage(store)
        for room in ("objects", "layers", "chains"):
            figures[room] = usage(os.path.join(store, room))
        blobs = usage(os.path.join(store, "blobs"))
        figures["catalogue"] = total - blobs - figures["objects"] - figures["layers"] - figures["chains"]
        figures["store"] = total if order["no_blobs"] else total - blobs
        figures["how"] = "loaded with --no-blobs" if order["no_blobs"] else "loaded with blobs, blobs/ not counted"
    return figures
