"""The table of a message's parts."""

import mmap
from typing import Protocol, TypeAlias

import msgspec

Octets: TypeAlias = bytes | mmap.mmap  # a message as it is: in memory, or a file mapped into it


class Sliceable(Protocol):
    """Bytes of which only stretches are asked for."""

    def __getitem__(self, stretch: slice, /) -> bytes:
        """The octets of that stretch."""
        ...


class Bounds(msgspec.Struct, frozen=True):
    """What is looked at; the rest of a message is kept as it is but not told apart."""

    nesting: int = 64
    parts: int = 1000
    header_size: int = 256 * 1024
    addresses: int = 1000
    scan_factor: int = 12  # how many times the message's size may be gone through while looking for boundaries


class Part(msgspec.Struct, frozen=True, array_like=True):
    """One part; the table is in pre-order, its first entry the message itself.

    `path` is the IMAP section number (RFC 9051 §6.4.5.1): "" for the message, "1", "1.2". The message inside a
    message/rfc822 part "2" has the path "2.1" when it has one body, "2.TEXT" when it is a multipart itself.
    `header_start` to `body_start` is the header with its empty line.
    """

    path: str
    parent: int
    header_start: int
    body_start: int
    body_end: int
    type: str
    charset: str
    encoding: str
    disposition: str
    filename: str
    content_id: str
    lines: int

    @property
    def is_multipart(self) -> bool:
        """Whether the part only holds others."""
        return self.type.startswith("multipart/")
