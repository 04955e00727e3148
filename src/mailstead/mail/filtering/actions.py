"""What a run gives: actions to carry out, questions to answer."""

from typing import TypeAlias

import msgspec

from mailstead.formats.sieve.program import Include

INBOX = "INBOX"


class Edited(msgspec.Struct, frozen=True):
    """What a script made of a message: its first `count` octets as it came give way to `octets`."""

    count: int
    octets: bytes


class Filing(msgspec.Struct, frozen=True, kw_only=True):
    """Put the message into a mailbox; `mailbox` "" is by keep or the implicit keep.

    `special_use` (an attribute such as \\Junk) names a mailbox that comes before `mailbox` when there is one; `create`
    makes `mailbox` when it lacks. `edited` is None when the script left the message as it came.
    """

    mailbox: str = ""
    flags: tuple[str, ...] = ()
    create: bool = False
    special_use: str = ""
    edited: Edited | None = None


class Redirect(msgspec.Struct, frozen=True, kw_only=True):
    """Send the message on to an address (RFC 5228 §4.2)."""

    address: str
    edited: Edited | None = None


class Reject(msgspec.Struct, frozen=True):
    """Refuse the message (RFC 5429); `at_protocol` (ereject): during the transaction when that can be."""

    reason: str
    at_protocol: bool


class Copy(msgspec.Struct, frozen=True):
    """Where a copy of a sent message is filed (RFC 8580)."""

    mailbox: str
    flags: tuple[str, ...] = ()
    create: bool = False
    special_use: str = ""


class Vacation(msgspec.Struct, frozen=True, kw_only=True):
    """Answer the sender, unless it was answered under `handle` less than `seconds` ago (RFC 5230).

    `reason` is a text, or with `is_mime` a MIME entity. `header_fields` are those of the reply that the message
    decides.
    """

    recipient: str
    sender: str
    subject: str
    reason: str
    is_mime: bool
    handle: str
    seconds: float
    in_reply_to: str
    references: tuple[str, ...]
    copy: Copy | None = None


class Notify(msgspec.Struct, frozen=True, kw_only=True):
    """Tell of the message by mail (RFC 5436)."""

    recipients: tuple[str, ...]
    sender: str
    subject: str
    text: str
    importance: int
    copy: Copy | None = None


Action: TypeAlias = Filing | Redirect | Reject | Vacation | Notify


class Seen(msgspec.Struct, frozen=True):
    """An id to be remembered for `seconds`; `extend` when it was known already and lives on from now (RFC 7352)."""

    key: str
    seconds: float
    extend: bool


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a run. An empty `actions` means: discard. `words` tell the trace what was done and why.

    `error` is a sentence for the owner when the script failed; then the only action is the implicit keep.
    """

    actions: tuple[Action, ...]
    seen: tuple[Seen, ...] = ()
    words: tuple[str, ...] = ()
    error: str = ""


class AskFolders(msgspec.Struct, frozen=True):
    """Which mailboxes there are, with their special uses."""


class AskSeen(msgspec.Struct, frozen=True):
    """Whether an id was seen before and still lives."""

    key: str


class AskScript(msgspec.Struct, frozen=True):
    """An included script's program; None when there is no such script."""

    include: Include


class AskListed(msgspec.Struct, frozen=True):
    """Which member of one of the lists one of `values` is; without values whether all names are those of lists."""

    names: tuple[str, ...]
    values: tuple[str, ...]


class AskMembers(msgspec.Struct, frozen=True):
    """The addresses of a list."""

    name: str


Question: TypeAlias = AskFolders | AskSeen | AskScript | AskListed | AskMembers
