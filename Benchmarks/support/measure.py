"""One measured run: a fresh filesystem, one command, and what it cost.

CPU is user + system time of the command and all its descendants (wait4), plus the difference in a daemon's
/proc/PID/stat, its reaped children included. The kernel's own writeback threads count for nobody. Peak memory is the
largest resident set of any one process.

A virtual machine may give its free memory back to its host (free page reporting). The first touch of such a page then
costs the host's page fault, up to 1.5 s a GiB, and falls on whoever comes first to large blocks: that is the program
that writes the largest files. So some memory is touched and freed right before the clock starts.
"""

import os
import subprocess
import sys
import tempfile
import time

from contenders import CONTENDERS
from filesystem import FreshFilesystem
from image import Image


def daemon_cpu(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return sum(int(value) for value in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def daemon_peak(pid):
    with open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0


def machine_cpu():
    """Seconds of all CPUs so far that were not idle, those stolen by the host among them."""
    with open("/proc/stat") as file:
        user, nice, system, _, _, interrupt, soft, steal = map(int, file.readline().split()[1:9])
    return (user + nice + system + interrupt + soft + steal) / os.sysconf("SC_CLK_TCK")


def drop_caches():
    os.sync()
    with open("/proc/sys/vm/drop_caches", "w") as file:
        file.write("3")


def touch_memory(gibibytes):
    """Makes the kernel's free memory real: allocates that much, populated, and frees it."""
    # In a process of its own: what it had resident would count as the peak of every later child of this one.
    if gibibytes:
        program = (
            "import mmap, sys; populate = 0x8000; "
            "mmap.mmap(-1, int(sys.argv[1]) << 30, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | populate)"
        )
        subprocess.run([sys.executable, "-c", program, str(gibibytes)], check=True)


def run(order):
    """Runs what `order` says; gives the figures as a dictionary."""
    image = Image(order["image"])
    contender = CONTENDERS[order["program"]](image, order["programs"])
    if order.get("base"):
        contender.base = Image(order["base"])
    with FreshFilesystem(order["scratch"]) as filesystem:
        try:
            contender.prepare(filesystem.path)
            filesystem.sync()
            if order["cold"]:
                drop_caches()
            else:
                image.warm()
            touch_memory(order.get("touch", 0))
            return measured(contender, filesystem)
        finally:
            contender.finish()


def measured(contender, filesystem):
    command = contender.command(filesystem.path)
    written, inodes, used = filesystem.bytes_written(), filesystem.inodes(), filesystem.bytes_used()
    before = daemon_cpu(contender.daemon) if contender.daemon else 0
    # A file and not a pipe: nobody has to read while the clock runs.
    with tempfile.TemporaryFile() as log:
        busy, start = machine_cpu(), time.monotonic()
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        _, status, usage = os.wait4(child.pid, 0)
        wall, busy = time.monotonic() - start, machine_cpu() - busy
        child.returncode = os.waitstatus_to_exitcode(status)
        log.seek(0)
        output = log.read().decode(errors="replace")
    if child.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {child.returncode}: {output.strip()[-800:]}")
    cpu, peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
    if contender.daemon:
        cpu += daemon_cpu(contender.daemon) - before
        peak = max(peak, daemon_peak(contender.daemon))
    start = time.monotonic()
    filesystem.sync()
    durable = wall + time.monotonic() - start
    contender.check(filesystem.path, output)
    return {
        "wall": wall, "others": max(busy - cpu, 0), "durable": durable, "cpu": cpu, "system": usage.ru_stime, "peak": peak,
        "written": (filesystem.bytes_written() - written) / (1 << 20), "files": filesystem.inodes() - inodes,
        "used": (filesystem.bytes_used() - used) / (1 << 20),
    }
