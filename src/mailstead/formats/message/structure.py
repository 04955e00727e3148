"""The MIME tree by offsets (RFC 2046 §5.1): nothing is copied, nothing is decoded.

    multipart-body = [preamble] *(delimiter part) close-delimiter [epilogue];  delimiter = line-break "--" boundary

An outer boundary ends an inner multipart that was never closed. What cannot be told apart stays a leaf.
"""

import re

import msgspec

from mailstead.formats.message.encoded_word import decode_header_value
from mailstead.formats.message.header import first_values, header_end
from mailstead.formats.message.lines import LineCount
from mailstead.formats.message.parameters import Parameters, parameter_text, parse_parameters
from mailstead.formats.message.part import Bounds, Octets, Part

_TOKEN = re.compile(rb"[!#-'*+.0-9A-Z^_`a-z{|}~-]{1,80}")
_TYPE = re.compile(rb"%b/%b" % (_TOKEN.pattern, _TOKEN.pattern))
_DELIMITER_REST = re.compile(rb"(--)?[ \t]*(?:\r?\n|\Z)")
_CANDIDATES = 100
_LF = 10
_IDENTITY = ("", "7bit", "8bit", "binary")
MESSAGE_TYPES = ("message/rfc822", "message/global")


class Node(msgspec.Struct):
    """A part with what BODYSTRUCTURE says of it."""

    index: int
    header: dict[bytes, bytes]
    type: bytes
    subtype: bytes
    parameters: Parameters
    encoding: bytes
    disposition: bytes
    disposition_parameters: Parameters
    children: list["Node"]


class Structure:
    """Builds the table and the tree of one message."""

    def __init__(self, raw: Octets, bounds: Bounds) -> None:
        self.raw = raw
        self.parts: list[Part] = []
        self._bounds = bounds
        self._lines = LineCount(raw)
        self._scans_left = len(raw) * bounds.scan_factor + 65536
        self.root = self._read(0, len(raw), "", -1, 0, b"text/plain")

    def _read(self, start: int, end: int, path: str, parent: int, depth: int, default: bytes) -> Node:
        raw = self.raw
        body_start = header_end(raw, start, end)
        block = raw[start : min(body_start, start + self._bounds.header_size)]
        header = first_values(block, self._bounds.header_size)
        main, parameters = parse_parameters(header.get(b"content-type", b""))
        kind, _, subtype = main.partition(b"/")
        if not _TYPE.fullmatch(main):
            kind, _, subtype = default.partition(b"/")
            if b"content-type" in header and main not in (b"", b"text"):
                parameters = []
        encoding = parse_parameters(header.get(b"content-transfer-encoding", b""))[0]
        if not _TOKEN.fullmatch(encoding):
            encoding = b""
        disposition, disposition_parameters = parse_parameters(header.get(b"content-disposition", b""))
        index = len(self.parts)
        node = Node(index, header, kind, subtype, parameters, encoding, disposition, disposition_parameters, [])
        ranges: list[tuple[int, int]] = []
        deeper = depth < self._bounds.nesting and len(self.parts) < self._bounds.parts
        if kind == b"multipart":
            boundary = next((value for name, value in parameters if name == b"boundary"), b"").rstrip()
            if deeper and boundary:
                ranges = self._split(body_start, end, boundary)
            if not ranges:
                node.type, node.subtype, node.parameters = b"text", b"plain", []
        self.parts.append(self._part(node, path, parent, start, body_start, end))
        if ranges:
            prefix = path.removesuffix(".TEXT")
            child_default = b"message/rfc822" if node.subtype == b"digest" else b"text/plain"
            for number, (child_start, child_end) in enumerate(ranges, 1):
                if len(self.parts) >= self._bounds.parts:
                    break
                child_path = f"{prefix}.{number}" if prefix else str(number)
                node.children.append(self._read(child_start, child_end, child_path, index, depth + 1, child_default))
        elif deeper and self.parts[index].type in MESSAGE_TYPES and encoding.decode() in _IDENTITY:
            inner = path or "1"
            child = self._read(body_start, end, f"{inner}.1", index, depth + 1, b"text/plain")
            if child.type == b"multipart":
                self._rename(child.index, f"{inner}.TEXT", f"{inner}.1", inner)
            node.children.append(child)
        return node

    def _rename(self, index: int, path: str, old: str, new: str) -> None:
        """The inner message turned out to be a multipart: its parts are numbered below the outer part itself."""
        self.parts[index] = msgspec.structs.replace(self.parts[index], path=path)
        for place in range(index + 1, len(self.parts)):
            part = self.parts[place]
            self.parts[place] = msgspec.structs.replace(part, path=new + part.path.removeprefix(old))

    def _split(self, start: int, end: int, boundary: bytes) -> list[tuple[int, int]]:
        """Ranges of the parts between the delimiters in `start` to `end`; none when there is no delimiter."""
        self._scans_left -= end - start
        if self._scans_left < 0:
            return []
        raw = self.raw
        delimiter = b"--" + boundary
        ranges: list[tuple[int, int]] = []
        begun = -1
        position = start
        for _ in range(self._bounds.parts * _CANDIDATES):
            found = raw.find(delimiter, position, end)
            if found < 0:
                break
            position = found + len(delimiter)
            if found != start and raw[found - 1] != _LF:
                continue
            rest = _DELIMITER_REST.match(raw, position, end)
            if rest is None:
                continue
            if begun >= 0:
                before = found - 2 if raw[found - 2 : found] == b"\r\n" else found - 1
                ranges.append((begun, max(before, begun)))
            begun = -1
            if rest[1] or len(ranges) >= self._bounds.parts:
                break
            position = begun = rest.end()
        if begun >= 0:
            ranges.append((begun, end))
        return ranges

    def _part(self, node: Node, path: str, parent: int, start: int, body_start: int, end: int) -> Part:
        filename = parameter_text(node.disposition_parameters, b"filename") or parameter_text(node.parameters, b"name")
        lines = 0
        kind = f"{node.type.decode()}/{node.subtype.decode()}"
        if node.type == b"text" or kind in MESSAGE_TYPES:
            lines = self._lines.between(body_start, end)
        return Part(
            path=path,
            parent=parent,
            header_start=start,
            body_start=body_start,
            body_end=end,
            type=kind,
            charset=parameter_text(node.parameters, b"charset").lower(),
            encoding=node.encoding.decode(),
            disposition=node.disposition.decode("ascii", "replace"),
            filename=filename.replace("\0", ""),
            content_id=decode_header_value(node.header.get(b"content-id", b"")).strip().strip("<>"),
            lines=lines,
        )
