"""The DNS records that a domain needs, as a list, as a zone file, and compared with what is published."""

import hashlib
from ipaddress import ip_address
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mailstead.administration.certificates.wanted import standing
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.dns.answer import Answer
from mailstead.foundation.dns.resolver import Resolver
from mailstead.mail.authentication.mtasts.policy import StsPolicy, new_policy_id
from mailstead.stores.directory.records import Domain

_TXT_LIMIT = 255
_SERVICES = (
    ("_submissions._tcp", 465),
    ("_submission._tcp", 587),
    ("_imaps._tcp", 993),
    ("_imap._tcp", 143),
    ("_pop3s._tcp", 995),
    ("_caldavs._tcp", 443),
    ("_carddavs._tcp", 443),
)


class Record(msgspec.Struct, frozen=True):
    """One record; `required` when mail suffers without it."""

    name: str
    type: str
    value: str
    purpose: str
    required: bool


class Checked(msgspec.Struct, frozen=True):
    """A record and what DNS says of it."""

    name: str
    type: str
    value: str
    purpose: str
    required: bool
    ok: bool
    found: tuple[str, ...]


class HostFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What of this host stands in the records of its domains; `tlsa`: data of TLSA records, () without a lasting key."""

    hostname: str
    addresses: tuple[str, ...] = ()
    sts: StsPolicy | None = None
    tlsa: tuple[str, ...] = ()
    reports: str = "mail-reports"


def host_facts(settings: Settings, hostname: str) -> HostFacts:
    """The facts, by the settings and the host's certificate file."""
    tls = Path(settings.server.data) / "tls"
    here = standing(settings, tls, "")
    lasting = here.source in ("acme", "imported", "settings") and not here.problem
    return HostFacts(
        hostname=hostname,
        addresses=settings.server.addresses,
        sts=own_sts_policy(settings, hostname),
        tlsa=(_tlsa(Path(here.path)),) if lasting else (),
        reports=settings.reports.mailbox,
    )


def own_sts_policy(settings: Settings, hostname: str) -> StsPolicy | None:
    """The MTA-STS policy of our domains; None when none is served."""
    mode = settings.mta_sts.publish
    return None if mode == "off" else StsPolicy(mode, (hostname.lower(),), int(settings.mta_sts.max_age))


def _tlsa(path: Path) -> str:
    """DANE-EE, the key, SHA-256 (RFC 7672 §3.1.1): the form that lives through renewals with the same key."""
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"3 1 1 {hashlib.sha256(key).hexdigest()}"


def records(domain: Domain, facts: HostFacts) -> list[Record]:
    """Everything to be published for `domain`; the host's own records where it lies in the domain."""
    name, hostname = domain.id, facts.hostname
    extra = [source for source in domain.source if ip_address(source).is_global]
    spf = " ".join(["v=spf1 mx", *(f"ip{ip_address(source).version}:{source}" for source in extra), "-all"])
    found = [
        Record(name, "MX", f"10 {hostname}.", "Mail for the domain comes to this host", True),
        Record(name, "TXT", spf, "SPF: only this host sends for the domain", True),
    ]
    for key in domain.dkim_keys:
        state: str = key.algorithm
        if key.is_waiting:
            state = f"{key.algorithm}, new, signs when it is published"
        elif key.retired_at is not None:
            state = "retired, publish until it is dropped"
        signs = not key.is_waiting and key.retired_at is None
        found.append(
            Record(f"{key.selector}._domainkey.{name}", "TXT", key.public_record, f"DKIM key ({state})", signs)
        )
    reports = f"{facts.reports}@{name}"
    found += [
        Record(f"_dmarc.{name}", "TXT", f"v=DMARC1; p=quarantine; rua=mailto:{reports}", "DMARC policy", True),
        Record(f"_smtp._tls.{name}", "TXT", f"v=TLSRPTv1; rua=mailto:{reports}", "Reports of TLS failures", False),
    ]
    if facts.sts is not None:
        sts = f"v=STSv1; id={new_policy_id(facts.sts)}"
        found += [
            Record(
                f"_mta-sts.{name}", "TXT", sts, f"MTA-STS: others send under TLS only (mode {facts.sts.mode})", False
            ),
            Record(f"mta-sts.{name}", "CNAME", f"{hostname}.", "Host of the MTA-STS policy", False),
        ]
    if hostname == name or hostname.endswith(f".{name}"):
        found += _host_records(facts)
    for service, port in _SERVICES:
        found.append(
            Record(f"{service}.{name}", "SRV", f"0 1 {port} {hostname}.", "Mail programs find the service", False)
        )
    for service in ("_caldavs._tcp", "_carddavs._tcp"):
        found.append(
            Record(f"{service}.{name}", "TXT", "path=/dav/", "Where calendars and contacts are (RFC 6764)", False)
        )
    return found


def _host_records(facts: HostFacts) -> list[Record]:
    hostname = facts.hostname
    found = []
    for address in map(ip_address, facts.addresses):
        kind = "A" if address.version == 4 else "AAAA"
        found.append(Record(hostname, kind, str(address), "Address of this host", True))
    for tlsa in facts.tlsa:
        purpose = "DANE: the key of this host; only in a zone signed with DNSSEC"
        found.append(Record(f"_25._tcp.{hostname}", "TLSA", tlsa, purpose, False))
    return found


def zone_file(domain: Domain, facts: HostFacts) -> str:
    """The records as lines of a zone file; long texts are cut into strings of 255 octets (RFC 1035 §3.3)."""
    lines = [f"; {domain.id}, to be published for mail through {facts.hostname}"]
    for record in records(domain, facts):
        value = record.value
        if record.type == "TXT":
            pieces = [value[start : start + _TXT_LIMIT] for start in range(0, len(value), _TXT_LIMIT)]
            value = " ".join(f'"{piece}"' for piece in pieces)
        lines.append(f"{record.name}. 3600 IN {record.type} {value}")
    return "\n".join(lines) + "\n"


def _matches(record: Record, answer: Answer) -> bool:
    wanted = record.value.rstrip(".").lower()
    published = [text.rstrip(".").lower() for text in answer.records]
    if record.type == "TXT" and record.value.startswith(("v=spf1", "v=DMARC1", "v=TLSRPTv1")):
        tag = wanted.split(";")[0].split(" ")[0]
        return any(text.startswith(tag) for text in published)
    return wanted in published


async def are_keys_published(resolver: Resolver, domain: Domain) -> bool:
    """Whether DNS shows every key that waits. Raises ResolutionError when DNS does not answer."""
    for key in domain.dkim_keys:
        if key.is_waiting:
            answer = await resolver.query(f"{key.selector}._domainkey.{domain.id}", "TXT")
            if key.public_record not in answer.records:
                return False
    return True


async def check_records(resolver: Resolver, domain: Domain, facts: HostFacts) -> list[Checked]:
    """Each record with what DNS has. Raises ResolutionError when DNS does not answer."""
    checked = []
    for record in records(domain, facts):
        answer = await resolver.query(record.name, record.type)
        checked.append(
            Checked(
                record.name,
                record.type,
                record.value,
                record.purpose,
                record.required,
                _matches(record, answer),
                answer.records,
            )
        )
    return checked
