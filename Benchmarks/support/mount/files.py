"""Reading files: many small ones, and a big one in order, at random and mapped; with warm and with empty caches."""

from measure import drop_caches

from . import layer
from .names import first_and_again

BLOCK = 128 << 10


def small(bench, sandbox):
    first, again = first_and_again(bench, sandbox, "read-files", "small")
    return {"small/cold": first, "small/again": again}


def big(bench, sandbox):
    """Microseconds for 128 KiB in order and mapped, for 4 KiB at random. Each way has a mount of its own."""
    file = layer.first_files(bench.sizes, "1GiB")[0]
    ways = {
        "sequential": (("sequential", file, BLOCK), BLOCK),
        "random": (("random", file, bench.sizes["random"]), None),
        "map": (("map", file), BLOCK),
    }
    figures = {}
    for name, ((operation, *arguments), per) in ways.items():
        with sandbox.mounted() as root:
            for heat in ("cold", "warm"):
                figures[f"{name}/{heat}"] = bench.client.microseconds(root, operation, *arguments, per=per)
    return figures


def threads(bench, sandbox):
    """Throughput of two threads over that of one, everything warm."""
    with sandbox.mounted() as root:
        def gain(*words):
            bench.client.run(root, *words)
            one, two = (bench.client.run(root, *words, threads=count)["seconds"] for count in (1, 2))
            return one / two

        big_file = ("sequential", layer.first_files(bench.sizes, "1GiB")[0], BLOCK)
        return {
            "threads/small": gain("read-files", bench.client.path_list("small")), "threads/big": gain(*big_file),
        }


def from_disk(bench, sandbox):
    """Nothing in any cache of the kernel: what the disk and the layout on it cost."""
    figures = {}
    for name, words, per in (
        ("lstat", ("lstat", bench.client.path_list("nodes")), None),
        ("small", ("read-files", bench.client.path_list("small")), None),
        ("sequential", ("sequential", layer.first_files(bench.sizes, "1GiB")[0], BLOCK), BLOCK),
    ):
        with sandbox.mounted() as root:
            drop_caches()
            figures[f"disk/{name}"] = bench.client.microseconds(root, *words, per=per)
    return figures
