"""Writes XML as text. Prefixes are those of `names`, which the outermost element of an answer declares."""

import re

from mailstead.protocols.dav.names import PREFIXES, parted
from mailstead.protocols.dav.xml.reader import Element

# What XML 1.0 cannot hold at all; a carriage return must be a reference, or readers make a line feed of CRLF.
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_XML = "http://www.w3.org/XML/1998/namespace"


def escape(text: str) -> str:
    """Character data; characters that XML has no form for become U+FFFD."""
    if "&" in text:
        text = text.replace("&", "&amp;")
    if "<" in text:
        text = text.replace("<", "&lt;")
    if ">" in text:
        text = text.replace(">", "&gt;")
    if "\r" in text:
        text = text.replace("\r", "&#13;")
    return _UNFIT.sub("\ufffd", text) if _UNFIT.search(text) else text


def attribute(text: str) -> str:
    """The value of an attribute, without quotes."""
    return escape(text).replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")


def opening(name: str) -> str:
    """What is written between < and > for a name that may be of any namespace."""
    namespace, local = parted(name)
    prefix = PREFIXES.get(namespace)
    if prefix is not None:
        return f"{prefix}:{local}"
    return f'{local} xmlns="{attribute(namespace)}"'


def closing(name: str) -> str:
    """The end tag that belongs to `opening`."""
    namespace, local = parted(name)
    prefix = PREFIXES.get(namespace)
    return f"</{local}>" if prefix is None else f"</{prefix}:{local}>"


def element(name: str, content: str = "") -> str:
    """An element; `content` is XML."""
    return f"<{opening(name)}>{content}{closing(name)}" if content else f"<{opening(name)}/>"


def serialise(found: Element) -> str:
    """An element as it was read, whole in itself: every namespace it uses is declared where it is used."""
    namespace, local = parted(found.tag)
    parts = [f"<{local}", f' xmlns="{attribute(namespace)}"']
    for number, (name, value) in enumerate(found.attributes.items()):
        space, key = parted(name)
        if not space:
            parts.append(f' {key}="{attribute(value)}"')
        elif space == _XML:
            parts.append(f' xml:{key}="{attribute(value)}"')
        else:
            parts.append(f' xmlns:a{number}="{attribute(space)}" a{number}:{key}="{attribute(value)}"')
    if not found.children and not found.text:
        parts.append("/>")
        return "".join(parts)
    parts.append(f">{escape(found.text)}")
    for child in found.children:
        parts.append(serialise(child))
        parts.append(escape(child.tail))
    parts.append(f"</{local}>")
    return "".join(parts)
