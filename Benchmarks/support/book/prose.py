"""As much of Markdown as the benchmarks' tables use: headings, paragraphs, lists, tables, bold, code."""

import html
import re


def inline(words):
    words = html.escape(words.replace("\\|", "|"), quote=False)
    words = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", words)
    return re.sub(r"`(.+?)`", r"<code>\1</code>", words)


def cells(line):
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]


def table(lines):
    heads, rules, *rows = [cells(line) for line in lines]
    sides = ["right" if rule.endswith(":") else "left" for rule in rules]

    def row(kind, words):
        return "<tr>" + "".join(
            f'<{kind} class="{side}">{inline(word)}</{kind}>' for side, word in zip(sides, words)) + "</tr>"

    body = "".join(row("td", words) for words in rows)
    return f'<div class="wide"><table><thead>{row("th", heads)}</thead><tbody>{body}</tbody></table></div>'


def as_html(text, top=3):
    """`top` is the level that the text's `##` headings get."""
    parts, lines = [], text.splitlines()
    while lines:
        line = lines.pop(0)
        taken = [line]
        if line.startswith("|"):
            while lines and lines[0].startswith("|"):
                taken.append(lines.pop(0))
            parts.append(table(taken))
        elif line.startswith("#"):
            level = top + len(line) - len(line.lstrip("#")) - 2
            parts.append(f"<h{level}>{inline(line.lstrip('# '))}</h{level}>")
        elif line.startswith("- "):
            while lines and lines[0].startswith("- "):
                taken.append(lines.pop(0))
            parts.append("<ul>" + "".join(f"<li>{inline(one[2:])}</li>" for one in taken) + "</ul>")
        elif line.strip():
            while lines and lines[0].strip() and lines[0][0] not in "|#-":
                taken.append(lines.pop(0))
            # Two blanks at a line's end break it.
            words = [inline(one.strip()) + ("<br>" if one.endswith("  ") else "") for one in taken]
            parts.append(f"<p>{' '.join(words).removesuffix('<br>')}</p>")
    return "\n".join(parts)
