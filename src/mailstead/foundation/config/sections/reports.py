"""Options of reports about mail: those we send, and those we receive."""

from typing import Annotated

import msgspec

from mailstead.foundation.config.option import duration, number, size, switch, text


class ReportsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """DMARC, TLS and abuse reports."""

    mailbox: Annotated[
        str,
        text(
            "Local part that takes reports in each of our domains; an alias of that name comes before it",
            pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$",
            allowed="a local part in lower-case letters, digits, dots and hyphens",
        ),
    ] = "mail-reports"
    send: Annotated[
        bool, switch("Collect results of DMARC and of TLS, and send the daily reports that domains ask for")
    ] = True
    organization: Annotated[str, text("Name of this installation in reports; empty: the host name")] = ""
    flush: Annotated[float, duration("How long results are collected in memory before they are kept", least=0.05)] = 5.0
    rows: Annotated[
        int, number("Kinds of results collected in a day; more are counted under what is there", least=100)
    ] = 100_000
    size_limit: Annotated[int, size("Largest report taken, unpacked", least=64 * 1024)] = 32 * 1024 * 1024
    kept: Annotated[float, duration("How long received reports are kept", least=86400)] = 400 * 86400.0
    received: Annotated[int, number("Received reports kept of one day", least=10)] = 5000
