"""The octets of a message, read as they are asked for."""

from collections.abc import Iterator

from mailstead.formats.message.part import Part
from mailstead.stores.mailbox.handle import Handle
from mailstead.stores.mailbox.messages import decode_parts
from mailstead.stores.mailbox.recipe import read_message


class MessageContent:
    """The octets of one message, read as they are asked for."""

    def __init__(
        self, handle: Handle, message_id: int, size: int, parts: bytes, recipe: bytes, octets: bytes | None = None
    ) -> None:
        self._handle = handle
        self._octets = octets
        self._recipe = recipe
        self._parts = parts
        self.message_id = message_id
        self.size = size

    @property
    def parts(self) -> tuple[Part, ...]:
        """The part table."""
        return decode_parts(self._parts)

    @property
    def octets(self) -> bytes | None:
        """The whole message where it was read ahead."""
        return self._octets

    def read(self, start: int = 0, end: int | None = None) -> bytes:
        """The octets `start` to `end`."""
        return b"".join(self.chunks(start, end))

    def chunks(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The same in pieces of at most about 256 KiB."""
        end = self.size if end is None else min(end, self.size)
        if self._octets is not None:
            yield self._octets[start:end]
            return
        with self._handle.stream() as connection:
            yield from read_message(connection, connection.codec, self._recipe, start, end)
