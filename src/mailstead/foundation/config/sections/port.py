"""Ports of `mailstead serve`."""

from typing import Annotated

import msgspec

from mailstead.foundation.config.option import port


class PortSettings(msgspec.Struct, frozen=True, kw_only=True):
    """TCP ports; 0: any free port, off: not started."""

    mx: Annotated[int | None, port("Inbound SMTP")] = 2525
    submission: Annotated[int | None, port("Submission with STARTTLS")] = 2587
    submissions: Annotated[int | None, port("Submission under TLS")] = 2465
    imap: Annotated[int | None, port("IMAP with STARTTLS")] = 2143
    imaps: Annotated[int | None, port("IMAP under TLS")] = 2993
    pop3: Annotated[int | None, port("POP3 with STLS")] = 2110
    pop3s: Annotated[int | None, port("POP3 under TLS")] = 2995
    sieve: Annotated[int | None, port("ManageSieve")] = 4190
    lmtp: Annotated[int | None, port("LMTP of the storage service")] = 2424
    http: Annotated[int | None, port("Web over HTTP")] = 8080
    https: Annotated[int | None, port("Web over HTTPS")] = 8443
    api: Annotated[int | None, port("REST API")] = 4000
    caldav: Annotated[int | None, port("CalDAV")] = 5000
    carddav: Annotated[int | None, port("CardDAV")] = 6000
    metrics: Annotated[int | None, port("Metrics and health over HTTP")] = 9090
