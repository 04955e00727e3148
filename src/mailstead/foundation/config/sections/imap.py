"""Options of IMAP."""

from typing import Annotated

import msgspec

from mailstead.foundation.config.option import duration, number, size


class ImapSettings(msgspec.Struct, frozen=True, kw_only=True):
    """IMAP."""

    idle_timeout: Annotated[float, duration("A session without commands is ended (RFC 9051 §5.4)", least=60)] = 1800.0
    login_timeout: Annotated[float, duration("A session without a login is ended")] = 60.0
    line_limit: Annotated[int, size("Longest command line", least=1024)] = 64 * 1024
    literal_before_login: Annotated[int, size("Largest literal before the login", least=256)] = 8 * 1024
    literal_limit: Annotated[int, size("Largest literal that is no message", least=1024)] = 64 * 1024
    literals_limit: Annotated[int, number("Literals of one command", least=8)] = 256
    append_limit: Annotated[int, size("Octets of all messages of one APPEND", least=64 * 1024)] = 200 * 1024**2
    metadata_size: Annotated[int, size("Longest value of a METADATA entry", least=1024)] = 32 * 1024
    metadata_entries: Annotated[int, number("METADATA entries of one mailbox", least=10)] = 200
    progress_interval: Annotated[
        float, duration("How often a client is told that a long command is still at work", least=0.01)
    ] = 10.0
    batch: Annotated[int, number("Commands of one session after which others get their turn", least=1)] = 32
    nesting: Annotated[int, number("Depth of parentheses in a command", least=4)] = 64
    errors_limit: Annotated[int, number("Bad commands in a row after which a session is ended", least=1)] = 20
