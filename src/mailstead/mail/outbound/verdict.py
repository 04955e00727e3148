"""What became of recipients in one attempt."""

from typing import Literal

import msgspec

from mailstead.foundation.errors import MailsteadError
from mailstead.mail.envelope import Envelope, EnvelopeRecipient
from mailstead.mail.transport.reply import Reply


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one recipient; `relayed_dsn`: whoever took it sends the notices that were asked for.

    `advice`: what the refusal means and what helps, in plain words.
    """

    recipient: EnvelopeRecipient
    outcome: Literal["delivered", "failed", "deferred"]
    status: str
    text: str
    remote_host: str = ""
    relayed_dsn: bool = False
    encrypted: bool = False
    advice: str = ""


class Attempt(msgspec.Struct, frozen=True):
    """A verdict for each recipient; `unreachable` says why when no server of the destination answered at all."""

    verdicts: list[Verdict]
    unreachable: str = ""


def by_reply(
    recipient: EnvelopeRecipient, reply: Reply, host: str, *, relayed_dsn: bool = False, encrypted: bool = False
) -> Verdict:
    """What the server's reply means for a recipient (RFC 5321 §4.2.1)."""
    status = reply.enhanced or f"{reply.code // 100}.0.0"
    return Verdict(
        recipient=recipient,
        outcome="delivered" if reply.code // 100 == 2 else "failed" if reply.permanent else "deferred",
        status=status,
        text=f"{reply.code} {status} {reply.text}",
        remote_host=host,
        relayed_dsn=relayed_dsn,
        encrypted=encrypted,
    )


def by_error(recipient: EnvelopeRecipient, error: MailsteadError, host: str) -> Verdict:
    """What an error on our side means for a recipient."""
    return Verdict(
        recipient=recipient,
        outcome="deferred" if error.temporary else "failed",
        status=error.enhanced_code,
        text=f"{error.smtp_code} {error.enhanced_code} {error}",
        remote_host=host,
    )


def all_by_reply(envelope: Envelope, reply: Reply, host: str) -> list[Verdict]:
    """The same reply for every recipient."""
    return [by_reply(recipient, reply, host) for recipient in envelope.recipients]


def all_by_error(envelope: Envelope, error: MailsteadError, host: str) -> list[Verdict]:
    """The same error for every recipient."""
    return [by_error(recipient, error, host) for recipient in envelope.recipients]
