"""Limits of the socket host."""

from typing import Annotated

import msgspec

from mailstead.foundation.config.option import duration, listing, number, size


class NetworkSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Connections of all line protocols."""

    connections: Annotated[int, number("Connections of one service at once", least=1)] = 10_000
    connections_per_address: Annotated[
        int, number("Connections from one address at once (an IPv6 /64 is one address)", least=1)
    ] = 200
    connections_per_account: Annotated[int, number("Connections of one account to one service at once", least=1)] = 60
    connection_rate: Annotated[int, number("New connections from one address per minute", least=1)] = 3_000
    exempt: Annotated[
        tuple[str, ...], listing("Networks that the per-address limits do not concern", each="networks")
    ] = (
        "127.0.0.0/8",
        "::1/128",
    )
    proxy_trusted: Annotated[
        tuple[str, ...],
        listing("Networks whose connections begin with a PROXY header (version 1 or 2)", each="networks"),
    ] = ()
    proxy_timeout: Annotated[float, duration("How long a PROXY header may take")] = 10.0
    tls_handshake_timeout: Annotated[float, duration("How long a TLS handshake may take")] = 20.0
    write_timeout: Annotated[float, duration("How long a peer may leave what we send unread")] = 120.0
    close_timeout: Annotated[
        float, duration("How long a peer may take nothing, or not close its side, at the end", least=0.01)
    ] = 2.0
    write_high_water: Annotated[int, size("Unsent bytes past which a session waits", least=4096)] = 256 * 1024
    read_high_water: Annotated[int, size("Unread bytes past which a peer is not read from", least=4096)] = 256 * 1024
