"""What people do in a container, in a chroot of each contender: in a fresh mount, and again in the same one."""

import glob
import os

from . import shared
from .client import container

HEADERS = "usr/src/linux-headers-*-common"
# What dpkg changes, and the package that it installs.
INSTALLED = ("var/lib/dpkg", "var/log/dpkg.log", "usr/share/lamina-benchmark")


def first_and_again(name, sandbox, command, between=None, changed=()):
    """The seconds of a shell command; `between` puts things back, outside the clock; `changed` names what else than
    files in /tmp it changes."""
    with shared.as_before(sandbox, *changed), sandbox.mounted() as root, container(root) as run:
        cold = run(command)
        if between:
            run(between)
        return {f"{name}/cold": cold, f"{name}/warm": run(command)}


def python(name, statement):
    def run(bench, sandbox):
        return first_and_again(name, sandbox, f"python3 -c '{statement}'")

    return run


def make(bench, sandbox):
    command = f"make -s -j {os.cpu_count()} -C /benchmark/project"
    return first_and_again("make", sandbox, command, between="rm -rf /tmp/build")


def install(bench, sandbox):
    """Without an fsync for each file, as images for builds are set up: those have a row of their own."""
    command = "dpkg --force-unsafe-io -i /benchmark/package.deb"
    return first_and_again("dpkg", sandbox, command, between="dpkg --purge lamina-benchmark", changed=INSTALLED)


def status(bench, sandbox):
    """The repository is made in an earlier mount of the same sandbox."""
    [place] = glob.glob(HEADERS, root_dir=shared.tree(sandbox))
    with shared.as_before(sandbox, f"{place}/.git"):
        with sandbox.mounted() as root, container(root) as run:
            run(f"git init -q /{place} && git -C /{place} add -A")
        return first_and_again("git", sandbox, f"git -C /{place} status")


def copy(bench, sandbox):
    with shared.as_before(sandbox), sandbox.mounted() as root, container(root) as run:
        headers = os.path.isdir(os.path.join(root, "usr/include/boost"))
        source = "/usr/include" if headers else "/usr/share"
        return {f"cp/{heat}": run(f"cp -r {source} /tmp/copy-{heat}") for heat in ("cold", "warm")}
