"""Options that the SMTP roles share: mx, submission and LMTP."""

from typing import Annotated

import msgspec

from mailstead.foundation.config.option import duration, number, size


class SmtpSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Sessions of mx, submission and LMTP."""

    command_timeout: Annotated[float, duration("Waiting for a command (RFC 5321 §4.5.3.2.7)", least=1)] = 300.0
    data_timeout: Annotated[float, duration("Waiting for more of a message", least=1)] = 180.0
    line_limit: Annotated[int, size("Octets of a command line", least=1024)] = 4096
    errors_limit: Annotated[int, number("Errors in a row after which a session is ended", least=1)] = 20
    commands_limit: Annotated[int, number("Commands in a row without a message", least=20)] = 1000
    transactions_limit: Annotated[int, number("Messages over one connection", least=1)] = 10_000
