"""Submission (RFC 6409): users send to anyone, as themselves."""

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from mailstead.foundation.errors import LimitExceededError, PermanentError
from mailstead.foundation.spool import Spool
from mailstead.mail.outbound.submission import SubmittedHeader, body_chunks, prepare_header, read_header
from mailstead.protocols.smtp.commands import Body, Mail, Rcpt
from mailstead.protocols.smtp.received import HeaderFacts, from_clause, protocol_name, received_field
from mailstead.protocols.smtp.reply import Reply, reply, reply_to_error
from mailstead.protocols.smtp.roles.policy import Outcomes, folded, recipient_address, refusal_of
from mailstead.protocols.smtp.roles.role import Listen, envelope_recipient
from mailstead.protocols.smtp.services import SmtpServices
from mailstead.protocols.smtp.transaction import Accepted, Transaction
from mailstead.protocols.smtp.verbs import SUBMISSION_VERBS
from mailstead.stores.directory.records import Account

if TYPE_CHECKING:
    from mailstead.protocols.smtp.session import Session

_LOGIN_FIRST = reply(530, "5.7.0", "Authentication required")
_NOT_YOURS = reply(550, "5.7.1", "You may not send as this address")
_NO_AUTHOR = reply(550, "5.6.0", "The message has no From field with an address")
_BAD_HOLD = reply(501, "5.5.4", "HOLDFOR or HOLDUNTIL is no time, or too far ahead (see FUTURERELEASE at EHLO)")
_CLIENT_HIDDEN = "authenticated-user"


class SubmissionRole:
    """See roles/role.py."""

    service = "submission"
    verbs = SUBMISSION_VERBS
    is_lmtp = False
    offers_login = True
    bodies: frozenset[Body] = frozenset(("7BIT", "8BITMIME"))  # few remote servers take BINARYMIME

    def __init__(self, services: SmtpServices) -> None:
        self.services = services
        self.accepts_bare_newlines = services.settings.submission.bare_newlines == "accept"
        self.count = Outcomes(services, self.service).count

    def extensions(self, _: "Session") -> list[str]:
        """FUTURERELEASE with the longest wait and the latest time (RFC 4865 §3)."""
        longest = int(self.services.settings.sending.future_release)
        if not longest:
            return []
        latest = datetime.fromtimestamp(self.services.clock.now() + longest, UTC)
        return [f"FUTURERELEASE {min(longest, 999_999_999)} {latest.strftime('%Y-%m-%dT%H:%M:%SZ')}"]

    async def admit(self, _: "Session", __: Listen) -> Reply | None:
        """Everybody may try to log in."""
        return None

    async def sender(self, session: "Session", mail: Mail) -> Reply | None:
        """An address of the account, or the null path of a notice (RFC 6409 §6.1)."""
        if session.account is None:
            return _LOGIN_FIRST
        if mail.sender and not await self.services.directory.account_may_send_as(session.account, mail.sender):
            return _NOT_YOURS
        if not (mail.hold_for or mail.hold_until):
            return None
        return None if self._asked_for(mail) is not None else _BAD_HOLD

    def _asked_for(self, mail: Mail) -> float | None:
        """When a message is to be sent, 0 for at once; None for a time that is none, or too far ahead (RFC 4865 §4.2).

        A time that is over means now.
        """
        now, longest = self.services.clock.now(), self.services.settings.sending.future_release
        if mail.hold_for:
            return now + mail.hold_for if mail.hold_for <= longest else None
        if not mail.hold_until:
            return 0.0
        try:
            until = datetime.fromisoformat(mail.hold_until)
        except ValueError:
            return None
        if until.tzinfo is None or until.timestamp() > now + longest:
            return None
        return until.timestamp()

    async def recipient(self, session: "Session", rcpt: Rcpt) -> Accepted | Reply:
        """Anyone elsewhere, and those who are here."""
        address = await recipient_address(self.services, rcpt)
        resolution = await self.services.directory.resolve(address)
        refusal = None if resolution.outcome == "not_local" else refusal_of(resolution)
        if resolution.outcome == "not_local" and self.services.sending is not None:
            assert session.account is not None
            assert session.transaction is not None
            try:
                sender = session.transaction.mail.sender
                await self.services.sending.check_recipient(session.account.address, sender, address)
            except PermanentError as error:
                return reply_to_error(error)
        return refusal or Accepted(envelope_recipient(rcpt, address), resolution)

    async def message(self, session: "Session", transaction: Transaction, facts: HeaderFacts) -> list[Reply]:
        """Check the authors, complete the header, deliver here and queue the rest."""
        services = self.services
        assert session.account is not None
        now = services.clock.now()
        original = read_header(transaction.spool)
        header = prepare_header(original, services.hostname, now)
        recipients = [one.recipient.address for one in transaction.accepted]
        if services.sending is not None:
            sender = transaction.mail.sender or session.account.address
            added = services.sending.added_fields(original, sender, recipients)
            header = msgspec.structs.replace(header, header=added + header.header)
        refusal = await self._authors_refused(session.account, header)
        addresses = [one.recipient.address for one in transaction.accepted]
        if refusal is not None:
            self.count("refused")
            services.note(
                self.service,
                transaction.id,
                "refused",
                f"{session.account.address} may not write as {', '.join(header.authors) or 'nobody'}",
                session.account.address,
                *addresses,
                message_id=facts.message_id or header.message_id,
            )
            return [refusal]
        try:
            await self._charge(session.account.address, transaction)
        except LimitExceededError as error:
            self.count("refused")
            services.note(
                self.service,
                transaction.id,
                "refused",
                str(error),
                session.account.address,
                *addresses,
                message_id=header.message_id,
            )
            return [reply_to_error(error)]
        await self._tell_concern(session.account.address, transaction)
        await self._complete(session, transaction, original, header, now)
        services.note(
            self.service,
            transaction.id,
            "received",
            f"{transaction.octets} octets submitted by {session.account.address} for {', '.join(addresses)}",
            session.account.address,
            *addresses,
            message_id=facts.message_id or header.message_id,
        )
        results = await services.router.accept(transaction.envelope(), transaction.spool, transaction.id)
        answer = folded(results, transaction.id)
        self.count("accepted" if answer.code < 400 else "deferred" if answer.code < 500 else "refused")
        return [answer]

    async def _tell_concern(self, account: str, transaction: Transaction) -> None:
        """Note in the trace that others may not believe the sender, where the setting lets it send all the same."""
        sending = self.services.sending
        if sending is None or all(one.resolution.outcome != "not_local" for one in transaction.accepted):
            return
        concern = await sending.concern(transaction.mail.sender or account)
        if concern:
            self.services.note(self.service, transaction.id, "checked", concern, account)

    async def _charge(self, account: str, transaction: Transaction) -> None:
        """Count what goes elsewhere, and fix when. Raises SendingLimitError, BusLostError."""
        transaction.account = account
        asked = self._asked_for(transaction.mail) or 0.0
        sending = self.services.sending
        if sending is None:
            transaction.release_at = asked
            return
        elsewhere = [one.recipient.address for one in transaction.accepted if one.resolution.outcome == "not_local"]
        await sending.charge(account, transaction.mail.sender, elsewhere)
        transaction.release_at = await sending.release_at(account, asked)

    async def _authors_refused(self, account: Account, header: SubmittedHeader) -> Reply | None:
        if not header.authors:
            return _NO_AUTHOR
        for author in dict.fromkeys(header.authors):
            if not await self.services.directory.account_may_send_as(account, author):
                return _NOT_YOURS
        return None

    async def _complete(
        self, session: "Session", transaction: Transaction, original: bytes, header: SubmittedHeader, now: float
    ) -> None:
        """Put the new header before the body: by adding to the front where nothing was taken out."""
        hidden = self.services.settings.submission.hide_client
        addresses = [one.recipient.address for one in transaction.accepted]
        trace = received_field(
            client=_CLIENT_HIDDEN if hidden else from_clause(session.hello, session.peer.address),
            hostname=self.services.hostname,
            protocol=protocol_name(
                lmtp=False,
                extended=True,
                tls=session.tls is not None,
                authenticated=True,
                utf8=transaction.mail.smtputf8,
            ),
            tls=session.tls,
            identifier=transaction.id,
            recipient=addresses[0] if len(addresses) == 1 else "",
            now=now,
        )
        spool = transaction.spool
        if header.header.endswith(original):
            spool.prepend(trace + header.header[: len(header.header) - len(original)])
            return
        message = self.services.settings.message
        rebuilt = Spool(message.spool_threshold, self.services.spool_folder)

        def copy() -> None:
            rebuilt.append(trace + header.header)
            for chunk in body_chunks(spool, header.original_size):
                rebuilt.append(chunk)

        if spool.size > message.spool_threshold:
            await asyncio.to_thread(copy)
        else:
            copy()
        transaction.spool = rebuilt
        spool.close()
