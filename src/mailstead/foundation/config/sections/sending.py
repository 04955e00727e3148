"""Options of sending policy."""

from typing import Annotated, Literal

import msgspec

from mailstead.foundation.config.option import duration, listing, number, switch, text


class SendingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Who may send how much, and from where."""

    dns: Annotated[
        Literal["require", "tell", "ignore"],
        text(
            "A domain whose SPF, DKIM or DMARC records lack: refuse its mail to others, note it in the trace,"
            " or do not look; names under .test, .example, .invalid and .localhost are never looked at"
        ),
    ] = "require"
    dns_grace: Annotated[
        float, duration("How long a domain whose records were right may go on sending when they are not any more")
    ] = 3 * 86400.0
    account_daily: Annotated[int, number("Recipients elsewhere of one account per day (UTC); 0: no limit")] = 2000
    domain_daily: Annotated[int, number("Recipients elsewhere of one domain per day (UTC); 0: no limit")] = 20_000
    source: Annotated[
        tuple[str, ...],
        listing(
            "Local addresses to connect from, one of each family; a family that is not named is not used;"
            " 0.0.0.0 or :: leave the choice to the system; empty: any",
            each="addresses",
        ),
    ] = ()
    undo: Annotated[float, duration("How long what people send waits, so that they can take it back; 0: not")] = 0.0
    future_release: Annotated[
        float, duration("How far ahead submission takes mail to be sent later (RFC 4865); 0: not offered")
    ] = 30 * 86400.0
    bounces: Annotated[
        int, number("After how many hard bounces in a row an address is not written to for a while; 0: never")
    ] = 3
    suppression: Annotated[float, duration("How long it is not written to after that", least=60)] = 30 * 86400.0
    list_unsubscribe: Annotated[
        bool,
        switch("Add one-click List-Unsubscribe (RFC 8058) to mail with Precedence: bulk or list for one recipient"),
    ] = False
    return_path: Annotated[
        Literal["sender", "verp"],
        text("Return path of mail to others: its sender, or one for each recipient (VERP), whose notices are counted"),
    ] = "sender"
