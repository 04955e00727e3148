"""The servers that mail programs are told of."""

from typing import Literal

import msgspec

from mailstead.foundation.config.settings import Settings

Use = Literal["imap", "pop3", "smtp"]
Tls = Literal["implicit", "starttls"]


class MailServer(msgspec.Struct, frozen=True):
    """One server as a program reaches it."""

    use: Use
    host: str
    port: int
    tls: Tls


class MailServers(msgspec.Struct, frozen=True):
    """All servers of this installation, the better ones first; `web` is the origin of calendars and contacts."""

    mail: tuple[MailServer, ...]
    web: str
    host: str

    def first(self, use: Use) -> MailServer | None:
        """The best server of a use."""
        return next((server for server in self.mail if server.use == use), None)


_STANDARD: tuple[tuple[Use, str, int, Tls], ...] = (
    ("imap", "imaps", 993, "implicit"),
    ("imap", "imap", 143, "starttls"),
    ("pop3", "pop3s", 995, "implicit"),
    ("pop3", "pop3", 110, "starttls"),
    ("smtp", "submissions", 465, "implicit"),
    ("smtp", "submission", 587, "starttls"),
)


def mail_servers(settings: Settings, host: str) -> MailServers:
    """The servers that are switched on; one on any free port is told of with its usual port."""
    ports = {name: getattr(settings.port, name) for _, name, _, _ in _STANDARD}
    mail = tuple(
        MailServer(use, host, ports[name] or usual, tls)
        for use, name, usual, tls in _STANDARD
        if ports[name] is not None
    )
    https = settings.port.https or 443
    return MailServers(mail, f"https://{host}" + ("" if https == 443 else f":{https}"), host)
