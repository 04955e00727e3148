"""HTML of mail made harmless: no scripts, forms, frames or remote content; pictures of the message stay.

What is let through is a list of tags, attributes and style properties; everything else goes. The result is still
shown in a sandboxed frame under a policy that lets nothing run or load, so that one mistake is not enough.
"""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec
import nh3


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TAGS = _words(
    """a abbr address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del details
    dfn div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark nav ol p pre
    q rp rt ruby s samp section small span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul
    var wbr"""
)
_ANYWHERE = frozenset(
    {"align", "bgcolor", "class", "color", "dir", "height", "lang", "style", "title", "valign", "width"}
)
_ATTRIBUTES = {
    "*": _ANYWHERE,
    "a": {"href", "name"},
    "img": {"src", "alt", "border"},
    "td": {"colspan", "rowspan", "nowrap"},
    "th": {"colspan", "rowspan", "nowrap", "scope"},
    "table": {"border", "cellpadding", "cellspacing", "role"},
    "font": {"face", "size"},
    "col": {"span"},
    "colgroup": {"span"},
    "ol": {"start", "type"},
}
_STYLES = _words(
    """background-color border border-bottom border-bottom-color border-bottom-style border-bottom-width
    border-collapse border-color border-left border-left-color border-left-style border-left-width border-radius
    border-right border-right-color border-right-style border-right-width border-spacing border-style border-top
    border-top-color border-top-style border-top-width border-width box-sizing clear color direction display float
    font font-family font-size font-style font-variant font-weight height letter-spacing line-height list-style-type
    margin margin-bottom margin-left margin-right margin-top max-height max-width min-height min-width opacity overflow
    padding padding-bottom padding-left padding-right padding-top table-layout text-align text-decoration text-indent
    text-transform vertical-align visibility white-space width word-break word-spacing word-wrap"""
)
_SCHEMES = frozenset({"http", "https", "mailto", "tel", "cid", "data"})
_PICTURE = re.compile(r"data:image/(?:png|jpe?g|gif|webp);base64,[A-Za-z0-9+/=\s]*\Z", re.IGNORECASE)
SOURCE_LIMIT = 2 * 1024 * 1024


class Harmless(msgspec.Struct, frozen=True):
    """The HTML, how many remote pictures were left out, and whether the source was cut."""

    html: str
    remote: int
    was_cut: bool


def harmless(source: str, inline: Callable[[str], str | None], remote: Callable[[str], str] | None = None) -> Harmless:
    """`source` made harmless. `inline` gives the URL of a part by content id; `remote` the URL of our proxy for a
    remote picture: without it they are left out and counted."""
    blocked = 0

    def attribute(tag: str, name: str, value: str) -> str | None:
        nonlocal blocked
        if name not in ("src", "href"):
            return value
        if tag == "a":
            return value if not value.lower().startswith(("cid:", "data:")) else None
        if value.lower().startswith("cid:"):
            return inline(value[4:])
        if value.lower().startswith("data:"):
            return value if _PICTURE.match(value) else None
        if urlsplit(value).scheme in ("http", "https"):
            if tag == "img" and remote is not None:
                return remote(value)
            blocked += tag == "img"
        return None

    def safely(tag: str, name: str, value: str) -> str | None:
        try:
            return attribute(tag, name, value)
        except ValueError:  # no URL that can be taken apart
            return None

    html = nh3.clean(
        source[:SOURCE_LIMIT],
        tags=set(_TAGS),
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        attribute_filter=safely,
        url_schemes=set(_SCHEMES),
        filter_style_properties=set(_STYLES),
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
        clean_content_tags={"script", "style", "title", "template", "noscript", "svg", "math", "object", "iframe"},
        strip_comments=True,
    )
    return Harmless(html, blocked, len(source) > SOURCE_LIMIT)
