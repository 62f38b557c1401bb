"""All contenders by name."""

import os

from filesystem import call

from . import others
from .sandboxes import CachedFloor, Floor, FuseOverlay, Lamina, Overlay, Plain


def contenders(programs):
    """Name to sandbox maker, in the order of the runs: Lamina once for each data mode that it has."""
    words = call(programs["lamina"], "mount", "--help")
    modes = [mode for mode in ("passthrough", "cached") if "--data" in words and mode in words]
    found = {"ext4": Plain, "overlayfs": Overlay, "fuse-overlayfs": FuseOverlay}
    if variants := programs.get("variants"):
        for name in sorted(os.listdir(variants)):
            own = {**programs, "lamina": os.path.join(variants, name, "lamina")}
            found[f"lamina-{name}"] = lambda room, _, own=own: Lamina(room, own)
        return found
    for mode in modes or [""]:
        name = f"lamina-{mode}" if mode else "lamina"
        found[name] = lambda room, programs, mode=mode: Lamina(room, programs, mode)
    return {**found, "floor": Floor, "floor-cached": CachedFloor, **others.here()}
