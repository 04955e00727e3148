"""Small XML documents as trees: no DTD, no entities of their own, bounded in depth and number."""

from xml.parsers import expat

from mailstead.formats.reports.errors import ReportError

_DEPTH_LIMIT = 20
_ELEMENTS_LIMIT = 2_000_000
_TEXT_LIMIT = 64 * 1024


class Element:
    """An element: name without prefix, its own text, its children by name."""

    __slots__ = ("_children", "name", "text")

    def __init__(self, name: str) -> None:
        self.name = name
        self.text = ""
        self._children: dict[str, list[Element]] = {}

    def add(self, child: "Element") -> None:
        """One more child."""
        self._children.setdefault(child.name, []).append(child)

    def children(self, name: str) -> "list[Element]":
        """The children of that name."""
        return self._children.get(name, [])

    def has(self, name: str) -> bool:
        """Whether there is a child of that name."""
        return name in self._children

    def child(self, name: str) -> "Element":
        """The first child of that name. Raises ReportError."""
        found = self._children.get(name)
        if not found:
            raise ReportError(f"{self.name} lacks {name}")
        return found[0]


def parse_xml(data: bytes) -> Element:
    """The root of a document. Raises ReportError."""
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    parser.StartDoctypeDeclHandler = reader.doctype
    parser.EntityDeclHandler = reader.doctype
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise ReportError(f"not well-formed XML: {error}") from error
    if reader.root is None:
        raise ReportError("an empty document")
    return reader.root


class _Reader:
    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []
        self._count = 0

    def start(self, name: str, _: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) >= _DEPTH_LIMIT or self._count > _ELEMENTS_LIMIT:
            raise ReportError("the document is nested too deeply, or too long")
        element = Element(name.rpartition(":")[2])
        if self._open:
            self._open[-1].add(element)
        else:
            self.root = element
        self._open.append(element)

    def end(self, _: str) -> None:
        self._open.pop()

    def characters(self, text: str) -> None:
        current = self._open[-1]
        if len(current.text) < _TEXT_LIMIT:
            current.text += text

    def doctype(self, *_: object) -> None:
        raise ReportError("the document has a DTD")
