"""Colours, text and the frame of a picture. All colours are classes, so that a dark page gets its own."""

import html

# Contender to class; who comes later is drawn over who came before.
KINDS = {
    "floor-cached": "k0", "floor": "k0", "ext4": "k1", "overlayfs": "k2", "tar": "k3", "tar-igzip": "k3", "bsdtar": "k3",
    "fuse-overlayfs": "k4", "podman": "k5", "skopeo": "k5", "umoci": "k6", "umoci-raw": "k6", "containerd": "k7",
    "containerd-native": "k7", "erofs": "k3", "squashfuse": "k6", "unionfs-fuse": "k7", "lamina-cached": "k8", "lamina-no-blobs": "k8", "lamina-passthrough": "k9", "lamina": "k9",
}
OTHER = "k5"
NAMES = {
    "floor": "floor", "floor-cached": "floor, opens not asked", "tar-igzip": "tar through igzip",
    "umoci": "umoci unpack", "umoci-raw": "umoci raw unpack", "skopeo": "skopeo into containers-storage",
    "lamina-cached": "lamina, cached", "lamina-passthrough": "lamina, passthrough",
    "lamina-no-blobs": "lamina --no-blobs", "containerd-native": "containerd, native snapshotter",
}

LIGHT = {
    "paper": "#ffffff", "ink": "#1c1c1c", "faint": "#5c5c5c", "grid": "#dedede", "target": "#b00020",
    "k0": "#9b86bd", "k1": "#7a7a7a", "k2": "#30343b", "k3": "#8c6d1f", "k4": "#c2571a", "k5": "#a23b72", "k6": "#7f8f2e",
    "k7": "#3a7f8c", "k8": "#2a9d64", "k9": "#1b6ec2",
}
DARK = {
    "paper": "#14171c", "ink": "#ececec", "faint": "#a9a9a9", "grid": "#343a42", "target": "#ff6b7d",
    "k0": "#b9a7d8", "k1": "#a5a5a5", "k2": "#d6dae0", "k3": "#d2b053", "k4": "#f08a4b", "k5": "#e07ab0", "k6": "#bccb62",
    "k7": "#6cc0cf", "k8": "#5fd29a", "k9": "#6db1f5",
}


def _rules(colours):
    rules = [f".paper{{fill:{colours['paper']}}}", f".ink{{fill:{colours['ink']}}}", f".faint{{fill:{colours['faint']}}}"]
    rules += [f".grid{{stroke:{colours['grid']}}}", f".line{{stroke:{colours['ink']}}}",
              f".target{{stroke:{colours['target']};fill:{colours['target']}}}"]
    rules += [f".{kind}{{fill:{colours[kind]};stroke:{colours[kind]}}}" for kind in colours if kind[0] == "k"]
    return "".join(rules)


STYLE = (f"<style>{_rules(LIGHT)}@media (prefers-color-scheme: dark){{{_rules(DARK)}}}"
         "text,text.target{stroke:none}</style>")
# What a character of a size takes, about, in a sans-serif font.
WIDTH_OF_CHARACTER = 0.56


def kind(contender):
    return KINDS.get(contender.split(":")[0], OTHER)


def name(contender):
    return NAMES.get(contender, contender)


def drawing_order(contenders):
    order = list(KINDS)
    return sorted(contenders, key=lambda one: order.index(one) if one in order else -1)


def width_of(words, size=12):
    return len(words) * size * WIDTH_OF_CHARACTER


def text(x, y, words, anchor="start", colour="ink", size=12):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{colour}" '
            f'font-size="{size}">{html.escape(words)}</text>')


def line(x1, y1, x2, y2, colour="grid", width=1):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{colour}" stroke-width="{width}"/>'


def legend(contenders, y, width):
    """Marks and names from the left, in as many lines as they need; gives the parts and where they end."""
    parts, x = [], 10
    for one in reversed(drawing_order(contenders)):
        needed = 30 + width_of(name(one))
        if x > 10 and x + needed > width:
            x, y = 10, y + 20
        parts.append(f'<circle cx="{x + 5}" cy="{y - 4}" r="5" class="{kind(one)}"/>')
        parts.append(text(x + 14, y, name(one)))
        x += needed
    return parts, y + 10


def frame(parts, width, height, title):
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
            f'height="{height:.0f}" font-family="sans-serif" role="img" aria-label="{html.escape(title)}">')
    paper = f'<rect width="{width:.0f}" height="{height:.0f}" class="paper"/>'
    return "\n".join([head, STYLE, paper, text(10, 22, title, size=14), *parts, "</svg>", ""])
