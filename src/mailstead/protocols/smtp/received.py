"""The trace field that every server adds (RFC 5321 §4.4), and what is read from a message's header on its way in."""

import re
from functools import lru_cache

import msgspec

from mailstead.formats.message.date import format_date
from mailstead.formats.message.header import header_end
from mailstead.foundation.net.connection import TLSInformation
from mailstead.foundation.spool import Spool
from mailstead.protocols.smtp.address import address_literal, is_address_literal, is_domain

HEADER_LIMIT = 256 * 1024
_RECEIVED = re.compile(rb"^received[ \t]*:", re.IGNORECASE | re.MULTILINE)
_MESSAGE_ID = re.compile(rb"^message-id[ \t]*:[ \t]*(?:\r?\n[ \t]+)?<?([^<>\s]{1,998})", re.IGNORECASE | re.MULTILINE)


class HeaderFacts(msgspec.Struct, frozen=True):
    """How many hosts a message has passed (RFC 5321 §6.3), and its Message-ID without angle brackets, "" without one."""

    hops: int
    message_id: str


def header_facts(message: Spool) -> HeaderFacts:
    """What the first 256 KiB of the header say."""
    held = b""
    for chunk in message.chunks():
        held += chunk
        end = header_end(held, 0, len(held))
        if end < len(held) or len(held) >= HEADER_LIMIT:
            break
    header = held[: min(header_end(held, 0, len(held)), HEADER_LIMIT)]
    found = _MESSAGE_ID.search(header)
    identifier = found[1].decode("utf-8", "replace") if found else ""
    return HeaderFacts(len(_RECEIVED.findall(header)), identifier)


def protocol_name(*, lmtp: bool, extended: bool, tls: bool, authenticated: bool, utf8: bool) -> str:
    """The word of the `with` clause (RFC 3848, RFC 6531 §4.3)."""
    base = "LMTP" if lmtp else "SMTP" if utf8 or not extended else "ESMTP"
    return f"{'UTF8' if utf8 else ''}{base}{'S' if tls else ''}{'A' if authenticated else ''}"


def from_clause(hello: str, address: str) -> str:
    """`from NAME ([ADDRESS])`: the name as the client gave it, the address as it is."""
    shown = hello if is_domain(hello) or is_address_literal(hello) else "unknown"
    return shown if address == "unix" else f"{shown} ({address_literal(address)})"


def received_field(
    *,
    client: str,
    hostname: str,
    protocol: str,
    tls: TLSInformation | None,
    identifier: str,
    recipient: str,
    now: float,
) -> bytes:
    """The field. `client` is the from clause; `recipient` is named when there is one alone, for others are no one's
    business (RFC 5321 §7.2)."""
    comment = f"\r\n\t({tls.version} {tls.cipher} {tls.bits} bits)" if tls is not None else ""
    clause = f"\r\n\tfor <{recipient}>" if recipient else ""
    return (
        f"Received: from {client}\r\n\tby {hostname} with {protocol} id {identifier}{comment}{clause};"
        f"\r\n\t{_date(int(now))}\r\n"
    ).encode()


@lru_cache(maxsize=4)
def _date(second: int) -> str:
    """The date of a second: many messages come within one."""
    return format_date(second)
