"""A:filter: as it is written, and whether a card meets it (RFC 6352 §10.5)."""

from collections.abc import Callable, Iterable

import msgspec

from mailstead.formats.content_lines.component import Component
from mailstead.formats.content_lines.line import ContentLine
from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.names import a
from mailstead.protocols.dav.text_match import TextMatch, text_match
from mailstead.protocols.dav.xml.reader import Element

Test = Callable[[Iterable[bool]], bool]
_TESTS: dict[str, Test] = {"anyof": any, "allof": all}


class ParameterFilter(msgspec.Struct, frozen=True):
    """A condition on a parameter."""

    name: str
    is_absent: bool
    text: TextMatch | None

    def met_by(self, line: ContentLine) -> bool:
        """Whether the property's parameter meets it."""
        is_there = line.parameter(self.name) is not None
        if self.is_absent:
            return not is_there
        return is_there and (self.text is None or self.text.matches(line.parameter_values(self.name)))


class PropertyFilter(msgspec.Struct, frozen=True):
    """Conditions on properties of a name, which may have a group before it."""

    name: str
    is_absent: bool
    test: Test
    texts: tuple[TextMatch, ...]
    parameters: tuple[ParameterFilter, ...]

    def met_by(self, card: Component) -> bool:
        """Whether the card meets it."""
        group, _, name = self.name.rpartition(".")
        lines = [one for one in card.all(name) if not group or one.group.upper() == group]
        if self.is_absent:
            return not lines
        if not self.texts and not self.parameters:
            return bool(lines)
        return any(self._met_by_line(line) for line in lines)

    def _met_by_line(self, line: ContentLine) -> bool:
        return self.test(
            [text.matches([line.text]) for text in self.texts] + [one.met_by(line) for one in self.parameters]
        )


class CardFilter(msgspec.Struct, frozen=True):
    """Conditions on a card; without any, every card meets it."""

    test: Test
    properties: tuple[PropertyFilter, ...]

    def met_by(self, card: Component) -> bool:
        """Whether the card meets it."""
        return not self.properties or self.test(one.met_by(card) for one in self.properties)


def parse_filter(element: Element | None) -> CardFilter:
    """The filter. Raises DavError."""
    if element is None:
        raise _invalid("A filter is wanted")
    return CardFilter(_test(element), tuple(_property(one) for one in element.all(a("prop-filter"))))


def _invalid(text: str) -> DavError:
    return DavError(400, text, a("valid-filter"))


def _test(element: Element) -> Test:
    found = _TESTS.get(element.attributes.get("test", "anyof"))
    if found is None:
        raise _invalid("A test is anyof or allof")
    return found


def _name(element: Element) -> str:
    name = element.attributes.get("name", "").strip().upper()
    if not name:
        raise _invalid("A filter has a name")
    return name


def _text(element: Element) -> TextMatch:
    return text_match(element, "i;unicode-casemap", a("supported-collation"), a("valid-filter"))


def _property(element: Element) -> PropertyFilter:
    absent = element.first(a("is-not-defined")) is not None
    if absent and len(element.children) > 1:
        raise _invalid("What is not defined has no other condition")
    parameters = []
    for one in element.all(a("param-filter")):
        text = one.first(a("text-match"))
        parameters.append(
            ParameterFilter(
                _name(one), one.first(a("is-not-defined")) is not None, _text(text) if text is not None else None
            )
        )
    texts = tuple(_text(one) for one in element.all(a("text-match")))
    return PropertyFilter(_name(element), absent, _test(element), texts, tuple(parameters))
