"""One fresh filesystem with the image in every form that a contender needs:

layers/N   the layers unpacked one by one, whiteouts as overlayfs has them; what overlayfs and fuse-overlayfs mount
merged     the tree that all of them together are, as plain files
store      Lamina's store
lists      paths for mount-client, relative to the tree's root, each with a NUL behind it
"""

import json
import os
import shutil
import stat
import subprocess

from filesystem import call

SMALL = 16 << 10


def fill(room, image, programs):
    """Fills the filesystem at `room` and writes `room`/facts.json."""
    layers = [unpack(layer, os.path.join(room, f"layers/{number}")) for number, layer in enumerate(image.layers)]
    merge(room, list(reversed(layers)))
    store = os.path.join(room, "store")
    output = call(programs["lamina"], "load", "--root", store, "--quiet", "--input", image.path)
    reference = next(line.split(": ", 1)[1] for line in output.splitlines() if line.startswith("Loaded image: "))
    counts = write_lists(os.path.join(room, "merged"), os.path.join(room, "lists"))
    with open(os.path.join(room, "facts.json"), "w") as file:
        json.dump({"layers": len(layers), "reference": reference, "chain": image.chain, **counts}, file)
    call("sync", "--file-system", room)
    warm(room)


def facts(room):
    with open(os.path.join(room, "facts.json")) as file:
        return json.load(file)


def lower_directories(room):
    """The unpacked layers, the topmost first, as mount options name them."""
    count = facts(room)["layers"]
    return ":".join(os.path.join(room, f"layers/{number}") for number in reversed(range(count)))


def unpack(layer, directory):
    os.makedirs(directory)
    call("tar", "--extract", "--file", layer, "--directory", directory, "--numeric-owner", "--preserve-permissions",
         "--xattrs", "--xattrs-include=*")
    for place, _, names in os.walk(directory):
        for name in names:
            if name.startswith(".wh."):
                convert_whiteout(place, name)
    return directory


def convert_whiteout(place, name):
    """A marker of the OCI image-spec becomes overlayfs's: a 0:0 device, or an xattr of the directory."""
    os.unlink(os.path.join(place, name))
    if name == ".wh..wh..opq":
        os.setxattr(place, "trusted.overlay.opaque", b"y")
        return
    hidden = os.path.join(place, name.removeprefix(".wh."))
    try:
        # A marker hides what the layers below have and nothing of its own layer.
        if stat.S_ISDIR(os.lstat(hidden).st_mode):
            os.setxattr(hidden, "trusted.overlay.opaque", b"y")
    except FileNotFoundError:
        os.mknod(hidden, stat.S_IFCHR, os.makedev(0, 0))


def merge(room, layers):
    """Copies what overlayfs shows of the layers to `room`/merged."""
    view, merged = os.path.join(room, "view"), os.path.join(room, "merged")
    os.mkdir(view)
    os.mkdir(merged)
    if len(layers) == 1:
        layers = [*layers, os.path.join(room, "empty")]
        os.mkdir(layers[-1])
    call("mount", "-t", "overlay", "overlay", "-o", "ro,lowerdir=" + ":".join(layers), view)
    try:
        call("cp", "--archive", f"{view}/.", merged)
    finally:
        call("umount", view)
    os.rmdir(view)


def write_lists(root, place):
    os.mkdir(place)
    lists = {"nodes": [], "directories": [], "small": [], "deep": set()}
    top = os.fsencode(root)
    for directory, names, others in os.walk(top):
        relative = os.path.relpath(directory, top)
        lists["directories"].append(relative)
        for name in [*names, *others]:
            path = os.path.normpath(os.path.join(relative, name))
            status = os.lstat(os.path.join(top, path))
            lists["nodes"].append(path)
            if stat.S_ISREG(status.st_mode) and status.st_size < SMALL:
                lists["small"].append(path)
            components = path.split(b"/")
            if len(components) >= 5:
                lists["deep"].add(b"/".join(components[:5]))
    for name, paths in lists.items():
        write_list(os.path.join(place, name), sorted(paths))
    return {name: len(paths) for name, paths in lists.items()}


def write_list(path, paths):
    with open(path, "wb") as file:
        file.write(b"".join(entry + b"\0" for entry in paths))


def warm(room, contents=True):
    """Brings all inodes and names that contenders read from into the kernel's caches, and all bytes if `contents`."""
    for name in ("layers", "merged", "store"):
        call("du", "-s", os.path.join(room, name))
        if not contents:
            continue
        find = subprocess.Popen(
            ["find", os.path.join(room, name), "-type", "f", "-print0"], stdout=subprocess.PIPE)
        subprocess.run(["xargs", "-0", "cat"], stdin=find.stdout, stdout=subprocess.DEVNULL, check=True)
        find.stdout.close()
        find.wait()


def derived_image(image, place, tars):
    """The image with the tars as its topmost layers."""
    if os.path.exists(place):
        shutil.rmtree(place)
    return image.with_layers(range(len(image.layers)), place, added=tars)


def load_alone(room, name, image, programs):
    """A second store with one image, for the engine's figures."""
    store = os.path.join(room, name)
    call(programs["lamina"], "load", "--root", store, "--quiet", "--input", image.path)
    return store


