"""Addresses in header fields, as leniently read as they are written (RFC 5322 §3.4), in linear time."""

import re
from collections.abc import Iterator, Sequence

import msgspec

from mailstead.formats.message.encoded_word import decode_header_value

_TOKEN = re.compile(
    rb'(?P<space>\s+)|(?P<quoted>"(?:[^"\\]|\\.)*"?)|(?P<literal>\[[^\]]*\]?)|(?P<special>[<>,;:@()])|'
    rb"(?P<atom>(?:[^\s\"\[<>,;:@()]|\[(?=\Z))+)|(?P<other>.)",
    re.DOTALL,
)
_WORD = rb"[^\s\"<>(),:;@\[\]\\]+"
# the form of nearly every address that is met; anything else takes the tokenizer. Possessive (`*+`): giving octets
# back cannot help, and takes cubic time on long runs of spaces
_PLAIN = re.compile(
    rb'\s*+(?:"?([^"<>(),:;@\[\]\\]*+)"?\s*+<('
    + _WORD
    + rb")@("
    + _WORD
    + rb")>|("
    + _WORD
    + rb")@("
    + _WORD
    + rb"))\s*+(?:,|\Z)"
)
_QUOTED_PAIR = re.compile(rb"\\(.)", re.DOTALL)
ADDRESSES_LIMIT = 1000


class Address(msgspec.Struct, frozen=True, array_like=True):
    """One address as bytes of the field: `name` is not decoded.

    A group begins with an address that has nothing but its name in `group`, and ends with GROUP_END.
    """

    name: bytes
    local: bytes
    domain: bytes
    group: bytes | None = None
    ends_group: bool = False

    @property
    def specification(self) -> str:
        """local@domain as text, lower-case domain."""
        local, domain = self.local.decode("utf-8", "replace"), self.domain.decode("utf-8", "replace").lower()
        return f"{local}@{domain}" if domain else local

    @property
    def display_name(self) -> str:
        """The name decoded."""
        return decode_header_value(self.name)


GROUP_END = Address(b"", b"", b"", None, True)


def _tokens(value: bytes) -> Iterator[tuple[str, bytes]]:
    """Tokens; a comment is one, without its parentheses, and counts as space where it is no name."""
    depth, start = 0, 0
    for found in _TOKEN.finditer(value):
        kind, text = str(found.lastgroup), found[0]
        if kind == "special" and text == b"(":
            if depth == 0:
                start = found.end()
            depth += 1
        elif kind == "special" and text == b")":
            if depth == 1:
                yield "comment", value[start : found.start()]
            depth = max(depth - 1, 0)
        elif depth == 0:
            yield kind, text


def _unquote(text: bytes) -> bytes:
    inner = text[1:-1] if len(text) > 1 and text.endswith(b'"') else text[1:]
    return _QUOTED_PAIR.sub(rb"\1", inner)


class _Collector:
    """What was read of the address under way."""

    def __init__(self) -> None:
        self.words: list[tuple[str, bytes]] = []
        self.angle: list[bytes] | None = None
        self.closed = False
        self.complete = False
        self.comment = b""

    def add(self, kind: str, text: bytes) -> None:
        if kind == "comment":
            if self.complete or self.closed:
                self.comment = self.comment or _QUOTED_PAIR.sub(rb"\1", text).strip()
            kind, text = "space", b" "
        if self.angle is not None and not self.closed:
            if kind != "space":
                self.angle.append(text)
        else:
            self.words.append((kind, text))
            self.complete = self.complete or text == b"@"

    def phrase(self) -> bytes:
        joined = b"".join(
            _unquote(text) if kind == "quoted" else (b" " if kind == "space" else text) for kind, text in self.words
        )
        return joined.strip()

    def address(self) -> Address | None:
        if self.angle is not None:
            specification = b"".join(self.angle)
            if specification.startswith(b"@") and b":" in specification:  # an old route (RFC 5322 §4.4)
                specification = specification.partition(b":")[2]
            name = self.phrase() or self.comment
        else:
            specification = b"".join(text for kind, text in self.words if kind != "space")
            name = self.comment  # `ann@example.test (Ann)`: how names were once written (RFC 5322 §3.4)
            if b"@" not in specification:
                words = self.phrase()
                return Address(b"", words, b"") if words else None
        local, _, domain = specification.rpartition(b"@")
        if not local and not domain:
            return Address(name, b"", b"") if name else None
        if not local:
            local, domain = domain, b""
        if local.startswith(b'"'):
            local = _unquote(local)
        return Address(name, local, domain)


def parse_addresses(value: bytes, limit: int = ADDRESSES_LIMIT) -> list[Address]:
    """At most `limit` addresses of an unfolded field value; groups keep their begin and end. Never raises."""
    found: list[Address] = []
    position = 0
    while position < len(value) and len(found) < limit:
        plain = _PLAIN.match(value, position)
        if plain is None:
            break
        name, local, domain, bare_local, bare_domain = plain.groups()
        found.append(Address((name or b"").strip(), local or bare_local, domain or bare_domain))
        position = plain.end()
    if position >= len(value) or len(found) >= limit:
        return found
    value = value[position:]
    current = _Collector()
    in_group = False

    def finish() -> None:
        nonlocal current
        address = current.address()
        if address is not None:
            found.append(address)
        current = _Collector()

    for kind, text in _tokens(value):
        if len(found) >= limit:
            return found[:limit]
        inside = current.angle is not None and not current.closed
        if kind != "special" or text == b"@":
            current.add(kind, text)
        elif text == b"<":
            if current.angle is None:
                current.angle = []
        elif text == b">":
            current.closed = True
        elif text == b"," and not (inside and current.angle and current.angle[0] == b"@"):
            finish()
        elif text == b":" and not inside and not in_group:
            found.append(Address(b"", b"", b"", current.phrase()))
            current = _Collector()
            in_group = True
        elif text == b";" and in_group:
            finish()
            found.append(GROUP_END)
            in_group = False
        elif text == b";":
            finish()  # some programs separate addresses like this
        else:
            current.add(kind, text)
    finish()
    if in_group:
        found.append(GROUP_END)
    return found[:limit]


def address_text(addresses: Sequence[Address]) -> str:
    """The addresses for search and sorting: `Name <local@domain>, ...` decoded."""
    shown = []
    for address in addresses:
        if address.group is not None:
            if address.group:
                shown.append(decode_header_value(address.group))
        elif address.ends_group:
            continue
        elif address.name:
            shown.append(f"{address.display_name} <{address.specification}>")
        else:
            shown.append(address.specification)
    return ", ".join(shown)
