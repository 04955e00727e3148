"""The DNS records that a domain needs, as a list, as a zone file, and compared with what is published."""

import msgspec

from mailstead.foundation.dns.answer import Answer
from mailstead.foundation.dns.resolver import Resolver
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


def records(domain: Domain, hostname: str) -> list[Record]:
    """Everything to be published for `domain` when this host is `hostname`."""
    name = domain.id
    found = [
        Record(name, "MX", f"10 {hostname}.", "Mail for the domain comes to this host", True),
        Record(name, "TXT", "v=spf1 mx -all", "SPF: only this host sends for the domain", True),
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
    found += [
        Record(f"_dmarc.{name}", "TXT", f"v=DMARC1; p=quarantine; rua=mailto:postmaster@{name}", "DMARC policy", True),
        Record(
            f"_smtp._tls.{name}", "TXT", f"v=TLSRPTv1; rua=mailto:postmaster@{name}", "Reports of TLS failures", False
        ),
    ]
    for service, port in _SERVICES:
        found.append(
            Record(f"{service}.{name}", "SRV", f"0 1 {port} {hostname}.", "Mail programs find the service", False)
        )
    for service in ("_caldavs._tcp", "_carddavs._tcp"):
        found.append(
            Record(f"{service}.{name}", "TXT", "path=/dav/", "Where calendars and contacts are (RFC 6764)", False)
        )
    return found


def zone_file(domain: Domain, hostname: str) -> str:
    """The records as lines of a zone file; long texts are cut into strings of 255 octets (RFC 1035 §3.3)."""
    lines = [f"; {domain.id}, to be published for mail through {hostname}"]
    for record in records(domain, hostname):
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


async def check_records(resolver: Resolver, domain: Domain, hostname: str) -> list[Checked]:
    """Each record with what DNS has. Raises ResolutionError when DNS does not answer."""
    checked = []
    for record in records(domain, hostname):
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
