"""The page. Everything is in it: no script, no font, no picture from elsewhere."""

import html

from . import prose

STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1c1c1c; --faint: #5c5c5c; --rule: #d8d8d8; --band: #f5f6f8; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14171c; --ink: #ececec; --faint: #a9a9a9; --rule: #343a42; --band: #1c2027; }
}
body { background: var(--paper); color: var(--ink); font: 15px/1.5 sans-serif; margin: 0 auto; max-width: 1340px;
  padding: 24px; }
h1 { font-size: 28px; margin: 0 0 8px; } h2 { font-size: 22px; margin: 44px 0 8px; border-top: 1px solid var(--rule);
  padding-top: 20px; } h3 { font-size: 17px; margin: 24px 0 8px; }
p.lead, dl { color: var(--faint); } nav a { margin-right: 18px; color: inherit; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 14px; font-size: 13px; } dd { margin: 0; }
.pictures { display: flex; flex-wrap: wrap; gap: 18px; align-items: flex-start; } .pictures svg { max-width: 100%; height: auto; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: 13px; margin: 8px 0; }
th, td { padding: 3px 9px; border-bottom: 1px solid var(--rule); vertical-align: top; }
tbody tr:nth-child(even) { background: var(--band); } .right { text-align: right; } .left { text-align: left; }
details { margin: 10px 0; } summary { cursor: pointer; } code { font-size: 13px; }
"""
LEAD = ("Machines differ and are noisy: a figure is worth what stands beside it, a peer or a floor of the same run. "
        "Bars and lines are medians; what spans them is the fastest and the slowest run.")


def facts(part):
    rows = "".join(f"<dt>{html.escape(name)}</dt><dd>{html.escape(str(value))}</dd>" for name, value in part.facts.items())
    return f"<dl>{rows}</dl>" if rows else ""


def body_of(table):
    """A table's text without the facts that stand at its head."""
    lines = table.splitlines()
    while lines and (not lines[0].strip() or (lines[0].endswith("  ") and ": " in lines[0])):
        lines.pop(0)
    return "\n".join(lines)


def section(part):
    pictures = "\n".join(part.pictures.values())
    return "\n".join([
        f'<h2 id="{part.name}">{html.escape(part.title)}</h2>', facts(part),
        f'<div class="pictures">{pictures}</div>' if pictures else "",
        f"<details open><summary>Figures</summary>{prose.as_html(body_of(part.table))}</details>",
    ])


def page(parts, title="Lamina: benchmarks"):
    links = "".join(f'<a href="#{part.name}">{html.escape(part.title)}</a>' for part in parts)
    sections = "\n".join(map(section, parts))
    return (f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
            f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>\n<body><h1>{title}</h1>'
            f'<p class="lead">{LEAD}</p><nav>{links}</nav>\n{sections}\n</body></html>\n')
