"""Options of certificates from an ACME authority."""

from typing import Annotated, Literal

import msgspec

from mailstead.foundation.config.option import duration, listing, path, secret_text, switch, text


class AcmeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Certificates from an authority by ACME."""

    directory: Annotated[
        str,
        text(
            "The authority's directory; empty: no certificates by ACME",
            pattern=r"^(https://[^\s]+)?$",
            allowed="https://HOST/PATH, for instance https://acme-v02.api.letsencrypt.org/directory",
        ),
    ] = ""
    contact: Annotated[
        str,
        text(
            "Address that the authority writes to; empty: none is given",
            pattern=r"^([^@\s]+@[^@\s]+)?$",
            allowed="a mail address",
        ),
    ] = ""
    authorities: Annotated[str, path("Authorities (PEM) that certify the directory; empty: the system's")] = ""
    challenge: Annotated[
        Literal["http-01", "dns-01"],
        text("How names are proved: http-01 (port 80 leads to the web service) or dns-01 (wildcards)"),
    ] = "http-01"
    names: Annotated[
        tuple[str, ...], listing("Further names of this host in its certificate, beside its host name", each="domains")
    ] = ()
    domains: Annotated[
        bool, switch("Certificates for the names of domains too: mta-sts, autoconfig, mail and others that lead here")
    ] = True
    dns_hook: Annotated[
        str,
        path(
            "Program that publishes dns-01 records instead of the DNS provider; called with add or remove, name and text"
        ),
    ] = ""
    dns_wait: Annotated[float, duration("How long a dns-01 record may take to be seen", least=1)] = 120.0
    timeout: Annotated[float, duration("How long one certificate may take", least=1)] = 300.0
    key_id: Annotated[str, text("Key identifier where the authority binds accounts")] = ""
    key_hmac: Annotated[
        str,
        secret_text(
            "Key (base64url) where the authority binds accounts", pattern=r"^[A-Za-z0-9_-]*$", allowed="base64url"
        ),
    ] = ""
