"""Options of TLS."""

from typing import Annotated, Literal

import msgspec

from mailstead.foundation.config.option import duration, path, text


class TlsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Certificates and TLS."""

    certificate: Annotated[str, path("Certificate chain of this host; empty: DATA/tls/certificate.pem")] = ""
    key: Annotated[str, path("Private key of this host; empty: DATA/tls/key.pem")] = ""
    authorities: Annotated[str, path("Further authorities (PEM) that certify the servers we send to")] = ""
    minimum: Annotated[Literal["1.2", "1.3"], text("Least TLS version accepted: 1.2 or 1.3")] = "1.2"
    reload_interval: Annotated[float, duration("How often certificate files are looked at for changes")] = 5.0
