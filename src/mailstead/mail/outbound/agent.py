"""The message submission agent for what is written here: the same rules as over SMTP (RFC 6409), without a session."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from mailstead.foundation.clock import Clock
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.errors import InvalidError, LimitExceededError, PermissionDeniedError
from mailstead.foundation.identifiers import new_ulid
from mailstead.foundation.spool import Spool
from mailstead.mail.envelope import Envelope, EnvelopeRecipient, RecipientResult
from mailstead.mail.outbound.submission import prepare_header, read_header
from mailstead.mail.routing.router import Router
from mailstead.mail.sending.policy import SendingPolicy
from mailstead.stores.directory.directory import Directory
from mailstead.stores.directory.names import split_address
from mailstead.stores.trace.trace import Trace, TraceEntry


class NotYoursError(PermissionDeniedError):
    """The author is not an address of the user's."""

    public_text = "You may not send as this address"


class TooLargeError(InvalidError):
    """The message is larger than the server takes."""

    http_status = 413
    public_text = "The message is too large"


class Submitted(msgspec.Struct, frozen=True):
    """What became of a message; `trace_id` finds its way, results are in the order of recipients.

    It can be taken back until `release_at`, 0 when it went at once.
    """

    trace_id: str
    message_id: str
    results: tuple[RecipientResult, ...]
    release_at: float = 0.0


class SubmissionAgent:
    """Takes messages from users of this server."""

    def __init__(
        self,
        directory: Directory,
        router: Router,
        trace: Trace,
        settings: Settings,
        hostname: str,
        spool_folder: Path,
        clock: Clock,
        sending: SendingPolicy | None = None,
    ) -> None:
        self._directory = directory
        self._router = router
        self._trace = trace
        self._settings = settings
        self._hostname = hostname
        self._spool_folder = spool_folder
        self._clock = clock
        self._sending = sending

    async def submit(
        self,
        *,
        user_id: str,
        sender: str,
        recipients: Sequence[str],
        message: bytes,
        service: str,
        send_at: float = 0.0,
    ) -> Submitted:
        """Send `message` as `sender`; durable when it returns. Bcc is taken out, Date and Message-ID are added.

        It waits until `send_at` (seconds since the epoch) and for the account's undo window; meanwhile
        administration.sending takes it back by its trace id. Raises NotYoursError, TooLargeError, InvalidError (no
        recipients or a bad address), TooFarAheadError, LimitExceededError, UnprovedDomainError, SuppressedError.
        """
        if len(message) > self._settings.message.size_limit:
            raise TooLargeError
        wanted = list(dict.fromkeys("@".join(split_address(recipient)) for recipient in recipients))
        if not wanted:
            raise InvalidError("A recipient is needed")
        if len(wanted) > self._settings.message.recipients_limit:
            raise LimitExceededError(f"At most {self._settings.message.recipients_limit} recipients")
        trace_id = new_ulid(self._clock.now())
        with Spool(self._settings.message.spool_threshold, self._spool_folder) as spool:
            spool.append(message)
            original = read_header(spool)
            header = prepare_header(original, self._hostname, self._clock.now())
            for author in dict.fromkeys((sender, *header.authors)):
                if not await self._directory.may_send_as(user_id, author):
                    raise NotYoursError
            if not header.authors:
                raise InvalidError("The message has no From field with an address")
            release_at = await self._permitted(sender, wanted, send_at)
            added = self._sending.added_fields(original, sender, wanted) if self._sending is not None else b""
            with spool.replaced(len(original), added + header.header) as prepared:
                self._trace.record(
                    TraceEntry(
                        trace_id=trace_id,
                        at=self._clock.now(),
                        service=service,
                        event="received",
                        text=f"{len(message)} octets written by {sender} for {', '.join(wanted)}",
                        message_id=header.message_id,
                        keys=(sender, *wanted),
                    )
                )
                envelope = Envelope(
                    sender=sender,
                    recipients=tuple(EnvelopeRecipient(address) for address in wanted),
                    account=sender,
                    release_at=release_at,
                    smtputf8=not sender.isascii() or any(not address.isascii() for address in wanted),
                )
                if concern := await self._concern(sender, wanted):
                    self._trace.record(
                        TraceEntry(
                            trace_id=trace_id,
                            at=self._clock.now(),
                            service=service,
                            event="checked",
                            text=concern,
                            keys=(sender,),
                        )
                    )
                results = await self._router.accept(envelope, prepared, trace_id)
        return Submitted(trace_id, header.message_id, tuple(results), release_at)

    async def _concern(self, sender: str, recipients: Sequence[str]) -> str:
        """Why others may not believe the sender, "" where there is nothing to tell or nobody to be told."""
        if self._sending is None:
            return ""
        domains = {one.rpartition("@")[2] for one in recipients}
        if all([await self._directory.is_local_domain(domain) for domain in domains]):
            return ""
        return await self._sending.concern(sender)

    async def _permitted(self, sender: str, recipients: Sequence[str], send_at: float) -> float:
        """When the message is let go, once sending policy allows it and has counted it."""
        if self._sending is None:
            return send_at
        resolution = await self._directory.resolve(sender)
        account = resolution.alias.address if resolution.alias is not None else sender
        elsewhere = [one for one in recipients if not await self._directory.is_local_domain(one.rpartition("@")[2])]
        for recipient in elsewhere:
            await self._sending.check_recipient(account, sender, recipient)
        release_at = await self._sending.release_at(account, send_at)
        await self._sending.charge(account, sender, elsewhere)
        return release_at
