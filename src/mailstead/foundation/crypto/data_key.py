"""The key of one mailbox database."""

import os
from typing import Self


class DataKey:
    """256 random bits in a buffer that is zeroed when closed; never shown."""

    __slots__ = ("_buffer",)

    SIZE = 32

    def __init__(self, raw: bytes | bytearray) -> None:
        if len(raw) != self.SIZE:
            raise ValueError("a data key has 32 octets")
        self._buffer = bytearray(raw)

    @classmethod
    def generate(cls) -> Self:
        """A new random key."""
        return cls(os.urandom(cls.SIZE))

    def raw(self) -> bytes:
        """The key. Raises ValueError once closed."""
        if not self._buffer:
            raise ValueError("the key was closed")
        return bytes(self._buffer)

    def hex(self) -> str:
        """The key as 64 hexadecimal digits. Raises ValueError once closed."""
        return self.raw().hex()

    def copy(self) -> "DataKey":
        """The same key in a buffer of its own."""
        return DataKey(self.raw())

    def close(self) -> None:
        """Zero the buffer."""
        for index in range(len(self._buffer)):
            self._buffer[index] = 0
        self._buffer.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return "DataKey(...)"

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("keys are not serialised")
