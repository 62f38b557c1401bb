"""Lookups in the union itself, by Benchmarks/Sources/union-lookups: no FUSE, no kernel, one core."""

import json
import os

from filesystem import call

from . import fill, layer

MANY = 128


def rate(bench, store, chain, paths, *options):
    """Paths a second, and components."""
    room = os.path.join(bench.room, "engine-room")
    os.makedirs(room, exist_ok=True)
    seconds = str(bench.sizes["seconds"])
    found = json.loads(call(bench.programs["union-lookups"], *options, "--seconds", seconds, store, chain, room, paths))
    if found["errors"]:
        raise RuntimeError(f"union-lookups: {found['errors']} paths were not as expected")
    return found["paths"] / found["seconds"], found["lookups"] / found["seconds"]


def lookups(bench, _):
    """Millions a second on one core; then ratios of times: a miss to a hit, and of throughputs: two threads to one."""
    where = (os.path.join(bench.room, "store"), fill.facts(bench.room)["chain"], os.path.join(bench.room, "lists/deep"))
    hits, components = rate(bench, *where)
    misses, _ = rate(bench, *where, "--misses")
    two, _ = rate(bench, *where, "--threads", "2")
    return {
        "engine/paths": hits / 1e6, "engine/lookups": components / 1e6, "engine/misses": hits / misses,
        "engine/threads": two / hits,
    }


def many_layers(bench, _):
    """The time of a lookup in 128 layers over that in one layer with the same files."""
    paths = synthetic_paths(bench.sizes["synthetic"])
    listed = os.path.join(bench.room, "lists", "synthetic")
    fill.write_list(listed, [path.encode() for path in paths])
    rates = []
    for count in (1, MANY):
        place = os.path.join(bench.room, f"engine-{count}")
        os.makedirs(place)
        tars = layer.write_synthetic(paths, count, place)
        image = bench.image.with_layers((), os.path.join(place, "image"), added=tars)
        store = fill.load_alone(place, "store", image, bench.programs)
        rates.append(rate(bench, store, image.chain, listed)[0])
    return {"engine/layers": rates[0] / rates[1]}


def synthetic_paths(count):
    """Paths of five components, 32 entries a directory."""
    paths = []
    for number in range(count):
        directory = number // 32
        paths.append(f"opt{directory % 4}/part{directory // 4 % 16}/group{directory // 64 % 16}/d{directory}/f{number}")
    return paths
