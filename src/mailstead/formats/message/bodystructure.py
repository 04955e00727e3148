"""BODY and BODYSTRUCTURE as ready response bytes (RFC 9051 §7.5.2)."""

from collections.abc import Sequence

from mailstead.formats.message.envelope import envelope
from mailstead.formats.message.imap_string import nstring, string
from mailstead.formats.message.parameters import Parameters, parse_parameters
from mailstead.formats.message.part import Part
from mailstead.formats.message.structure import MESSAGE_TYPES, Node

_ASCII = (b"charset", b"us-ascii")


def bodystructure(node: Node, parts: Sequence[Part], limit: int) -> tuple[bytes, bytes]:
    """BODYSTRUCTURE and BODY of `node`, which differ by the extension data; at most `limit` addresses a field."""
    part = parts[node.index]
    if node.children and node.type == b"multipart":
        inner = [bodystructure(child, parts, limit) for child in node.children]
        subtype = string(node.subtype)
        extension = (_parameters(node.parameters), _disposition(node), _language(node), _location(node))
        whole, brief = (b"".join(bodies) for bodies in zip(*inner, strict=True))
        return b"(%b %b %b)" % (whole, subtype, b" ".join(extension)), b"(%b %b)" % (brief, subtype)
    parameters = node.parameters
    if node.type == b"text" and not any(name == b"charset" for name, _ in parameters):
        parameters = [_ASCII, *parameters]
    kind = string(node.type), string(node.subtype)
    basic = (
        _parameters(parameters),
        nstring(node.header.get(b"content-id")),
        nstring(node.header.get(b"content-description")),
        string(node.encoding or b"7bit"),
        b"%d" % (part.body_end - part.body_start),
    )
    long: tuple[bytes, ...] = basic
    short: tuple[bytes, ...] = basic
    if part.type in MESSAGE_TYPES and node.children:
        child = node.children[0]
        head = envelope(child.header, limit)
        lines = b"%d" % part.lines
        long, short = ((*basic, head, body, lines) for body in bodystructure(child, parts, limit))
    elif part.type in MESSAGE_TYPES:  # not looked into: an empty message keeps the form (RFC 9051 §7.5.2)
        kind = b'"application"', b'"octet-stream"'
    elif node.type == b"text":
        long = short = (*basic, b"%d" % part.lines)
    extension = (nstring(node.header.get(b"content-md5")), _disposition(node), _language(node), _location(node))
    return b"(%b)" % b" ".join((*kind, *long, *extension)), b"(%b)" % b" ".join((*kind, *short))


def _parameters(parameters: Parameters) -> bytes:
    if not parameters:
        return b"NIL"
    return b"(%b)" % b" ".join([string(text) for pair in parameters for text in pair])


def _disposition(node: Node) -> bytes:
    if not node.disposition:
        return b"NIL"
    return b"(%b %b)" % (string(node.disposition), _parameters(node.disposition_parameters))


def _language(node: Node) -> bytes:
    value = node.header.get(b"content-language")
    if not value:
        return b"NIL"
    languages = [language.strip() for language in parse_parameters(value)[0].split(b",") if language.strip()]
    if not languages:
        return b"NIL"
    return string(languages[0]) if len(languages) == 1 else b"(%b)" % b" ".join(map(string, languages))


def _location(node: Node) -> bytes:
    return nstring(node.header.get(b"content-location"))
