"""From runs to medians, and from medians to the tables that people read."""

import statistics

PEER_TARGETS = {"umoci": 6, "umoci-raw": 6, "skopeo": 6, "containerd": 6, "tar": 3.5, "tar-igzip": 1.8}
FLOOR_TARGETS = {"gzip": 1.3, "zstd": 1.4, "none": 1.7}


def summarise(runs, key):
    values = [run[key] for run in runs]
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def spread(summary, digits=2):
    return f"{summary['median']:.{digits}f} ({summary['min']:.{digits}f}–{summary['max']:.{digits}f})"


def name_of(key):
    program, compression, heat = key.split("/")
    names = {
        "lamina": "lamina load", "lamina-no-blobs": "lamina load --no-blobs", "floor": "floor",
        "tar": "GNU tar", "tar-igzip": "igzip \\| GNU tar", "bsdtar": "bsdtar (libarchive)",
        "containerd-native": "containerd, native", "containerd": "containerd, overlayfs",
        "skopeo": "skopeo, containers-storage overlay", "umoci": "umoci unpack",
        "umoci-raw": "umoci raw unpack",
    }
    codec = {"none": "plain"}.get(compression, compression)
    return f"{names[program]}, {codec}{', cold' if heat == 'cold' else ''}"


def main_table(results):
    lines = [
        "| | wall s, median (min–max) | × floor | until durable s | CPU s | peak MiB | MiB written | files created |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for key, runs in results.items():
        if not runs or key.split("/")[2] not in ("warm", "cold"):
            continue
        _, compression, heat = key.split("/")
        floor = results.get(f"floor/{compression}/{heat}")
        ratio = "–"
        if floor:
            ratio = f"{summarise(runs, 'wall')['median'] / summarise(floor, 'wall')['median']:.2f}"
        lines.append(
            f"| {name_of(key)} | {spread(summarise(runs, 'wall'))} | {ratio} "
            f"| {summarise(runs, 'durable')['median']:.2f} | {summarise(runs, 'cpu')['median']:.1f} "
            f"| {summarise(runs, 'peak')['median']:.0f} | {summarise(runs, 'written')['median']:.0f} "
            f"| {summarise(runs, 'files')['median']:.0f} |"
        )
    return lines


def disturbed(run, cores):
    """Whether other programs, or the host, took more than a tenth of the machine during a run."""
    return run["others"] > 0.1 * cores * run["wall"]


def disturbance_lines(results, cores):
    runs = [(key, disturbed(run, cores)) for key, found in results.items() for run in found]
    keys = sorted({name_of(key) for key, hit in runs if hit and key.split("/")[2] in ("warm", "cold")})
    lines = [f"Runs during which something else took more than a tenth of the machine's CPU time: "
             f"{sum(hit for _, hit in runs)} of {len(runs)}."]
    return lines + ([f"Not to be relied on: {'; '.join(keys)}."] if keys else [])


def targets_table(results):
    """What issue 3 of the project asks, and whether this run shows it."""
    lines = ["| target | found | |", "| --- | ---: | --- |"]

    def line(text, found, good):
        lines.append(f"| {text} | {found:.2f} | {'met' if good else '**missed**'} |")

    def median(key, field="wall"):
        return summarise(results[key], field)["median"] if results.get(key) else None

    for program in ("lamina", "lamina-no-blobs"):
        for compression, most in FLOOR_TARGETS.items():
            own, floor = median(f"{program}/{compression}/warm"), median(f"floor/{compression}/warm")
            if own and floor:
                codec = {"none": "plain"}.get(compression, compression)
                line(f"{name_of(f'{program}/{compression}/warm')}: ≤ {most} × the floor of {codec}", own / floor,
                     own / floor <= most)
        own = median(f"{program}/gzip/warm")
        for peer, least in PEER_TARGETS.items():
            other = median(f"{peer}/gzip/warm")
            if own and other:
                line(f"{name_of(f'{program}/gzip/warm')}: ≥ {least} × as fast as {name_of(f'{peer}/gzip/warm')}",
                     other / own, other / own >= least)
    return lines


def top_layer_lines(results):
    with_base, alone = results.get("lamina/gzip/top-on-base"), results.get("lamina/gzip/top-alone")
    if not with_base or not alone:
        return []
    first, second = summarise(with_base, "wall"), summarise(alone, "wall")
    return [
        f"- all layers but the top one present: {spread(first)} s; an image of the top layer alone, into an empty "
        f"store: {spread(second)} s; ratio {first['median'] / second['median']:.2f}",
        f"- CPU {summarise(with_base, 'cpu')['median']:.2f} s and {summarise(alone, 'cpu')['median']:.2f} s",
    ]


def disk_lines(disk):
    if not disk:
        return []
    mib = 1 << 20
    return [
        f"- six layers unpacked one by one by GNU tar: {disk['unpacked'] / mib:.0f} MiB (`du`), of which duplicates "
        f"{disk['duplicates'] / mib:.0f} MiB; without them **{disk['unpacked_once'] / mib:.0f} MiB**",
        f"- Lamina's store without blobs: **{disk['store'] / mib:.0f} MiB** (objects {disk['objects'] / mib:.0f}, "
        f"layers {disk['layers'] / mib:.0f}, chains {disk['chains'] / mib:.0f}, "
        f"catalogue {disk['catalogue'] / mib:.0f}); {disk['how']}",
    ]
