"""An image of the user's own in the three forms that the benchmarks take: layouts PREFIX-gzip, -zstd and -none."""

import os
import subprocess

from host import REPOSITORY, say
from image import Image

READERS = {b"\x1f\x8b": ["gzip", "-dc"], b"\x28\xb5\x2f\xfd": ["zstd", "-qdc"], b"\x04\x22\x4d\x18": ["lz4", "-dc"]}


def decompressor(path):
    """By what the file begins with."""
    with open(path, "rb") as file:
        head = file.read(4)
    return next((words for magic, words in READERS.items() if head.startswith(magic)), ["cat"])


def prefix(layout, place):
    """Unpacks the layers of the layout's first image below `place` and packs them anew; gives the prefix."""
    if not os.path.exists(os.path.join(layout, "index.json")):
        raise ValueError(f"{layout}: no OCI layout (it has no index.json)")
    say(f"packing {layout} in three forms")
    room = os.path.join(place, "own")
    os.makedirs(room)
    tars = []
    for number, layer in enumerate(Image(layout).layers):
        tars.append(os.path.join(room, f"layer{number}.tar"))
        with open(layer, "rb") as source, open(tars[-1], "wb") as target:
            subprocess.run(decompressor(layer), stdin=source, stdout=target, check=True)
    found = os.path.join(room, "image")
    for form in ("gzip", "zstd", "none"):
        subprocess.run(
            [os.path.join(REPOSITORY, "Tools/pack-layout"), "--compression", form, f"{found}-{form}", *tars],
            stdout=subprocess.DEVNULL, check=True)
    for tar in tars:
        os.unlink(tar)
    return found
