"""Components: what stands between BEGIN and END (RFC 5545 §3.6, RFC 6350 §3.3)."""

import msgspec

from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.content_lines.line import ContentLine, parse_line, unfolded


class ContentBounds(msgspec.Struct, frozen=True):
    """How much is read: octets, depth of components, and lines in all."""

    size: int = 10 * 1024 * 1024
    depth: int = 8
    lines: int = 100_000


class Component:
    """A component: its name in upper case, its properties and components in their order."""

    __slots__ = ("components", "malformed", "name", "properties")

    def __init__(self, name: str) -> None:
        self.name = name
        self.properties: list[ContentLine] = []
        self.components: list[Component] = []
        self.malformed = 0  # lines that have not the form of a content line; they are passed over

    def first(self, name: str) -> ContentLine | None:
        """The first property of that name."""
        for line in self.properties:
            if line.name == name:
                return line
        return None

    def value(self, name: str) -> str:
        """The value of the first property of that name as written, without blanks around it; empty without one."""
        line = self.first(name)
        return "" if line is None else line.value.strip()

    def all(self, name: str) -> list[ContentLine]:
        """All properties of that name."""
        return [line for line in self.properties if line.name == name]

    def children(self, name: str) -> "list[Component]":
        """All components of that name directly in this one."""
        return [component for component in self.components if component.name == name]


def read_components(data: bytes, bounds: ContentBounds) -> list[Component]:
    """The outermost components. Octets between them that are not blank are refused. Raises ContentError."""
    if len(data) > bounds.size:
        raise ContentError("the object is larger than allowed")
    roots: list[Component] = []
    stack: list[Component] = []
    lines = 0
    for raw in unfolded(data.removeprefix(b"\xef\xbb\xbf")):
        if not raw.strip():
            continue
        lines += 1
        if lines > bounds.lines:
            raise ContentError("the object has more lines than allowed")
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            raise ContentError("the object is not UTF-8") from None
        line = parse_line(text)
        if line is None:
            if not stack:
                raise ContentError("there is text outside of components")
            stack[-1].malformed += 1
        elif line.name == "BEGIN":
            if len(stack) >= bounds.depth:
                raise ContentError("components are nested too deeply")
            component = Component(line.value.strip().upper())
            (stack[-1].components if stack else roots).append(component)
            stack.append(component)
        elif not stack:
            raise ContentError("there is a property outside of components")
        elif line.name == "END":
            if line.value.strip().upper() != stack.pop().name:
                raise ContentError("an END does not match its BEGIN")
        else:
            stack[-1].properties.append(line)
    if stack:
        raise ContentError(f"{stack[-1].name} has no END")
    return roots
