"""A containerd of our own: its root, state and socket lie in a directory, and it ends with the context."""

import os
import subprocess
import time

from filesystem import call

# Without the parts that speak to Kubernetes, or would touch the host's networks.
CONFIG = """\
version = 2
root = "{place}/containerd"
state = "{place}/containerd-state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "{place}/containerd.sock"
"""


class Containerd:
    """A context manager; `ctr` makes a command line."""

    def __init__(self, place):
        self.place = place
        self.root = os.path.join(place, "containerd")
        self.process = None

    def ctr(self, *words):
        return ("ctr", "--address", os.path.join(self.place, "containerd.sock"), *words)

    def __enter__(self):
        config = os.path.join(self.place, "containerd.toml")
        with open(config, "w") as file:
            file.write(CONFIG.format(place=self.place))
        with open(os.path.join(self.place, "containerd.log"), "w") as log:
            self.process = subprocess.Popen(
                ("containerd", "--config", config), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        for _ in range(200):
            if subprocess.run(self.ctr("version"), capture_output=True).returncode == 0:
                return self
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        self.__exit__()
        with open(os.path.join(self.place, "containerd.log")) as log:
            raise RuntimeError("containerd: " + log.read()[-800:])

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def images(self):
        return call(*self.ctr("images", "ls", "-q")).split()
