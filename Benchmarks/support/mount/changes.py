"""Changing a tree: new names, new bytes, and the first change of what the layers hold."""

import os

from . import layer
from .client import timed

MIB = 1 << 20


def new_names(bench, sandbox):
    """Microseconds each, in a new directory."""
    with sandbox.mounted() as root:
        room = f"tmp/names-{os.path.basename(sandbox.root)}"
        os.makedirs(os.path.join(root, room), exist_ok=True)
        operations = ("create", "rename", "unlink", "mkdir", "rmdir")
        return {name: bench.client.microseconds(root, name, room, bench.sizes["names"]) for name in operations}


def new_bytes(bench, sandbox):
    """Microseconds a MiB written, a write of 4 KiB, a write of 4 KiB with fsync."""
    figures = {}
    with sandbox.mounted() as root:
        for name, words, per in (
            ("write/big", ("write", "tmp/written", bench.sizes["write"], MIB), MIB),
            ("write/small", ("write", "tmp/written", bench.sizes["small-write"], 4096), None),
            ("sync", ("sync", "tmp/written", bench.sizes["syncs"]), None),
        ):
            figures[name] = bench.client.microseconds(root, *words, per=per)
            os.unlink(os.path.join(root, "tmp/written"))
    return figures


def first_byte(bench, sandbox):
    """Milliseconds from open to close, by the size of a file of the layers, and the largest over the smallest."""
    with sandbox.mounted() as root:
        found = {
            name: bench.client.microseconds(root, "first-byte", *layer.first_files(bench.sizes, name)) / 1000
            for name in bench.sizes["first"]
        }
    sandbox.remove()
    flat = max(found.values()) / min(found.values())
    return {**{f"first/{name}": value for name, value in found.items()}, "first/flat": flat}


def one_file(operation):
    """Milliseconds of one operation on the largest file."""
    def run(bench, sandbox):
        with sandbox.mounted() as root:
            words = (root, operation, layer.first_files(bench.sizes, "1GiB")[0])
            figures = {f"{operation}/1GiB": bench.client.microseconds(*words) / 1000}
        sandbox.remove()
        return figures

    return run


def change_modes(bench, sandbox):
    with sandbox.mounted() as root:
        return {"chmod/tree": timed("chmod", "-R", "o-rx", os.path.join(root, "usr/share"))}


def remove_tree(bench, sandbox):
    with sandbox.mounted() as root:
        for candidate in ("usr/include/boost", "usr/share"):
            if os.path.isdir(os.path.join(root, candidate)):
                return {"rm": timed("rm", "-rf", os.path.join(root, candidate))}
    return {}
