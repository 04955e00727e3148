"""The ARC sets of a message (RFC 8617 §4.2)."""

import re
from typing import Literal

import msgspec

from mailstead.mail.authentication.dkim.signature import SignatureSyntaxError, tags_of
from mailstead.mail.authentication.message import CheckedMessage

INSTANCES_LIMIT = 50  # RFC 8617 §4.2.1
Part = Literal["arc-authentication-results", "arc-message-signature", "arc-seal"]

_PARTS: tuple[Part, ...] = ("arc-authentication-results", "arc-message-signature", "arc-seal")
_BY_KEY: dict[bytes, Part] = {part.encode(): part for part in _PARTS}
_INSTANCE = re.compile(rb"[ \t\r\n]*i[ \t\r\n]*=[ \t\r\n]*([0-9]{1,4})[ \t\r\n]*;")
_FIELDS_LIMIT = 3 * INSTANCES_LIMIT


class ChainError(Exception):
    """The message's ARC fields are no valid chain; says why. `instances` is the highest instance that was met."""

    def __init__(self, reason: str, instances: int = 0) -> None:
        super().__init__(reason)
        self.instances = instances


class ArcSet(msgspec.Struct, frozen=True):
    """One set: where its fields stand in the message, and the tags of its two signatures."""

    instance: int
    results: int
    message_signature: int
    seal: int
    message_tags: dict[str, str]
    seal_tags: dict[str, str]


def has_chain(message: CheckedMessage) -> bool:
    """Whether there is any ARC field."""
    return any(field.key in _BY_KEY for field in message.fields)


def collect(message: CheckedMessage) -> list[ArcSet]:
    """The sets from the first to the newest, of sound structure (RFC 8617 §5.2 steps 1 to 3). Raises ChainError."""
    found: dict[int, dict[Part, tuple[int, dict[str, str]]]] = {}
    count = 0
    for position, field in enumerate(message.fields):
        part = _BY_KEY.get(field.key)
        if part is None:
            continue
        count += 1
        if count > _FIELDS_LIMIT:
            raise ChainError("more than 50 sets")
        tags: dict[str, str] = {}
        if part == "arc-authentication-results":
            matched = _INSTANCE.match(field.value)
            number = matched[1].decode() if matched else ""
        else:
            tags = _tags(part, field.value)
            number = tags.get("i", "")
        if not re.fullmatch(r"[0-9]{1,4}", number) or not 1 <= int(number) <= INSTANCES_LIMIT:
            raise ChainError(f"{part} has no instance from 1 to 50")
        parts = found.setdefault(int(number), {})
        if part in parts:
            raise ChainError(f"instance {int(number)} has {part} twice", max(found))
        parts[part] = position, tags
    sets = []
    newest = max(found)
    for instance in range(1, newest + 1):
        parts = found.get(instance, {})
        lacking = [part for part in _PARTS if part not in parts]
        if lacking:
            raise ChainError(f"instance {instance} lacks {lacking[0]}", newest)
        results, signature, seal = (parts[part] for part in _PARTS)
        sets.append(ArcSet(instance, results[0], signature[0], seal[0], signature[1], seal[1]))
    if sets[-1].seal_tags.get("cv") == "fail":
        raise ChainError(f"instance {newest} says that the chain was broken before", newest)
    for one in sets:
        if one.seal_tags.get("cv", "").lower() != ("none" if one.instance == 1 else "pass"):
            raise ChainError(f"instance {one.instance} has the wrong cv=", newest)
    return sets


def _tags(part: Part, value: bytes) -> dict[str, str]:
    try:
        return tags_of(value)
    except SignatureSyntaxError as error:
        raise ChainError(f"{part}: {error}") from error
