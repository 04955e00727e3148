"""The steps of an exchange and the mechanisms PLAIN and LOGIN.

A session decodes base64, cancels on `*`, and feeds each response to `step` until it gives Credentials or Failed.
"""

import base64
import binascii
from collections.abc import Callable
from typing import Protocol

import msgspec

RESPONSE_LIMIT = 12 * 1024
_TEXT_LIMIT = 1024


class Challenge(msgspec.Struct, frozen=True):
    """What the server says next, not yet in base64."""

    data: bytes


class Credentials(msgspec.Struct, frozen=True):
    """Whom the client says it is and its proof; `authorize_as` is empty or whom it wants to act as."""

    login: str
    password: str
    authorize_as: str = ""

    def __repr__(self) -> str:
        return f"Credentials({self.login!r}, ...)"


class Failed(msgspec.Struct, frozen=True):
    """The response was not of the mechanism's form."""

    why: str


Step = Challenge | Credentials | Failed


class Mechanism(Protocol):
    """One exchange."""

    def step(self, response: bytes | None) -> Step:
        """The next step for a response; None when the client sent no initial response."""
        ...


def decode_response(line: bytes) -> bytes | None:
    """The bytes of a base64 line, None when it is not base64 (RFC 4954 §4); `=` alone is an empty response."""
    if line == b"=":
        return b""
    if len(line) > RESPONSE_LIMIT:
        return None
    try:
        return base64.b64decode(line, validate=True)
    except binascii.Error:
        return None


class Plain:
    """message = [authzid] NUL authcid NUL passwd (RFC 4616 §2)."""

    def step(self, response: bytes | None) -> Step:
        """Credentials from the one message."""
        if response is None:
            return Challenge(b"")
        parts = response.split(b"\0")
        if len(parts) != 3 or not parts[1] or max(map(len, parts)) > _TEXT_LIMIT:
            return Failed("not a PLAIN message")
        try:
            authorize_as, login, password = (part.decode("utf-8") for part in parts)
        except UnicodeDecodeError:
            return Failed("not UTF-8")
        return Credentials(login, password, authorize_as)


class Login:
    """The old LOGIN exchange: a name, then a password, each in answer to a prompt."""

    def __init__(self) -> None:
        self._login: str | None = None

    def step(self, response: bytes | None) -> Step:
        """Prompts, then credentials."""
        if response is None:
            return Challenge(b"Username:")
        try:
            text = response.decode("utf-8")
        except UnicodeDecodeError:
            return Failed("not UTF-8")
        if len(response) > _TEXT_LIMIT or "\0" in text:
            return Failed("not a LOGIN response")
        if self._login is None:
            self._login = text
            return Challenge(b"Password:")
        return Credentials(self._login, text)


MECHANISMS: dict[str, Callable[[], Mechanism]] = {"PLAIN": Plain, "LOGIN": Login}
