"""From MAILSTEAD_DNS_PUBLISH_URL to a provider."""

import binascii
import ipaddress
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import dns.exception
import dns.name
import dns.tsig

from mailstead.administration.dns_providers import cloudflare, digitalocean, route53
from mailstead.administration.dns_providers.https import HttpsClient
from mailstead.administration.dns_providers.provider import DnsProvider
from mailstead.administration.dns_providers.rfc2136 import DynamicUpdates
from mailstead.administration.transfer.imap import client_context
from mailstead.foundation.errors import InvalidError

_HTTPS, _DNS = 443, 53
_HOSTS = {"cloudflare": cloudflare.HOST, "digitalocean": digitalocean.HOST, "route53": route53.HOST}
_ALGORITHMS = ("hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512")


def open_provider(url: str, *, authorities: str = "", timeout: float = 20.0) -> DnsProvider:
    """The provider of `url`; credentials may be percent-encoded:

    cloudflare://TOKEN@, digitalocean://TOKEN@, route53://KEY:SECRET@ (each with another HOST[:PORT] than its own),
    rfc2136://KEYNAME:SECRET@ADDRESS[:PORT][?algorithm=hmac-sha256].

    `authorities` is a file of further authorities (PEM), `timeout` seconds for one answer. Raises InvalidError, never
    with a credential in it.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidError("MAILSTEAD_DNS_PUBLISH_URL cannot be read") from error
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if parts.scheme not in (*_HOSTS, "rfc2136"):
        raise InvalidError(
            "MAILSTEAD_DNS_PUBLISH_URL names no DNS provider (cloudflare, digitalocean, route53, rfc2136)"
        )
    if not user or (parts.scheme in ("route53", "rfc2136") and not password):
        raise InvalidError(f"MAILSTEAD_DNS_PUBLISH_URL lacks the credentials for {parts.scheme}")
    if parts.scheme == "rfc2136":
        return DynamicUpdates(_address(parts), port or _DNS, _key(user, password, parts), timeout)
    host = parts.hostname or _HOSTS[parts.scheme]
    client = HttpsClient(host, port or _HTTPS, client_context(authorities), timeout)
    match parts.scheme:
        case "cloudflare":
            return cloudflare.Cloudflare(client, user)
        case "digitalocean":
            return digitalocean.DigitalOcean(client, user)
        case _:
            return route53.Route53(client, host if port is None else f"{host}:{port}", user, password)


def _address(parts: SplitResult) -> str:
    try:
        return str(ipaddress.ip_address(parts.hostname or ""))
    except ValueError as error:
        raise InvalidError("MAILSTEAD_DNS_PUBLISH_URL: rfc2136 needs the server's IP address") from error


def _key(name: str, secret: str, parts: SplitResult) -> dns.tsig.Key:
    algorithm = parse_qs(parts.query).get("algorithm", ["hmac-sha256"])[-1]
    if algorithm not in _ALGORITHMS:
        raise InvalidError(f"MAILSTEAD_DNS_PUBLISH_URL: algorithm is one of {', '.join(_ALGORITHMS)}")
    try:
        return dns.tsig.Key(dns.name.from_text(name), binascii.a2b_base64(secret, strict_mode=True), algorithm)
    except (dns.exception.DNSException, ValueError) as error:
        raise InvalidError("MAILSTEAD_DNS_PUBLISH_URL: the TSIG key cannot be read") from error
