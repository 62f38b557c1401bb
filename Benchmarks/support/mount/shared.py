"""Work on the merged tree, which ext4 and the bare servers share and change for real: it is as before afterwards.

What an experiment made is moved aside and not removed, because ext4 is slow where much was just deleted.
"""

import contextlib
import os
import uuid

from filesystem import call


def tree(sandbox):
    """The merged tree, whose names every contender's tree has."""
    return os.path.join(sandbox.room, "merged")


@contextlib.contextmanager
def as_before(sandbox, *paths):
    """`paths`, small ones, and the directory tmp of a shared tree get back what they had."""
    if not sandbox.shares_tree:
        yield
        return
    aside = os.path.join(sandbox.room, "sandboxes", uuid.uuid4().hex[:8])
    os.makedirs(aside)
    temporary = os.path.join(tree(sandbox), "tmp")
    before = set(os.listdir(temporary))
    places = [(os.path.join(tree(sandbox), path), os.path.join(aside, f"kept{number}"))
              for number, path in enumerate(paths)]
    for place, kept in places:
        if os.path.lexists(place):
            call("cp", "--archive", place, kept)
    try:
        yield
    finally:
        for name in set(os.listdir(temporary)) - before:
            os.rename(os.path.join(temporary, name), os.path.join(aside, f"tmp-{name}"))
        for place, kept in places:
            if os.path.lexists(place):
                os.rename(place, f"{kept}-changed")
            if os.path.lexists(kept):
                os.rename(kept, place)


@contextlib.contextmanager
def expendable(sandbox, path):
    """The path, from the root, of what an experiment may destroy: of a shared tree a copy. That of a file is one hole:
    the row is about requests, and no other contender gives up the file's blocks."""
    if not sandbox.shares_tree:
        yield path
        return
    with as_before(sandbox):
        source, copy = os.path.join(tree(sandbox), path), os.path.join("tmp", f"copy-{os.path.basename(path)}")
        if os.path.isdir(source):
            call("cp", "--archive", source, os.path.join(tree(sandbox), copy))
        else:
            with open(os.path.join(tree(sandbox), copy), "wb") as file:
                file.truncate(os.path.getsize(source))
        call("sync", "--file-system", sandbox.room)
        yield copy


@contextlib.contextmanager
def first_bytes_back(sandbox, files):
    """The first bytes and the times of a shared tree's files are what they were."""
    paths = [os.path.join(tree(sandbox), file) for file in files] if sandbox.shares_tree else []
    before = []
    for path in paths:
        status = os.stat(path)
        with open(path, "rb") as file:
            before.append((file.read(1), (status.st_atime_ns, status.st_mtime_ns)))
    try:
        yield
    finally:
        for path, (byte, times) in zip(paths, before):
            with open(path, "r+b") as file:
                file.write(byte)
            os.utime(path, ns=times)
