"""What was measured, in the form that all of lamina-bench's reports share, and as pictures.

`figures` has "scale", name to seconds, and beside each peer's name what both took: "lamina: df" to a figure.
"""

from pictures import bars

BYTES = ("left", "dropped")


def figures(found):
    """Name to unit and contenders."""
    walk = "floor: a walk over the store"
    result = {
        name: {"unit": "s", "values": {"lamina": [value], "control": [found["scale"][walk]]}}
        for name, value in found["scale"].items() if name != walk}
    for peer, both in found.items():
        if peer == "scale":
            continue
        for key, value in both.items():
            who, what = key.split(": ", 1)
            unit = "bytes" if what in BYTES else "s"
            result.setdefault(f"{what} beside {peer}", {"unit": unit, "values": {}})["values"][who] = [value]
    return result


def pictures(found, targets):
    """Name to SVG."""
    quick = [(name, [value]) for name, value in found["scale"].items() if name in targets]
    result = {"1-store": bars.draw("A store of many objects: questions that remove nothing", "s", quick)}
    together = {key: value for peer, both in found.items() if peer != "scale" for key, value in both.items()}
    rows = [(key, [value]) for key, value in sorted(together.items(), key=lambda one: one[0].split(": ")[::-1])
            if key.split(": ")[1] not in BYTES]
    if rows:
        result["2-beside"] = bars.draw("The same image", "s", rows)
    return result
