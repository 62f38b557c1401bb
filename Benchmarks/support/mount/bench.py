"""One order of the driver, in a process of its own: fill a filesystem, or one experiment with all its contenders."""

import os
import subprocess
import time

from image import Image
from measure import touch_memory

from . import client, fill, layer, makers
from .experiments import EXPERIMENTS


class Bench:
    """What is the same for all contenders."""

    def __init__(self, order):
        self.room = order["room"]
        self.programs = order["programs"]
        self.sizes = layer.QUICK if order["quick"] else layer.FULL
        self.image = Image(order["image"])
        self.client = client.Client(self.room, self.programs["mount-client"])


def stolen():
    """Seconds so far that the host gave to others while this machine wanted to run."""
    with open("/proc/stat") as file:
        return int(file.readline().split()[8]) / os.sysconf("SC_CLK_TCK")


def carry_out(order):
    bench = Bench(order)
    if order["do"] == "fill":
        fill.fill(bench.room, bench.image, bench.programs)
        return fill.facts(bench.room)
    if EXPERIMENTS[order["do"]].part not in ("engine", "disk"):
        # While others had the machine, its caches may have gone to them.
        fill.warm(bench.room, contents=order["shared"])
    makers_by_name = makers.contenders(bench.programs)
    figures, failures = {}, {}
    start, before = time.monotonic(), stolen()
    for contender in order["contenders"]:
        if EXPERIMENTS[order["do"]].fills_memory:
            touch_memory(3)
        try:
            maker = makers_by_name.get(contender)
            sandbox = maker(bench.room, bench.programs) if maker else None
            for figure, value in EXPERIMENTS[order["do"]].run(bench, sandbox).items():
                figures.setdefault(figure, {})[contender] = value
        except (OSError, RuntimeError, ValueError, KeyError, subprocess.SubprocessError) as error:
            # One contender's failure is a line of the result and not the end of the run.
            failures[contender] = f"{type(error).__name__}: {error}"
    share = (stolen() - before) / ((time.monotonic() - start) * os.cpu_count())
    return {"figures": figures, "failures": failures, "stolen": share}
