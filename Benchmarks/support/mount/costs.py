"""What a mount costs: time until it answers, memory of its server and of the kernel, pages that a second one adds."""

import contextlib
import os
import time

from . import layer
from .client import timed

MOUNTS = 5


def memory(pid, fields=("VmRSS", "RssAnon", "RssFile")):
    """MiB of a process, by kind."""
    with open(f"/proc/{pid}/status") as file:
        lines = dict(line.split(":", 1) for line in file)
    return {field: int(lines[field].split()[0]) / 1024 for field in fields}


def kernel_memory(*fields):
    """MiB of /proc/meminfo."""
    with open("/proc/meminfo") as file:
        lines = dict(line.split(":", 1) for line in file)
    return sum(int(lines[field].split()[0]) for field in fields) / 1024


def ready(bench, sandbox):
    """Milliseconds until a mount answers, the mean of a few."""
    times = []
    for _ in range(MOUNTS):
        times.append(sandbox.timed_mount())
        sandbox.unmount()
    return {"ready": sum(times) / len(times)}


def resident(bench, sandbox):
    """MiB of the server after find and after three times lstat of everything, and what the kernel's tables grew by."""
    before = kernel_memory("Slab")
    with sandbox.mounted() as root:
        figures = {}
        timed("find", root, "-xdev")
        figures["memory/kernel"] = kernel_memory("Slab") - before
        if not sandbox.server:
            return figures
        found = memory(sandbox.server)
        figures["memory/find"] = found["VmRSS"]
        figures["memory/anonymous"] = found["RssAnon"]
        bench.client.run(root, "lstat", bench.client.path_list("nodes"))
        once = memory(sandbox.server)["VmRSS"]
        for _ in range(3):
            bench.client.run(root, "lstat", bench.client.path_list("nodes"))
        figures["memory/lstat"] = memory(sandbox.server)["VmRSS"]
        figures["memory/growth"] = figures["memory/lstat"] - once
        return figures


def second_container(bench, sandbox):
    """MiB that the page cache grows by, for each GiB that a second mount reads after a first."""
    file = layer.first_files(bench.sizes, "1GiB")[0]
    words = ("sequential", file, 1 << 20)
    other = sandbox.another()
    with sandbox.mounted() as first, other.mounted() as second:
        bench.client.run(first, *words)
        before = kernel_memory("Cached", "Buffers")
        read = bench.client.run(second, *words)["bytes"]
        return {"second": (kernel_memory("Cached", "Buffers") - before) / (read / (1 << 30))}


def scale(bench, sandbox):
    """Many mounts at once: all answer, and what they take together."""
    with contextlib.ExitStack() as stack:
        sandboxes, start = [], time.monotonic()
        for _ in range(bench.sizes["mounts"]):
            one = sandbox.another()
            stack.enter_context(one.mounted())
            sandboxes.append(one)
        seconds = time.monotonic() - start
        for one in sandboxes:
            os.listdir(os.path.join(one.root, "usr"))
        shared = 0
        for one in sandboxes:
            with open(f"/proc/{one.server}/smaps_rollup") as file:
                shared += next(int(line.split()[1]) for line in file if line.startswith("Pss:")) / 1024
        return {"scale/seconds": seconds, "scale/memory": shared / len(sandboxes)}
