"""Finding a mail server's TLSA records (RFC 7672 §2.2)."""

import asyncio

import msgspec

from mailstead.mail.authentication.dane.record import TlsaRecord, parse_tlsa
from mailstead.mail.authentication.resolving import Resolving, lookup

_RECORDS_LIMIT = 20


class Dane(msgspec.Struct, frozen=True):
    """What a server commits itself to: TLS, and with `records` a certificate that one of them matches.

    `base` is the name at which they stand, one of the names that a DANE-TA certificate may be for.
    """

    base: str
    records: tuple[TlsaRecord, ...]


async def find_dane(resolver: Resolving, host: str, port: int, *, mx_authenticated: bool) -> Dane | None:
    """The commitment of `host`, found by authenticated MX records or none; None without one.

    Raises ResolutionError: where a server's addresses are authenticated and its TLSA records cannot be looked up, it must
    not be used (RFC 7672 §2.1.1).
    """
    if not mx_authenticated:
        return None
    answers = await asyncio.gather(lookup(resolver, host, "A"), lookup(resolver, host, "AAAA"))
    found = [answer for answer in answers if answer.outcome == "found"]
    if not found or not all(answer.authenticated for answer in found):
        return None
    names = dict.fromkeys([found[0].canonical or host, host])  # the end of a chain of aliases first (§2.2.3)
    for name in names:
        answer = await lookup(resolver, f"_{port}._tcp.{name}", "TLSA")
        if answer.outcome == "found" and answer.authenticated:
            records = [parse_tlsa(text) for text in answer.records[:_RECORDS_LIMIT]]
            return Dane(name, tuple(record for record in records if record is not None))
    return None
