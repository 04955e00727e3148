"""What is done to a message that an alias, or a filter's redirect, passes on.

Delivered-To (RFC 9228) marks where it was, so that it is known when it comes back. The return path becomes one of the
alias's domain (SRS), so that SPF holds and bounces come back here. ARC (RFC 8617) tells the receiver what was found out
on arrival. The author stays who it is, but where DMARC held by SPF alone under a policy that refuses: then the copy goes
out in the alias's name, signed for its domain, with Reply-To for the author.

Who is told when it fails for good: the sender; but one that may be forged (SPF or DMARC failed) is never sent a bounce,
the alias's owner is told instead, with the message. Bounces themselves keep the null sender; when one of them cannot be
passed on, the owner is told.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from email.header import Header
from email.utils import quote

import msgspec
import structlog

from mailstead.formats.message.address import parse_addresses
from mailstead.formats.message.header import first_values, header_end, iter_field_ranges
from mailstead.foundation.config.sections.forward import ForwardSettings
from mailstead.foundation.spool import Spool
from mailstead.mail.authentication.arc.result import NO_CHAIN, ArcResult
from mailstead.mail.authentication.arc.seal import SealError
from mailstead.mail.authentication.message import CheckedMessage
from mailstead.mail.envelope import Envelope, EnvelopeRecipient
from mailstead.mail.outbound.signing import Signing
from mailstead.mail.routing.arrival_results import ArrivalResults, arrival_results
from mailstead.mail.routing.srs import Srs, UnforwardableSenderError
from mailstead.mail.routing.trace_fields import HEADER_LIMIT
from mailstead.stores.directory.directory import Directory
from mailstead.stores.directory.records import User

_NAME_LIMIT = 100
log = structlog.get_logger("mailstead.routing")


class Parcel(msgspec.Struct, frozen=True):
    """A message as it goes on, to be queued. `once` is the same for the same message sent again, "" when unknown."""

    envelope: Envelope
    message: Spool
    once: str


def grouped(recipients: Sequence[EnvelopeRecipient]) -> list[tuple[EnvelopeRecipient, ...]]:
    """Recipients that one parcel can go to: of one alias, and either addresses or hosts and webhooks."""
    groups: dict[tuple[str, bool], list[EnvelopeRecipient]] = {}
    for one in recipients:
        groups.setdefault((one.alias, bool(one.via)), []).append(one)
    return [tuple(group) for group in groups.values()]


class Forwarding:
    """Prepares parcels; one for all services of a process."""

    def __init__(
        self, directory: Directory, srs: Srs, signing: Signing, settings: ForwardSettings, identifier: str
    ) -> None:
        """`identifier` is our name in Authentication-Results."""
        self._directory = directory
        self._srs = srs
        self._signing = signing
        self._settings = settings
        self._identifier = identifier

    async def prepare(
        self, envelope: Envelope, recipients: tuple[EnvelopeRecipient, ...], message: Spool, alias: str
    ) -> Parcel:
        """The parcel for `recipients` (see `grouped`) of `message`, which stays open as long as the parcel's.

        `alias` is the address here through which it goes. Raises OSError, StoreUnavailableError.
        """
        start = message.start(HEADER_LIMIT)
        results = arrival_results(start, self._identifier)
        domain = alias.rpartition("@")[2].lower()
        once = await asyncio.get_running_loop().run_in_executor(None, _once, message, start, envelope.sender, alias)
        sender = await self._return_path(envelope.sender, alias, domain, results)
        mark = f"Delivered-To: {alias}\r\n".encode()
        copy = message.replaced(0, mark)
        if results is not None:
            author_is_changed = self._settings.rewrite_from == "needed" and results.needs_other_author
            if author_is_changed and not recipients[0].via:
                copy = await self._in_own_name(message, start, mark, alias, domain)
            if self._settings.seal:
                copy = await self._sealed(copy, results, domain)
        wide = not (sender.isascii() and all(one.address.isascii() for one in recipients))
        made = msgspec.structs.replace(
            envelope,
            sender=sender,
            recipients=recipients,
            original_sender=envelope.original_sender or envelope.sender,
            smtputf8=envelope.smtputf8 or wide,
        )
        kind = "via" if recipients[0].via else "address"
        return Parcel(
            made, copy, once and f"{once} {kind} {' '.join(sorted(one.address + one.via for one in recipients))}"
        )

    async def _return_path(self, sender: str, alias: str, domain: str, results: ArrivalResults | None) -> str:
        """See the module: of the sender, of the owner when the sender may be forged, null for what is null."""
        if not sender:
            return sender
        if results is not None and results.is_forged:
            return await self._owner_path(alias, domain)
        if not self._settings.srs or await self._directory.is_local_domain(sender.rpartition("@")[2]):
            return sender
        try:
            return self._srs.forward(sender, domain)
        except UnforwardableSenderError as error:
            log.info("the sender cannot be rewritten, the owner is told of failures", error=str(error))
            return await self._owner_path(alias, domain)

    async def _owner_path(self, alias: str, domain: str) -> str:
        """A return path that leads to the alias's owner; null when there is none."""
        found = (await self._directory.resolve(alias)).alias
        owner = await self._directory.get(User, found.user_id) if found is not None else None
        if owner is None:
            return ""
        try:
            return self._srs.forward(owner.address, domain)
        except UnforwardableSenderError:
            return ""

    async def _in_own_name(self, message: Spool, start: bytes, mark: bytes, alias: str, domain: str) -> Spool:
        """The message with the alias as its author, signed for the alias's domain."""
        end = header_end(start, 0, len(start))
        header = with_other_author(start[:end], alias)
        copy = message.replaced(end, header)
        checked = CheckedMessage.of_spool(copy)
        signatures = await self._signing.signature_fields(domain, checked.header, checked.body())
        return copy.replaced(0, signatures + mark)

    async def _sealed(self, message: Spool, results: ArrivalResults, domain: str) -> Spool:
        """The message with one more set of ARC; as it is when there is no key, or no chain that can be gone on with."""
        arc = results.result("arc")
        chain = NO_CHAIN
        if arc == "pass":
            chain = ArcResult(result="pass", instances=results.arc_sets)
        elif arc != "none":
            chain = ArcResult(result="fail", instances=results.arc_sets)
        try:
            fields = await self._signing.seal_fields(
                domain, CheckedMessage.of_spool(message), chain, results.value.decode("utf-8", "replace")
            )
        except SealError as error:
            log.info("forwarded without a seal", why=str(error))
            return message
        return message.replaced(0, fields) if fields else message


def with_other_author(header: bytes, alias: str) -> bytes:
    """`header` with `alias` as From, the author in X-Original-From, and in Reply-To where there is none."""
    values = first_values(header, len(header))
    author = values.get(b"from", b"").strip()
    found = [one for one in parse_addresses(author, 1) if one.domain]
    name = (found[0].display_name or found[0].specification) if found else ""
    added = b"From: " + _mailbox(f"{name[:_NAME_LIMIT]} via {alias}" if name else alias, alias) + b"\r\n"
    added += b"X-Original-From: " + author + b"\r\n"
    if b"reply-to" not in values:
        added += b"Reply-To: " + author + b"\r\n"
    kept, position = [], 0
    for name_of_field, begin, stop in iter_field_ranges(header):
        if name_of_field.lower() in (b"from", b"x-original-from"):
            kept.append(header[position:begin])
            position = stop
    return b"".join([*kept[:1], added, *kept[1:], header[position:]])


def _mailbox(name: str, address: str) -> bytes:
    """A name and an address as a field has them (RFC 5322 §3.4, RFC 2047 §5)."""
    shown = " ".join("".join(letter if letter.isprintable() else " " for letter in name).split())
    phrase = f'"{quote(shown)}"' if shown.isascii() else Header(shown, "utf-8").encode(linesep="\r\n")
    return f"{phrase}\r\n\t<{address}>".encode()


def _once(message: Spool, start: bytes, sender: str, alias: str) -> str:
    """A name for this message at this alias, the same when its sender sends it again because our answer got lost.

    What we put before it (down to our Received) does not count. Messages without a Message-ID have no name: two of them
    may be alike and yet two.
    """
    header = start[: header_end(start, 0, len(start))]
    end, has_identifier = 0, False
    for name, _, stop in iter_field_ranges(header):
        key = name.lower()
        if key == b"received" and not end:
            end = stop
        has_identifier = has_identifier or key == b"message-id"
    if not end or not has_identifier:
        return ""
    digest = hashlib.blake2b(digest_size=24)
    left = end
    for chunk in message.chunks():
        digest.update(chunk[left:] if left < len(chunk) else b"")
        left = max(left - len(chunk), 0)
    return f"forward {digest.hexdigest()} {sender} {alias.lower()}"
