"""Reads a request's XML. Document types and entities are refused, so nothing expands and nothing is fetched."""

import codecs
from xml.parsers import expat

import msgspec

_ENCODINGS = ("utf-8", "utf-16", "utf-16le", "utf-16be", "us-ascii", "iso-8859-1")


class XmlError(ValueError):
    """The octets are not XML as it is taken here."""


class XmlLimitError(XmlError):
    """The document passes a bound."""


class XmlBounds(msgspec.Struct, frozen=True):
    """Octets, depth, and elements with attributes in all."""

    size: int = 1024 * 1024
    depth: int = 32
    elements: int = 50_000


class Element:
    """An element; names are in Clark notation, `text` comes before the first child, `tail` after the element."""

    __slots__ = ("attributes", "children", "tag", "tail", "text")

    def __init__(self, tag: str, attributes: dict[str, str]) -> None:
        self.tag = tag
        self.attributes = attributes
        self.children: list[Element] = []
        self.text = ""
        self.tail = ""

    def first(self, tag: str) -> "Element | None":
        """The first child of that name."""
        for child in self.children:
            if child.tag == tag:
                return child
        return None

    def all(self, tag: str) -> "list[Element]":
        """The children of that name."""
        return [child for child in self.children if child.tag == tag]

    def text_of(self, tag: str) -> str | None:
        """The text of the first child of that name without blanks around it."""
        child = self.first(tag)
        return None if child is None else child.text.strip()


class _Builder:
    def __init__(self, bounds: XmlBounds) -> None:
        self._bounds = bounds
        self._stack: list[Element] = []
        self._text: list[str] = []
        self._count = 0
        self.root: Element | None = None

    def start(self, name: str, attributes: list[str]) -> None:
        self._flush()
        self._count += 1 + len(attributes) // 2
        if self._count > self._bounds.elements:
            raise XmlLimitError("there are more elements than allowed")
        if len(self._stack) >= self._bounds.depth:
            raise XmlLimitError("elements are nested too deeply")
        pairs = zip(attributes[::2], attributes[1::2], strict=True)
        element = Element(_clark(name), {_clark(key): value for key, value in pairs})
        if self._stack:
            self._stack[-1].children.append(element)
        elif self.root is None:
            self.root = element
        self._stack.append(element)

    def end(self, _: str) -> None:
        self._flush()
        self._stack.pop()

    def text(self, data: str) -> None:
        self._text.append(data)

    def _flush(self) -> None:
        if not self._text:
            return
        text = "".join(self._text)
        self._text.clear()
        if self._stack:
            element = self._stack[-1]
            if element.children:
                element.children[-1].tail += text
            else:
                element.text += text


def _clark(name: str) -> str:
    return "{" + name if "}" in name else name


def _refuse(*_: object) -> int:
    raise XmlError("document types and entities are not taken")


def read_xml(data: bytes, bounds: XmlBounds) -> Element:
    """The root element. Raises XmlError, XmlLimitError."""
    if len(data) > bounds.size:
        raise XmlLimitError("the document is larger than allowed")
    parser = expat.ParserCreate(namespace_separator="}")
    builder = _Builder(bounds)
    parser.ordered_attributes = True
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.ExternalEntityRefHandler = _refuse
    parser.XmlDeclHandler = _check_declaration
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise XmlError(f"not well-formed XML: {expat.ErrorString(error.code)}") from None
    if builder.root is None:
        raise XmlError("there is no element")
    return builder.root


def _check_declaration(_: str, encoding: str | None, __: int) -> None:
    if encoding is None:
        return
    try:
        known = codecs.lookup(encoding).name in {codecs.lookup(name).name for name in _ENCODINGS}
    except (LookupError, ValueError):
        known = False
    if not known:
        raise XmlError("an encoding that is not taken")
