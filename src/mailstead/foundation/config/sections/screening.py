"""Options of what connections and senders may do before a message is looked at."""

from typing import Annotated, Literal

import msgspec

from mailstead.foundation.config.option import duration, listing, number, text


class ScreeningSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Screening of connections and senders."""

    exempt: Annotated[
        tuple[str, ...], listing("Networks whose clients are not asked for more than a message", each="networks")
    ] = ("127.0.0.0/8", "::1/128")
    greet_delay: Annotated[
        float, duration("How long clients that are not known wait for the greeting; 0: not at all")
    ] = 2.0
    on_early_talk: Annotated[
        Literal["refuse", "score"], text("Clients that talk before the greeting: refuse them, or count it in the score")
    ] = "refuse"
    on_reverse: Annotated[
        Literal["refuse", "score", "off"],
        text("Clients without a host name that leads back to them: refuse, count in the score, or ignore"),
    ] = "score"
    on_hello: Annotated[
        Literal["refuse", "score", "off"],
        text("A greeting that names this host or a domain of ours: refuse, count in the score, or ignore"),
    ] = "refuse"
    on_sender_domain: Annotated[
        Literal["refuse", "score", "off"],
        text("Senders in a domain that does not exist or takes no mail: refuse, count in the score, or ignore"),
    ] = "refuse"
    blocklists: Annotated[tuple[str, ...], listing("DNS lists of clients that send junk", each="DNS lists")] = (
        "zen.spamhaus.org=127.0.0.2-127.0.0.11",
    )
    on_blocklist: Annotated[
        Literal["refuse", "junk", "score"],
        text("Clients on a blocklist: refuse them, put their mail into Junk, or count the list's points"),
    ] = "refuse"
    allowlists: Annotated[tuple[str, ...], listing("DNS lists of clients that are known as good", each="DNS lists")] = (
        "list.dnswl.org=127.0.0.0-127.0.255.255",
    )
    lookup_timeout: Annotated[
        float, duration("How long questions about a client may take; what is not known by then counts for nothing")
    ] = 5.0
    gateway_greetings: Annotated[
        int,
        number(
            "Different names that one address of a private network greets with in a day, after which it counts as a gateway "
            "that hides its clients; 0: never"
        ),
    ] = 10
    window: Annotated[float, duration("The time that the limits below count in", least=1)] = 3600.0
    messages_per_address: Annotated[int, number("Messages from one address (an IPv6 /64 is one)", least=1)] = 2_000
    messages_per_network: Annotated[int, number("Messages from one network (IPv4 /24, IPv6 /48)", least=1)] = 10_000
    messages_per_sender_domain: Annotated[int, number("Messages of one sender domain", least=1)] = 10_000
    recipients_per_address: Annotated[int, number("Recipients that one address sends to", least=1)] = 10_000
    unknown_recipients: Annotated[
        int, number("Recipients that do not exist, after which an address is not listened to", least=1)
    ] = 100
