"""One content line (RFC 5545 §3.1, RFC 6350 §3.3).

    contentline = [group "."] name *(";" param) ":" value CRLF
    param       = param-name "=" param-value *("," param-value)

A parameter without a value, as vCard 2.1 has them (`TEL;HOME:`), is taken for a TYPE.
"""

import re
from collections.abc import Iterator

import msgspec

_FOLD = re.compile(rb"\r?\n[ \t]")
_HEAD = re.compile(r"(?:([A-Za-z0-9_-]+)\.)?([A-Za-z0-9_-]+)")
_PARAMETER = re.compile(
    r";([A-Za-z0-9_-]+)(?:=((?:\"[^\"]*\"|[^\";:,]*)(?:,(?:\"[^\"]*\"|[^\";:,]*))*))?(?=[;:])", re.ASCII
)
_VALUE = re.compile(r"\"([^\"]*)\"|([^,\"]+)")
_CARET = re.compile(r"\^([n'^])")
_CARETS = {"n": "\n", "'": '"', "^": "^"}
_ESCAPE = re.compile(r"\\([nN\\,;:])")


class ContentLine(msgspec.Struct, frozen=True):
    """A property as written; `name` and the names of parameters are in upper case, parameter values decoded."""

    name: str
    value: str
    parameters: tuple[tuple[str, tuple[str, ...]], ...] = ()
    group: str = ""

    def parameter(self, name: str) -> str | None:
        """The first value of a parameter, None without it."""
        for found, values in self.parameters:
            if found == name:
                return values[0] if values else ""
        return None

    def parameter_values(self, name: str) -> list[str]:
        """All values of a parameter, which may come more than once."""
        return [value for found, values in self.parameters if found == name for value in values]

    @property
    def text(self) -> str:
        """The value as TEXT, escapes taken off (RFC 5545 §3.3.11)."""
        return unescape(self.value)


def unescape(value: str) -> str:
    r"""TEXT without its escapes: \n, \\, \, and \;."""
    if "\\" not in value:
        return value
    return _ESCAPE.sub(lambda match: "\n" if match[1] in "nN" else match[1], value)


def _decode_caret(value: str) -> str:
    """A parameter's value without carets (RFC 6868 §3.1)."""
    return _CARET.sub(lambda match: _CARETS[match[1]], value) if "^" in value else value


def unfolded(data: bytes) -> Iterator[bytes]:
    """The lines of `data` without folds and ends; a fold may part the octets of a character."""
    if b"\n " in data or b"\n\t" in data:
        data = _FOLD.sub(b"", data)
    for line in data.split(b"\n"):
        yield line.removesuffix(b"\r")


def parse_line(line: str) -> ContentLine | None:
    """The line, or None when it has not the form of one."""
    head = _HEAD.match(line)
    if head is None:
        return None
    place = head.end()
    name, group = head[2].upper(), head[1] or ""
    if line[place : place + 1] == ":":
        return ContentLine(name, line[place + 1 :], (), group)
    parameters: list[tuple[str, tuple[str, ...]]] = []
    while line[place : place + 1] == ";":
        match = _PARAMETER.match(line, place)
        if match is None:
            return None
        given = match[2]
        if given is None:
            parameters.append(("TYPE", (match[1],)))
        else:
            values = tuple(_decode_caret(one[1] or one[2] or "") for one in _VALUE.finditer(given))
            parameters.append((match[1].upper(), values))
        place = match.end()
    if line[place : place + 1] != ":":
        return None
    return ContentLine(name, line[place + 1 :], tuple(parameters), group)
