# SPDX-License-Identifier: Apache-2.0
"""Bar charts as SVG text."""
from html import escape

BAR, GAP, LABEL, WIDTH = 16, 4, 150, 560
COLOURS = {"sluice": "#2563a8"}
FLOOR = "#9aa5b1"


def colour(name):
    return COLOURS.get(name, FLOOR if name.startswith(("relay", "fixed")) else "#c9a227")


def text(x, y, content, **style):
    attributes = "".join(f' {k.replace("_", "-")}="{v}"' for k, v in style.items())
    return f'<text x="{x}" y="{y}"{attributes}>{escape(content)}</text>'


def bars(title, unit, groups):
    """`groups`: (heading, {name: (value, low, high)}); every group has its own scale."""
    parts, y = [text(8, 22, title, font_size=16, font_weight="bold")], 44
    for heading, values in groups:
        parts.append(text(8, y + 12, heading, font_weight="bold"))
        y += 20
        most = max(high for _, _, high in values.values()) or 1
        scale = (WIDTH - LABEL - 90) / most
        for name, (value, low, high) in values.items():
            middle = y + BAR / 2
            parts.append(text(LABEL - 6, middle + 4, name, text_anchor="end"))
            parts.append(f'<rect x="{LABEL}" y="{y}" width="{value * scale:.1f}" height="{BAR}" '
                         f'fill="{colour(name)}"/>')
            parts.append(f'<path d="M{LABEL + low * scale:.1f} {middle} H{LABEL + high * scale:.1f}" '
                         'stroke="#333" stroke-width="1.5"/>')
            digits = 0 if value >= 100 else 1
            parts.append(text(f"{LABEL + high * scale + 6:.1f}", middle + 4,
                              f"{value:,.{digits}f} {unit}"))
            y += BAR + GAP
        y += 12
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}" '
            f'viewBox="0 0 {WIDTH} {y}" font-family="sans-serif" font-size="12">\n'
            f'<rect width="{WIDTH}" height="{y}" fill="white"/>\n' + "\n".join(parts) + "\n</svg>\n")
