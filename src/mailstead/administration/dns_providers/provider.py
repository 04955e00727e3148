"""What a DNS provider does, and the forms of names and values on the way."""

from typing import Protocol

from mailstead.foundation.errors import MailsteadError

STRING_LIMIT = 255
"""Octets of one string of a TXT record (RFC 1035 §3.3)."""


class DnsProviderError(MailsteadError):
    """The provider did not do it; the detail has its words, never a credential."""

    http_status = 502
    public_text = "The DNS provider did not do that"


class UnsupportedRecordError(DnsProviderError):
    """The provider publishes no records of that type."""


class DnsProvider(Protocol):
    """Publishes records. Names are lower-case A-labels without the final dot, TXT values plain text, others as a master
    file has them (`10 mail.example.test.`). Everything raises DnsProviderError, `add` UnsupportedRecordError as well.
    """

    async def values(self, name: str, kind: str) -> tuple[str, ...]:
        """What is published at `name`."""
        ...

    async def add(self, name: str, kind: str, value: str, ttl: int = 3600) -> None:
        """Publish `value` beside the others; nothing to do where it is. `ttl` in seconds."""
        ...

    async def remove(self, name: str, kind: str, value: str) -> None:
        """Publish `value` no more; nothing to do where it is not."""
        ...


def zone_candidates(name: str) -> list[str]:
    """The names a zone that holds `name` may have, the longest first; never a top-level domain."""
    labels = name.split(".")
    return [".".join(labels[start:]) for start in range(len(labels) - 1)]


def same_value(kind: str, one: str, other: str) -> bool:
    """Whether two values say the same: names in any case and with or without the final dot, texts exactly."""
    return comparable(kind, one) == comparable(kind, other)


def comparable(kind: str, value: str) -> str:
    """A value in the form it is compared in."""
    return value if kind == "TXT" else " ".join(value.lower().rstrip(".").split())


def quoted(text: str) -> str:
    """A TXT value as a master file has it: strings of at most 255 octets in quotes (RFC 1035 §5.1)."""
    octets = text.encode("utf-8")
    pieces = [octets[start : start + STRING_LIMIT] for start in range(0, len(octets), STRING_LIMIT)] or [b""]
    return " ".join('"' + "".join(map(_escaped, piece)) + '"' for piece in pieces)


def _escaped(octet: int) -> str:
    if octet in b'"\\':
        return "\\" + chr(octet)
    return chr(octet) if 0x20 <= octet < 0x7F else f"\\{octet:03d}"


def unquoted(text: str) -> str:
    """The plain text of quoted strings; what has no quotes stays as it is. Raises DnsProviderError for broken quoting."""
    if not text.startswith('"'):
        return text
    octets = bytearray()
    position, inside = 0, False
    while position < len(text):
        character = text[position]
        position += 1
        if character == '"':
            inside = not inside
        elif not inside:
            if not character.isspace():
                raise DnsProviderError(detail="a text that cannot be read")
        elif character == "\\":
            digits = text[position : position + 3]
            if len(digits) == 3 and digits.isascii() and digits.isdigit() and int(digits) < 256:
                octets.append(int(digits))
                position += 3
            else:
                octets += text[position : position + 1].encode("utf-8")
                position += 1
        else:
            octets += character.encode("utf-8")
    if inside:
        raise DnsProviderError(detail="a text that cannot be read")
    return octets.decode("utf-8", "replace")
