"""Options of the outbound queue."""

from typing import Annotated

import msgspec

from mailstead.foundation.config.option import duration, number, switch


class QueueSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The outbound queue."""

    remote_port: Annotated[int, number("Port of remote mail servers", least=1, most=65535)] = 25
    workers: Annotated[int, number("Deliveries at once", least=1)] = 20
    per_destination: Annotated[int, number("Deliveries at once to one destination", least=1)] = 4
    lifetime: Annotated[float, duration("How long delivery is tried", least=60)] = 5 * 86400.0
    first_retry: Annotated[float, duration("Pause after the first failure", least=1)] = 300.0
    longest_retry: Annotated[float, duration("Longest pause between attempts", least=1)] = 4 * 3600.0
    delay_notice: Annotated[float, duration("After how long the sender is told of a delay; 0: never")] = 4 * 3600.0
    lease: Annotated[float, duration("After how long the work of a dead worker is given to another", least=10)] = 900.0
    poll: Annotated[float, duration("How often due work is looked for when nothing wakes the worker")] = 5.0
    connect_timeout: Annotated[float, duration("Waiting for a connection")] = 30.0
    command_timeout: Annotated[float, duration("Waiting for a reply to a command (RFC 5321 §4.5.3.2)")] = 300.0
    data_timeout: Annotated[float, duration("Waiting for the reply to the message")] = 600.0
    starttls: Annotated[bool, switch("Use TLS where the remote server offers it")] = True
    tls_fallback: Annotated[bool, switch("Go on in the clear when the handshake with a remote server fails")] = True
    connection_idle: Annotated[float, duration("How long a connection is kept for the next message; 0: not")] = 15.0
    connection_messages: Annotated[int, number("Messages over one connection", least=1)] = 100
