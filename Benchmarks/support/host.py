"""What all benchmarks need: programs installed and built, images, children, and facts about the machine."""

import datetime
import json
import os
import platform
import shutil
import signal
import subprocess
import sys

from filesystem import call

BENCHMARKS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
REPOSITORY = os.path.dirname(BENCHMARKS)


def say(text):
    print(text, flush=True)


def install(peers):
    """`peers` names (program, package); gives the names of those that are here in the end."""
    missing = [package for program, package in peers.values() if not shutil.which(program)]
    if missing:
        say(f"installing: {' '.join(missing)}")
        apt = ["apt-get", "-qq", "-o", "Acquire::Retries=2"]
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
        subprocess.run([*apt, "update"], **quiet)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for package in missing:
            subprocess.run([*apt, "-y", "--no-install-recommends", "install", package], env=environment, **quiet)
    present = [name for name, (program, _) in peers.items() if shutil.which(program)]
    for name in peers.keys() - set(present):
        say(f"left out: {name}, whose program could not be installed")
    return present


def build(products, wrap):
    """Release builds: name to (package, product) gives name to path. $NAME, as in LAMINA, is taken instead."""
    programs = {}
    for name, (package, product) in products.items():
        variable = name.upper().replace("-", "_")
        if os.environ.get(variable):
            programs[name] = os.path.abspath(os.environ[variable])
            continue
        command = ("swift", "build", "--package-path", package, "-c", "release", "--product", product)
        call(*wrap, *command)
        programs[name] = os.path.join(call(*command, "--show-bin-path"), product)
    return programs


def image_prefix(options):
    """Where the image's layouts begin: the one that was asked for, or ours, made first if it is not there."""
    if options.image:
        return options.image
    name = "small" if options.quick else "dev"
    place = os.path.join(options.scratch, "lamina-benchmark-images")
    prefix = os.path.join(place, name)
    if not os.path.exists(f"{prefix}-gzip/index.json"):
        say(f"making the {name} image in {place}")
        subprocess.run([os.path.join(REPOSITORY, "Tools/make-images"), place, name], check=True)
    return prefix


def child(script, order, wrap):
    """Runs `script --one ORDER` in a process of its own, which sees its own children only; gives what it prints."""
    command = [*wrap, sys.executable, script, "--one", json.dumps(order)]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0,
    )
    try:
        output, errors = process.communicate()
    except BaseException:
        # It unmounts its filesystem on its way out; its output ends when it has.
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate()
        raise
    if process.returncode != 0:
        raise RuntimeError((errors.strip().splitlines() or ["no message"])[-1])
    return json.loads(output)


def end_on_signals():
    """What is mounted gets unmounted on the way out."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(1))


def version(*command):
    try:
        return call(*command).splitlines()[0]
    except (OSError, RuntimeError, IndexError):
        return "not found"


def facts(lamina, scratch):
    """The machine and what was measured on it, for the head of a table."""
    with open("/proc/cpuinfo") as file:
        model = next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    return {
        "date": datetime.date.today().isoformat(),
        "machine": f"{model}, {os.cpu_count()} cores, {os.sysconf('SC_PHYS_PAGES') * 4096 >> 30} GiB memory",
        "kernel": platform.release(),
        "scratch": version("df", "--output=fstype", scratch) and call(
            "df", "--output=fstype", scratch).splitlines()[-1] + ", loop device with direct I/O, ext4 on it",
        "lamina": version(lamina, "--version") + " " + (os.environ.get("LAMINA") or version(
            "git", "-C", REPOSITORY, "describe", "--always", "--dirty")),
        "swift": version("swift", "--version"),
    }
