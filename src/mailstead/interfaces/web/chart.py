"""Charts as SVG for a page: bars of several series, with a text for those who do not see them."""

from collections.abc import Sequence

import msgspec
from markupsafe import Markup, escape

_WIDTH, _HEIGHT, _GAP, _LABELS = 720, 160, 4, 18


class Series(msgspec.Struct, frozen=True):
    """One row of values; `tone` is a class of the stylesheet."""

    name: str
    tone: str
    values: Sequence[int]


def bars(labels: Sequence[str], series: Sequence[Series], title: str) -> Markup:
    """Stacked bars, one per label."""
    most = max((sum(column) for column in zip(*(one.values for one in series), strict=True)), default=0) or 1
    step = _WIDTH / max(len(labels), 1)
    drawn = [
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT + _LABELS}" role="img" aria-label="{escape(title)}">',
        f'<path class="axis" d="M0 {_HEIGHT}.5h{_WIDTH}"/>',
    ]
    for place, label in enumerate(labels):
        top = float(_HEIGHT)
        for one in series:
            height = one.values[place] * (_HEIGHT - _GAP) / most
            if not height:
                continue
            top -= height
            drawn.append(
                f'<rect class="{escape(one.tone)}" x="{place * step + _GAP / 2:.1f}" y="{top:.1f}"'
                f' width="{step - _GAP:.1f}" height="{height:.1f}" rx="2">'
                f"<title>{escape(label)}: {escape(one.name)} {one.values[place]}</title></rect>"
            )
        if place % 3 == 0:
            drawn.append(f'<text x="{place * step + step / 2:.1f}" y="{_HEIGHT + _LABELS - 4}">{escape(label)}</text>')
    drawn.append("</svg>")
    return Markup("".join(drawn))  # noqa: S704 every text is escaped
