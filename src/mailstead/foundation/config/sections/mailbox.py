"""Options of the mailbox files."""

from typing import Annotated, Literal

import msgspec

from mailstead.foundation.config.option import duration, number, size, text


class MailboxSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The mailbox files."""

    cipher: Annotated[
        Literal["aegis", "chacha20"], text("Cipher of new mailboxes: aegis, or chacha20 for CPUs without AES")
    ] = "aegis"
    quota: Annotated[int, size("Room of a mailbox whose alias names none")] = 10 * 1024**3
    undelete_days: Annotated[int, number("Days that expunged messages can come back")] = 14
    open_limit: Annotated[int, number("Mailbox files kept open per process", least=8)] = 256
    idle_close: Annotated[float, duration("Unused mailbox files are closed after this long")] = 300.0
    busy_timeout: Annotated[float, duration("How long a writer waits for another one of the same mailbox")] = 15.0
    let_go_timeout: Annotated[
        float, duration("How long a rotation of keys waits for other processes to close the mailbox")
    ] = 60.0
    threads: Annotated[int, number("Threads for work on mailbox files", least=1)] = 8
