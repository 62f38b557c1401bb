"""Programs with a clock: mount-client, which times itself, and ordinary programs, timed from outside."""

import contextlib
import json
import os
import subprocess
import time

from filesystem import call

ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/tmp", "LC_ALL": "C",
    "PYTHONDONTWRITEBYTECODE": "1", "MPLCONFIGDIR": "/tmp", "DEBIAN_FRONTEND": "noninteractive",
    "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*",
}


class Client:
    """mount-client on the trees of one filled filesystem."""

    def __init__(self, room, program):
        self.room, self.program = room, program

    def path_list(self, name):
        return os.path.join(self.room, "lists", name)

    def run(self, root, operation, *arguments, threads=1):
        """What one run did; `seconds` is added."""
        # What earlier runs wrote is not to reach the disk during this one.
        call("sync", "--file-system", self.room)
        words = [self.program, "--threads", str(threads), operation, root, *map(str, arguments)]
        return self._result(call(*words), root)

    def microseconds(self, root, operation, *arguments, per=None, threads=1):
        """Microseconds an operation, or for each `per` bytes."""
        found = self.run(root, operation, *arguments, threads=threads)
        return found["seconds"] * 1e6 / (found["bytes"] / per if per else found["operations"])

    def together(self, root, operation, *arguments, clients=2):
        """Microseconds an operation of clients at once, each with a share of the list, by the clock on the wall."""
        call("sync", "--file-system", self.room)
        children = []
        for number in range(clients):
            words = [self.program, "--wait", "--part", f"{number}/{clients}", operation, root, *map(str, arguments)]
            children.append(subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        for child in children:
            child.stdout.readline()
        for child in children:
            child.stdin.write("go\n")
            child.stdin.flush()
        found = [self._result(child.communicate()[0], root) for child in children]
        wall = max(one["end"] for one in found) - min(one["begin"] for one in found)
        return wall / 1000 / sum(one["operations"] for one in found)

    def _result(self, output, root):
        if not output.strip():
            raise RuntimeError(f"mount-client on {root} ended without a result")
        found = json.loads(output)
        if found["errors"] or not found["operations"]:
            counts = f"{found['errors']} of {found['operations']} failed"
            raise RuntimeError(f"{found['operation']}: {counts}, first: {os.strerror(found['errno'])}")
        found["seconds"] = (found["end"] - found["begin"]) / 1e9
        return found


def timed(*command, environment=None):
    """Seconds until a program of the host ended well."""
    start = time.monotonic()
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)
    seconds = time.monotonic() - start
    if done.returncode != 0:
        message = done.stderr.decode(errors="replace").strip()[-300:]
        raise RuntimeError(f"{' '.join(command[:4])} ended with {done.returncode}: {message}")
    return seconds


@contextlib.contextmanager
def container(root):
    """A function that runs a shell command in a chroot, with /dev and /proc, and gives its seconds."""
    mounts = []
    try:
        for kind, source, place in (("--bind", "/dev", "dev"), ("-tproc", "proc", "proc")):
            target = os.path.join(root, place)
            call("mount", kind, source, target)
            mounts.append(target)
        yield lambda command: timed("chroot", root, "/bin/sh", "-ec", command, environment=ENVIRONMENT)
    finally:
        for target in reversed(mounts):
            call("umount", target)
