"""Options of the whole installation; their names have no section prefix."""

from typing import Annotated, Literal

import msgspec

from mailstead.foundation.config.option import duration, listing, number, path, secret_text, switch, text


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The whole installation."""

    data: Annotated[str, path("Folder of everything that must survive a restart")] = "./data"
    bind: Annotated[
        str,
        text(
            "Address that services listen on; *: all",
            pattern=r"^(\*|[0-9A-Fa-f:.]+(%[A-Za-z0-9._-]+)?|localhost)$",
            allowed="an IP address of this machine, localhost, or *",
        ),
    ] = "127.0.0.1"
    hostname: Annotated[
        str,
        text(
            "Name of this host in greetings and trace fields; empty: the system's",
            pattern=r"^([A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*)?$",
            allowed="a host name in ASCII",
        ),
    ] = ""
    addresses: Annotated[
        tuple[str, ...],
        listing("Public addresses of this host, for its DNS records; empty: those that DNS has", each="addresses"),
    ] = ()
    secret: Annotated[str, secret_text("Server secret; empty: DATA/secret, made at first start")] = ""
    documents_url: Annotated[
        str,
        secret_text(
            "Users' data: sqlite: (a file under DATA) or a MongoDB replica set (tls=true and tlsCAFile=FILE for TLS)",
            pattern=r"^(sqlite:|mongodb(\+srv)?://.+)$",
            allowed="sqlite: or mongodb://USER:PASSWORD@HOST[,HOST...]/DATABASE",
        ),
    ] = "sqlite:"
    bus_url: Annotated[
        str,
        secret_text(
            "Events and limits: in memory (one process), by a unix socket under DATA (one machine), Redis, or the master"
            " that Redis Sentinel names (rediss for TLS, with ssl_ca_certs=FILE)",
            pattern=r"^(memory:|unix:|rediss?(\+sentinel)?://.+)$",
            allowed="memory: or unix: or redis://HOST or redis+sentinel://:PASSWORD@HOST[,HOST...]/NAME",
        ),
    ] = "memory:"
    dns_servers: Annotated[tuple[str, ...], listing("DNS servers to ask; empty: the system's", each="servers")] = ()
    relay_url: Annotated[
        str,
        secret_text(
            "Send all outbound mail through this relay, or the next of several that can be reached; empty: to the"
            " recipients' own servers",
            pattern=r"^(smtps?://[^/?#\s]+/?( +smtps?://[^/?#\s]+/?)*)?$",
            allowed="smtp[s]://USER:PASSWORD@HOST:PORT, several with blanks between",
        ),
    ] = ""
    insecure_auth: Annotated[bool, switch("Allow plaintext login without TLS from loopback addresses")] = False
    log_format: Annotated[Literal["human", "json"], text("Form of log lines: human or json")] = "human"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], text("Least level logged: debug, info, warning or error")
    ] = "info"
    workers: Annotated[
        int,
        number(
            "Processes that answer clients of mx, imap, pop3 and api beside each other, to use as many processors; past 1,"
            " bus_url memory: means unix:",
            least=1,
            most=64,
        ),
    ] = 1
    drain_timeout: Annotated[float, duration("How long sessions may finish their command at a stop")] = 7.0
