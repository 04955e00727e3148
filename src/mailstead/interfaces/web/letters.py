"""A message of a conversation as the page shows it."""

import msgspec

from mailstead.interfaces.reading.deception import Deception, deception
from mailstead.interfaces.reading.harmless import harmless
from mailstead.interfaces.reading.listing import MessageRow
from mailstead.interfaces.reading.message import MessageShown, read_message
from mailstead.interfaces.reading.unsubscribe import Unsubscribe, unsubscribe_of
from mailstead.interfaces.web.invitations import InvitationShown, read_invitation
from mailstead.mail.authentication.results.field import MethodResult, ResultsSyntaxError, parse_results
from mailstead.stores.mailbox.mailbox import Mailbox

TRUSTED = "web.pictures"
"""The setting of a mailbox that names the senders whose pictures are shown unasked."""


class LetterShown(msgspec.Struct, frozen=True):
    """A message; `remote` is the number of its pictures that lie elsewhere."""

    folder_id: int
    uid: int
    row: MessageRow
    message: MessageShown
    is_open: bool
    remote: int
    results: tuple[MethodResult, ...]
    is_trusted: bool
    deception: Deception
    unsubscribe: Unsubscribe | None
    invitation: InvitationShown | None = None

    @property
    def path(self) -> str:
        """Where the message's own pages are."""
        return f"/mail/f/{self.folder_id}/m/{self.uid}"

    @property
    def is_authentic(self) -> bool:
        """Whether the sender's domain was proved."""
        return any(one.method == "dmarc" and one.result == "pass" for one in self.results)


def read_letter(
    mailbox: Mailbox, folder_id: int, row: MessageRow, hostname: str, *, is_open: bool, me: str = ""
) -> LetterShown:
    """Read it. `hostname` is the one whose Authentication-Results count, `me` who reads. Runs on a thread."""
    content = mailbox.content(int(row.id[1:]))
    message = read_message(content, row)
    results = own_results(message, hostname)
    sender = row.envelope.senders[0] if row.envelope.senders else None
    trusted = mailbox.setting(TRUSTED) or []
    is_authentic = any(one.method == "dmarc" and one.result == "pass" for one in results)
    return LetterShown(
        folder_id,
        row.uid,
        row,
        message,
        is_open,
        harmless(message.html, lambda _: None).remote if message.html else 0,
        results,
        sender is not None and is_authentic and sender.address.lower() in trusted,
        deception(sender) if sender is not None else "",
        unsubscribe_of(message),
        read_invitation(mailbox, content, message.parts, me, "" if sender is None else sender.address.lower()),
    )


def own_results(message: MessageShown, hostname: str) -> tuple[MethodResult, ...]:
    """What this server found out about the sender; what others claim is passed over (RFC 8601 §5)."""
    for name, value in message.header:
        if name.lower() == "authentication-results":
            try:
                found = parse_results(value.encode())
            except ResultsSyntaxError:
                continue
            if found.identifier.lower() == hostname.lower():
                return found.results
    return ()
