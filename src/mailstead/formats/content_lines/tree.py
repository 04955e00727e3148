"""A component that can be changed and written again: what was not touched keeps its octets, folds and all.

RFC 5545 §3.4. Lines that are no content lines stay where they are.
"""

from collections.abc import Callable, Iterator

import msgspec

from mailstead.formats.content_lines.component import Component, ContentBounds
from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.content_lines.line import ContentLine, parse_line, unfolded
from mailstead.formats.content_lines.write import write_line


class TreeLine(msgspec.Struct, frozen=True):
    """One line: as it was written, and what it says (None: it is no content line)."""

    octets: bytes
    content: ContentLine | None


class Tree:
    """A component with everything in it in its order."""

    __slots__ = ("begin", "end", "items", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.begin = b"BEGIN:%s\r\n" % name.encode()
        self.end = b"END:%s\r\n" % name.encode()
        self.items: list[TreeLine | Tree] = []

    @property
    def lines(self) -> Iterator[ContentLine]:
        """The properties in their order."""
        for item in self.items:
            if isinstance(item, TreeLine) and item.content is not None:
                yield item.content

    @property
    def components(self) -> "Iterator[Tree]":
        """The components in their order."""
        for item in self.items:
            if isinstance(item, Tree):
                yield item

    def children(self, name: str) -> "list[Tree]":
        """The components of that name directly in this one."""
        return [one for one in self.components if one.name == name]

    def all(self, name: str) -> list[ContentLine]:
        """All properties of that name."""
        return [line for line in self.lines if line.name == name]

    def first(self, name: str) -> ContentLine | None:
        """The first property of that name."""
        return next((line for line in self.lines if line.name == name), None)

    def value(self, name: str) -> str:
        """The value of the first property of that name as written, without blanks around it; empty without one."""
        line = self.first(name)
        return "" if line is None else line.value.strip()

    def text(self, name: str) -> str:
        """The first property of that name as TEXT; empty without one."""
        line = self.first(name)
        return "" if line is None else line.text.strip()

    def add(self, *lines: ContentLine) -> None:
        """Add properties after those there are, before the components."""
        place = next((at for at, item in enumerate(self.items) if isinstance(item, Tree)), len(self.items))
        self.items[place:place] = [TreeLine(write_line(line), line) for line in lines]

    def set(self, line: ContentLine) -> None:
        """Make `line` the only property of its name, in the place of the first; nothing changes when it says the same."""
        found = self.all(line.name)
        if found == [line]:
            return
        if not found:
            self.add(line)
            return
        rest = iter([line])
        self.replace(line.name, lambda _: next(rest, None))

    def remove(self, *names: str) -> None:
        """Take away the properties of these names."""
        self.items = [
            item
            for item in self.items
            if isinstance(item, Tree) or item.content is None or item.content.name not in names
        ]

    def remove_components(self, *names: str) -> None:
        """Take away the components of these names."""
        self.items = [item for item in self.items if isinstance(item, TreeLine) or item.name not in names]

    def drop(self, component: "Tree") -> None:
        """Take away one component."""
        self.items = [item for item in self.items if item is not component]

    def replace(self, name: str, change: Callable[[ContentLine], ContentLine | None]) -> None:
        """Put what `change` says in the place of each property of that name; None takes it away."""
        kept: list[TreeLine | Tree] = []
        for item in self.items:
            if isinstance(item, Tree) or item.content is None or item.content.name != name:
                kept.append(item)
                continue
            line = change(item.content)
            if line == item.content:
                kept.append(item)
            elif line is not None:
                kept.append(TreeLine(write_line(line), line))
        self.items = kept

    def copy(self) -> "Tree":
        """Another tree, to be changed on its own."""
        made = Tree(self.name)
        made.begin, made.end = self.begin, self.end
        made.items = [item if isinstance(item, TreeLine) else item.copy() for item in self.items]
        return made

    def octets(self) -> bytes:
        """As it is written."""
        parts: list[bytes] = []
        self._write(parts)
        return b"".join(parts)

    def _write(self, parts: list[bytes]) -> None:
        parts.append(self.begin)
        for item in self.items:
            if isinstance(item, TreeLine):
                parts.append(item.octets)
            else:
                item._write(parts)
        parts.append(self.end)

    def component(self) -> Component:
        """What it says, for reading."""
        made = Component(self.name)
        for item in self.items:
            if isinstance(item, Tree):
                made.components.append(item.component())
            elif item.content is not None:
                made.properties.append(item.content)
            else:
                made.malformed += 1
        return made


def read_tree(data: bytes, bounds: ContentBounds) -> Tree:
    """The one component of `data`; `octets()` of it gives `data` again, but for blank lines around it.

    Raises ContentError.
    """
    roots = read_trees(data, bounds)
    if len(roots) != 1:
        raise ContentError("exactly one component is wanted")
    return roots[0]


def read_trees(data: bytes, bounds: ContentBounds) -> list[Tree]:
    """The outermost components of `data`. Raises ContentError."""
    if len(data) > bounds.size:
        raise ContentError("the object is larger than allowed")
    roots: list[Tree] = []
    stack: list[Tree] = []
    for count, octets in enumerate(_logical_lines(data.removeprefix(b"\xef\xbb\xbf")), 1):
        if count > bounds.lines:
            raise ContentError("the object has more lines than allowed")
        raw = next(unfolded(octets))
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            raise ContentError("the object is not UTF-8") from None
        content = parse_line(text)
        if content is not None and content.name == "BEGIN":
            if len(stack) >= bounds.depth:
                raise ContentError("components are nested too deeply")
            made = Tree(content.value.strip().upper())
            made.begin = octets
            (stack[-1].items if stack else roots).append(made)
            stack.append(made)
        elif not stack:
            if raw.strip():
                raise ContentError("there is text outside of components")
        elif content is not None and content.name == "END":
            ended = stack.pop()
            if content.value.strip().upper() != ended.name:
                raise ContentError("an END does not match its BEGIN")
            ended.end = octets if octets.endswith(b"\n") else octets + b"\r\n"
        else:
            stack[-1].items.append(TreeLine(octets, content))
    if stack:
        raise ContentError(f"{stack[-1].name} has no END")
    return roots


def _logical_lines(data: bytes) -> Iterator[bytes]:
    """Each line with its folds and its end."""
    start, length = 0, len(data)
    while start < length:
        end = data.find(b"\n", start) + 1 or length
        while data[end : end + 1] in (b" ", b"\t"):
            end = data.find(b"\n", end) + 1 or length
        yield data[start:end]
        start = end
