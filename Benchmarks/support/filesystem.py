"""A fresh ext4 filesystem for each run, and what a run changed on it.

ext4 passes over inodes that were just deleted, so that extracting, deleting and extracting again on one filesystem is
many times slower the second time. Every run of every program therefore gets a filesystem of its own: a sparse file,
a loop device with direct I/O (no second page cache), mkfs, mount.
"""

import os
import subprocess
import tempfile


def call(*command):
    """Runs a command and gives its output; its own words are the error."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {(done.stderr or done.stdout).strip()[-800:]}")
    return done.stdout.strip()


class FreshFilesystem:
    """A context manager; `path` is the mount point."""

    def __init__(self, scratch, gibibytes=24):
        self.place = tempfile.mkdtemp(prefix="filesystem.", dir=scratch)
        self.file = os.path.join(self.place, "ext4")
        self.path = os.path.join(self.place, "mount")
        self.size = gibibytes << 30
        self.device = None
        self.mounted = False

    def __enter__(self):
        try:
            self._make()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _make(self):
        os.mkdir(self.path)
        with open(self.file, "wb") as file:
            file.truncate(self.size)
        # Lazy initialisation is switched off with noinit_itable: nothing may write behind a run's back.
        call("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=1,lazy_journal_init=1", self.file)
        try:
            self.device = call("losetup", "--find", "--show", "--direct-io=on", self.file)
        except RuntimeError:
            self.device = call("losetup", "--find", "--show", self.file)
        call("mount", "-o", "noinit_itable", self.device, self.path)
        self.mounted = True

    def __exit__(self, *_):
        if self.mounted:
            call("umount", "--recursive", self.path)
        if self.device:
            call("losetup", "--detach", self.device)
        if os.path.exists(self.file):
            os.unlink(self.file)
        os.rmdir(self.path)
        os.rmdir(self.place)

    def sync(self):
        call("sync", "--file-system", self.path)

    def bytes_written(self):
        """Bytes that reached the block device since it was attached."""
        with open(f"/sys/block/{os.path.basename(self.device)}/stat") as file:
            return int(file.read().split()[6]) * 512

    def inodes(self):
        status = os.statvfs(self.path)
        return status.f_files - status.f_ffree

    def bytes_used(self):
        status = os.statvfs(self.path)
        return (status.f_blocks - status.f_bfree) * status.f_frsize
