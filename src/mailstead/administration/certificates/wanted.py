"""Which certificates this installation wants, and how those that are there stand."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec
from cryptography import x509

from mailstead.foundation.config.settings import Settings
from mailstead.foundation.dns.answer import ResolutionError
from mailstead.foundation.dns.resolver import Resolver
from mailstead.foundation.tls.authority import certificate_names
from mailstead.foundation.tls.files import CERTIFICATE, KEY

DOMAIN_LABELS = ("mta-sts", "autoconfig", "autodiscover", "mail", "imap", "smtp", "pop3", "webmail", "dav")
_RENEW_AT = 2 / 3  # of the lifetime

Source = Literal["missing", "own authority", "acme", "imported", "settings"]


class Wanted(msgspec.Struct, frozen=True):
    """A certificate: the folder it lies in (by its name; empty: the host's own) and the names it is for."""

    name: str
    names: tuple[str, ...]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate as it lies there; times in seconds since the epoch."""

    name: str
    path: str
    source: Source
    names: tuple[str, ...] = ()
    issuer: str = ""
    not_before: float = 0.0
    not_after: float = 0.0
    serial: str = ""
    problem: str = ""

    @property
    def renew_at(self) -> float:
        """When two thirds of the lifetime are over."""
        return self.not_before + (self.not_after - self.not_before) * _RENEW_AT


def folder_of(tls: Path, name: str) -> Path:
    """The folder of a certificate."""
    return tls / name if name else tls


async def wanted_certificates(
    settings: Settings, hostname: str, domains: Sequence[str], resolver: Resolver
) -> list[Wanted]:
    """The host's own, and one per domain: under dns-01 a wildcard, else those usual names that lead to this host.

    A name that leads elsewhere, or nowhere, is left out: asking for it would only spend the authority's patience.
    """
    wanted = [Wanted("", tuple(dict.fromkeys((hostname, *settings.acme.names))))]
    if not settings.acme.domains:
        return wanted
    own = set(wanted[0].names)
    here = await _addresses(resolver, hostname)
    for domain in domains:
        if settings.acme.challenge == "dns-01":
            names = [f"*.{domain}"]
        else:
            candidates = [f"{label}.{domain}" for label in DOMAIN_LABELS]
            names = [name for name in candidates if name not in own and await _leads_to(resolver, name, here)]
        if names:
            wanted.append(Wanted(domain, tuple(names)))
    return wanted


async def _leads_to(resolver: Resolver, name: str, here: frozenset[str]) -> bool:
    found = await _addresses(resolver, name)
    return bool(found) and found <= here


async def _addresses(resolver: Resolver, name: str) -> frozenset[str]:
    found: set[str] = set()
    for kind in ("A", "AAAA"):
        try:
            found.update((await resolver.query(name, kind)).records)
        except ResolutionError:
            continue
    return frozenset(found)


def standing(settings: Settings, tls: Path, name: str, serial: str = "") -> Standing:
    """How the certificate of that name stands; `serial` is that of the one that was last obtained by ACME."""
    given = bool(settings.tls.certificate) and not name
    folder = folder_of(tls, name)
    path = Path(settings.tls.certificate) if given else folder / CERTIFICATE
    source: Source = "settings" if given else "imported"
    key = Path(settings.tls.key) if settings.tls.key and given else folder / KEY
    if not path.exists() or not key.exists():
        return Standing(
            name=name, path=str(path), source="missing", problem="" if not given else "there is no such file"
        )
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except ValueError:
        return Standing(name=name, path=str(path), source=source, problem="no certificate")
    found = f"{certificate.serial_number:x}"
    if not given and found == serial:
        source = "acme"
    elif not given and _is_own(tls, certificate):
        source = "own authority"
    return Standing(
        name=name,
        path=str(path),
        source=source,
        names=tuple(certificate_names(certificate)),
        issuer=certificate.issuer.rfc4514_string(),
        not_before=certificate.not_valid_before_utc.timestamp(),
        not_after=certificate.not_valid_after_utc.timestamp(),
        serial=found,
    )


def _is_own(tls: Path, certificate: x509.Certificate) -> bool:
    authority = tls / "ca.pem"
    if not authority.exists():
        return False
    return certificate.issuer == x509.load_pem_x509_certificate(authority.read_bytes()).subject


def names_at(tls: Path) -> list[str]:
    """The names of all certificates that lie there, the host's own (empty) first."""
    if not tls.is_dir():
        return [""]
    return ["", *sorted(folder.name for folder in tls.iterdir() if (folder / CERTIFICATE).exists())]
