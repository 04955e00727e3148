"""Options of the whole installation; their names have no section prefix."""

from typing import Annotated, Literal

import msgspec

from mailstead.foundation.config.option import duration, listing, path, secret_text, switch, text


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The whole installation."""

    data: Annotated[str, path("Folder of everything that must survive a restart")] = "./data"
    bind: Annotated[str, text("Address that services listen on")] = "127.0.0.1"
    hostname: Annotated[str, text("Name of this host in greetings and trace fields; empty: the system's")] = ""
    secret: Annotated[str, secret_text("Server secret; empty: DATA/secret, made at first start")] = ""
    documents_url: Annotated[str, text("Users' data: sqlite: or mongodb://HOST/DATABASE")] = "sqlite:"
    bus_url: Annotated[str, text("Events and limits: memory:, unix: (a socket under DATA) or redis://HOST")] = "memory:"
    dns_servers: Annotated[tuple[str, ...], listing("DNS servers as ADDRESS or ADDRESS:PORT; empty: the system's")] = ()
    insecure_auth: Annotated[bool, switch("Allow plaintext login without TLS from loopback addresses")] = False
    log_format: Annotated[Literal["human", "json"], text("Form of log lines: human or json")] = "human"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], text("Least level logged: debug, info, warning or error")
    ] = "info"
    drain_timeout: Annotated[float, duration("How long sessions may finish their command at a stop")] = 8.0
