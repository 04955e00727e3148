"""Options of POP3."""

from typing import Annotated

import msgspec

from mailstead.foundation.config.option import duration, number, size, switch


class Pop3Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Mail fetched over POP3."""

    idle_timeout: Annotated[float, duration("Waiting for a command after login (RFC 1939 §3)", least=600)] = 600.0
    login_timeout: Annotated[float, duration("Waiting for a command before login", least=1)] = 120.0
    line_limit: Annotated[int, size("Octets of a command line", least=255)] = 1024
    errors_limit: Annotated[int, number("Errors in a row after which a session is ended", least=1)] = 20
    lease: Annotated[float, duration("After how long the lock of a dead session is free again", least=10)] = 60.0
    utf8_strict: Annotated[bool, switch("Refuse messages with UTF-8 headers to clients without UTF8 mode")] = False
