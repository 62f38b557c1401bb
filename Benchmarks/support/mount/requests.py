"""Requests that the kernel sends to a FUSE server, whoever's it is: its tracepoint `fuse:fuse_request_send`, counted.

Needs a kernel that has the tracepoint (6.13 or later) and tracefs; elsewhere `available` is false. Counting goes on
apart from every measured time.
"""

import ctypes
import fcntl
import os
import platform
import struct

from . import layer
from .client import timed

EVENT = "events/fuse/fuse_request_send/id"
TRACEFS = ("/sys/kernel/tracing", "/sys/kernel/debug/tracing")
# perf_event_open(2) by machine; perf_event_attr of its first version.
NUMBER = {"x86_64": 298, "aarch64": 241}
TRACEPOINT, ATTRIBUTES = 2, struct.Struct("=IIQQQQQIIQ")
SET_FILTER = 0x40082406


def event():
    for place in TRACEFS:
        try:
            with open(os.path.join(place, EVENT)) as file:
                return int(file.read())
        except OSError:
            continue
    return None


def available():
    return event() is not None and platform.machine() in NUMBER


class Counter:
    """Counts what is sent to the server of one mount, from its making to `close`."""

    def __init__(self, root):
        system = ctypes.CDLL(None, use_errno=True)
        attributes = ATTRIBUTES.pack(TRACEPOINT, ATTRIBUTES.size, event(), 0, 0, 0, 0, 0, 0, 0)
        words = ctypes.create_string_buffer(f"connection == {os.minor(os.stat(root).st_dev)}".encode())
        self.files = []
        for processor in range(os.cpu_count()):
            file = system.syscall(NUMBER[platform.machine()], attributes, -1, processor, -1, 0)
            if file < 0:
                raise OSError(ctypes.get_errno(), "perf_event_open")
            self.files.append(file)
            if system.ioctl(file, ctypes.c_ulong(SET_FILTER), words) != 0:
                raise OSError(ctypes.get_errno(), "a filter of the tracepoint")

    def count(self):
        return sum(struct.unpack("Q", os.read(file, 8))[0] for file in self.files)

    def close(self):
        for file in self.files:
            os.close(file)


def counted(root, work):
    """How many requests `work` costs."""
    counter = Counter(root)
    try:
        before = counter.count()
        work()
        return counter.count() - before
    finally:
        counter.close()


def count(bench, sandbox):
    """Requests for an operation: names and small files in a fresh mount and again, new names, a first byte."""
    if not available():
        return {}
    nodes, small = bench.client.path_list("nodes"), bench.client.path_list("small")
    figures = {}

    def note(figure, root, *words):
        done = {}
        requests = counted(root, lambda: done.update(bench.client.run(root, *words)))
        figures[f"requests/{figure}"] = requests / done["operations"]

    for name, words in (("lstat", ("lstat", nodes)), ("small", ("read-files", small))):
        with sandbox.mounted() as root:
            note(f"{name}/cold", root, *words)
            note(f"{name}/again", root, *words)
    with sandbox.mounted() as root:
        figures["requests/find"] = counted(root, lambda: timed("find", root, "-xdev", "-type", "f"))
    if sandbox.is_private:
        with sandbox.mounted() as root:
            os.makedirs(os.path.join(root, "tmp/requests"))
            note("create", root, "create", "tmp/requests", bench.sizes["names"])
            file = os.path.join(root, layer.first_files(bench.sizes, "4KiB")[0])
            figures["requests/first"] = counted(root, lambda: first_byte(file))
    return figures


def first_byte(path):
    file = os.open(path, os.O_WRONLY)
    try:
        os.pwrite(file, b"x", 0)
    finally:
        os.close(file)
