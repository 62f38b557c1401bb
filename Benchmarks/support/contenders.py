"""The programs that are compared: each brings one image onto a fresh filesystem.

A contender has `prepare(room)`, which is not measured, `command(room)`, which is, `check(room)`, which fails the run
when the image is not really there, and `daemon`, the process id of a server whose work counts too.
"""

import os
import re
import shlex
import signal
import subprocess
import time

from filesystem import call


class Contender:
    daemon = None

    def __init__(self, image, programs):
        self.image = image
        self.programs = programs

    def prepare(self, room):
        pass

    def check(self, room, output):
        pass

    def finish(self):
        pass


class Lamina(Contender):
    """`lamina load`. `base` is an image that is in the store before."""

    options = ()
    base = None

    def prepare(self, room):
        if self.base:
            call(*self._load(room, self.base))

    def _load(self, room, image):
        root = os.path.join(room, "store")
        return (self.programs["lamina"], "load", *self.options, "--root", root, "--quiet", "--input", image.path)

    def command(self, room):
        return self._load(room, self.image)

    def check(self, room, output):
        if "Loaded image" not in output:
            raise RuntimeError("lamina named no loaded image")


class LaminaWithoutBlobs(Lamina):
    options = ("--no-blobs",)


class Floor(Contender):
    """The same codec, hashing and plain writing, nothing parsed; ends with syncfs as a load does."""

    def prepare(self, room):
        os.mkdir(os.path.join(room, "out"))

    def command(self, room):
        return (self.programs["floor"], os.path.join(room, "out"), *self.image.layers)

    def check(self, room, output):
        found = sorted(line.rsplit(" ", 1)[0] for line in output.splitlines())
        if found != self.image.expected_floor():
            raise RuntimeError("the floor's digests are not the image's")


class Umoci(Contender):
    """A bundle: the root filesystem and the list of its files by which umoci finds changes later."""

    words = ("unpack",)

    def command(self, room):
        layout = f"{self.image.path}:{self.image.tag}"
        return ("umoci", *self.words, "--image", layout, os.path.join(room, "bundle"))

    def check(self, room, output):
        if not os.listdir(os.path.join(room, "bundle")):
            raise RuntimeError("umoci unpacked nothing")


class UmociRaw(Umoci):
    """The root filesystem alone."""

    words = ("raw", "unpack")


class Skopeo(Contender):
    """Into containers-storage with the overlay driver, what podman and buildah pull with."""

    def command(self, room):
        storage = f"[overlay@{room}/graph+{room}/run]localhost/image:latest"
        return (
            "skopeo", "--insecure-policy", "copy", "--quiet", f"oci:{self.image.path}:{self.image.tag}",
            f"containers-storage:{storage}",
        )

    def check(self, room, output):
        graph = os.path.join(room, "graph", "overlay")
        layers = [name for name in os.listdir(graph) if os.path.isdir(os.path.join(graph, name, "diff"))]
        if len(layers) != len(self.image.layers):
            raise RuntimeError(f"containers-storage has {len(layers)} layers")


class Tar(Contender):
    """GNU tar of the layers, each into a directory of its own, one after another."""

    decompress = "gzip -dc"

    def command(self, room):
        steps = ["set -e -o pipefail"]
        for number, layer in enumerate(self.image.layers):
            target = shlex.quote(os.path.join(room, f"layer{number}"))
            steps.append(
                f"mkdir {target}; {self.decompress} <{shlex.quote(layer)} | tar --extract --directory {target} "
                "--numeric-owner --preserve-permissions --xattrs --xattrs-include='*'"
            )
        return ("bash", "-c", "; ".join(steps))

    def check(self, room, output):
        if not all(os.listdir(os.path.join(room, f"layer{n}")) for n in range(len(self.image.layers))):
            raise RuntimeError("tar unpacked nothing")


class TarThroughIgzip(Tar):
    decompress = "igzip -dc"


class BsdTar(Contender):
    """libarchive's tar, which decompresses by itself, likewise."""

    def command(self, room):
        steps = ["set -e"]
        for number, layer in enumerate(self.image.layers):
            target = shlex.quote(os.path.join(room, f"layer{number}"))
            steps.append(f"mkdir {target}; bsdtar -xp --numeric-owner -f {shlex.quote(layer)} -C {target}")
        return ("bash", "-c", "; ".join(steps))

    check = Tar.check


class Containerd(Contender):
    """`ctr images import` of the layout as a tar, unpacked by a private containerd's overlayfs snapshotter."""

    snapshotter = "overlayfs"

    def prepare(self, room):
        self.socket = os.path.join(room, "containerd.sock")
        configuration = os.path.join(room, "config.toml")
        with open(configuration, "w") as file:
            file.write(
                f'version = 2\nroot = "{room}/root"\nstate = "{room}/state"\n'
                'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
                f'[grpc]\n  address = "{self.socket}"\n[ttrpc]\n  address = "{self.socket}.ttrpc"\n'
            )
        self.log = open(os.path.join(room, "log"), "w")
        self.server = subprocess.Popen(
            ["containerd", "--config", configuration], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log
        )
        self.daemon = self.server.pid
        for _ in range(200):
            if os.path.exists(self.socket):
                try:
                    call("ctr", "--address", self.socket, "version")
                    return
                except RuntimeError:
                    pass
            time.sleep(0.05)
        raise RuntimeError("containerd does not answer")

    def command(self, room):
        return (
            "ctr", "--address", self.socket, "images", "import", "--snapshotter", self.snapshotter,
            "--base-name", "localhost/image", self.programs["archive"],
        )

    def check(self, room, output):
        listed = call("ctr", "--address", self.socket, "snapshots", "--snapshotter", self.snapshotter, "list")
        snapshots = re.findall("Committed", listed)
        if len(snapshots) != len(self.image.layers):
            raise RuntimeError(f"containerd has {len(snapshots)} snapshots")

    def finish(self):
        if self.daemon:
            self.server.send_signal(signal.SIGTERM)
            self.server.wait(timeout=60)
            self.log.close()


class ContainerdNative(Containerd):
    """The same with the native snapshotter, which needs nothing of the kernel: each layer is a copy of all below it."""

    snapshotter = "native"


CONTENDERS = {
    "lamina": Lamina,
    "lamina-no-blobs": LaminaWithoutBlobs,
    "floor": Floor,
    "tar-igzip": TarThroughIgzip,
    "tar": Tar,
    "bsdtar": BsdTar,
    "containerd": Containerd,
    "containerd-native": ContainerdNative,
    "skopeo": Skopeo,
    "umoci": Umoci,
    "umoci-raw": UmociRaw,
}
