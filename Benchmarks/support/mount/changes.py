"""Changing a tree: new names, new bytes, and the first change of what the layers hold."""

import os

from . import layer, shared
from .client import timed

MIB = 1 << 20


def new_names(bench, sandbox):
    """Microseconds each, in a new directory."""
    with shared.as_before(sandbox), sandbox.mounted() as root:
        room = f"tmp/names-{os.path.basename(sandbox.root)}"
        os.makedirs(os.path.join(root, room), exist_ok=True)
        operations = ("create", "rename", "unlink", "mkdir", "rmdir")
        return {name: bench.client.microseconds(root, name, room, bench.sizes["names"]) for name in operations}


def new_bytes(bench, sandbox):
    """Microseconds a MiB written, a write of 4 KiB, a write of 4 KiB with fsync."""
    figures = {}
    rows = (
        ("write/big", ("write", "tmp/written-big", bench.sizes["write"], MIB), MIB),
        ("write/small", ("write", "tmp/written-small", bench.sizes["small-write"], 4096), None),
        ("sync", ("sync", "tmp/written-sync", bench.sizes["syncs"]), None),
    )
    with shared.as_before(sandbox), sandbox.mounted() as root:
        for name, words, per in rows:
            # What was written before is on the disk. Files go last: giving up a GiB takes longer than `unlink` waits
            # on some, and would be paid by the row behind it.
            os.sync()
            figures[name] = bench.client.microseconds(root, *words, per=per)
        for _, (_, path, *_), _ in rows:
            os.unlink(os.path.join(root, path))
    return figures


def first_byte(bench, sandbox):
    """Milliseconds from open to close, by the size of a file of the layers, and the largest over the smallest."""
    files = {name: layer.first_files(bench.sizes, name) for name in bench.sizes["first"]}
    with shared.first_bytes_back(sandbox, sum(files.values(), [])), sandbox.mounted() as root:
        found = {
            name: bench.client.microseconds(root, "first-byte", *paths) / 1000 for name, paths in files.items()}
    sandbox.remove()
    flat = max(found.values()) / min(found.values())
    return {**{f"first/{name}": value for name, value in found.items()}, "first/flat": flat}


def one_file(operation):
    """Milliseconds of one operation on the largest file."""
    def run(bench, sandbox):
        [file] = layer.first_files(bench.sizes, "1GiB")
        with shared.expendable(sandbox, file) as path, sandbox.mounted() as root:
            figures = {f"{operation}/1GiB": bench.client.microseconds(root, operation, path) / 1000}
        sandbox.remove()
        return figures

    return run


def change_modes(bench, sandbox):
    with shared.expendable(sandbox, "usr/share") as path, sandbox.mounted() as root:
        return {"chmod/tree": timed("chmod", "-R", "o-rx", os.path.join(root, path))}


def remove_tree(bench, sandbox):
    headers = "usr/include/boost"
    path = headers if os.path.isdir(os.path.join(shared.tree(sandbox), headers)) else "usr/share"
    with shared.expendable(sandbox, path) as path, sandbox.mounted() as root:
        return {"rm": timed("rm", "-rf", os.path.join(root, path))}
