"""Policies and the records that announce them (RFC 8461 §3)."""

import hashlib
import re
from typing import Literal

import msgspec

from mailstead.mail.authentication.tags import TagSyntaxError, parse_tags

Mode = Literal["enforce", "testing", "none"]

MAX_AGE_MOST = 31_557_600  # seconds, RFC 8461 §3.2
_ID = re.compile(r"[A-Za-z0-9]{1,32}")
_DIGITS = re.compile(r"[0-9]{1,10}")
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_PATTERN = re.compile(rf"(?:\*\.)?(?:{_LABEL}\.)*{_LABEL}")
_MX_LIMIT = 100
_MODES: dict[str, Mode] = {"enforce": "enforce", "testing": "testing", "none": "none"}


class StsPolicyError(Exception):
    """The text is no policy; says why."""


class StsPolicy(msgspec.Struct, frozen=True):
    """A policy: `mx` patterns in lower case, `max_age` in seconds."""

    mode: Mode
    mx: tuple[str, ...]
    max_age: int

    def allows(self, host: str) -> bool:
        """Whether a mail server may be used (RFC 8461 §4.1): a wildcard stands for exactly one label."""
        name = host.lower().removesuffix(".")
        return any(
            name.partition(".")[2] == pattern[2:] if pattern.startswith("*.") else name == pattern
            for pattern in self.mx
        )


def parse_policy(text: str) -> StsPolicy:
    """The policy in a fetched body. Raises StsPolicyError."""
    values: dict[str, str] = {}
    patterns: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        if not line.strip(" \t"):
            continue
        key, colon, value = line.partition(":")
        if not colon:
            raise StsPolicyError(f"{line[:60]!r} is no field")
        value = value.strip(" \t")
        if key == "mx":
            if len(value) > 255 or not _PATTERN.fullmatch(value):
                raise StsPolicyError(f"{value[:60]!r} is no name of a mail server")
            patterns.append(value.lower())
        else:
            values.setdefault(key, value)  # the first counts (RFC 8461 §3.2)
    if values.get("version") != "STSv1":
        raise StsPolicyError("version is not STSv1")
    mode = _MODES.get(values.get("mode", ""))
    if mode is None:
        raise StsPolicyError("mode is unknown")
    if not _DIGITS.fullmatch(values.get("max_age", "")):
        raise StsPolicyError("max_age is no number")
    if len(patterns) > _MX_LIMIT:
        raise StsPolicyError("too many mail servers")
    if not patterns and mode != "none":
        raise StsPolicyError("no mail servers")
    return StsPolicy(mode, tuple(patterns), min(int(values["max_age"]), MAX_AGE_MOST))


def format_policy(policy: StsPolicy) -> str:
    """The policy as it is served (RFC 8461 §3.2)."""
    lines = [
        "version: STSv1",
        f"mode: {policy.mode}",
        *(f"mx: {name}" for name in policy.mx),
        f"max_age: {policy.max_age}",
    ]
    return "\r\n".join(lines) + "\r\n"


def new_policy_id(policy: StsPolicy) -> str:
    """An id that changes with the policy, and with nothing else (RFC 8461 §3.1)."""
    return hashlib.sha256(format_policy(policy).encode()).hexdigest()[:20]


def policy_id(records: tuple[str, ...]) -> str:
    """The id that the TXT records at `_mta-sts` announce, "" when they announce none (RFC 8461 §3.1)."""
    announced = [text for text in records if re.match(r"v=STSv1[ \t]*;", text)]
    if len(announced) != 1:
        return ""
    try:
        found = parse_tags(announced[0]).get("id", "")
    except TagSyntaxError:
        return ""
    return found if _ID.fullmatch(found) else ""
