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
    batch: Annotated[int, number("Commands of one session after which others get their turn", least=1)] = 32
    nesting: Annotated[int, number("Depth of parentheses in a command", least=4)] = 64
    errors_limit: Annotated[int, number("Bad commands in a row after which a session is ended", least=1)] = 20
