"""Policy records (RFC 7489 §6.3, RFC 9091 §3).

    dmarc-record = "v" "=" "DMARC1" ";" *( tag "=" value ";" )

What is not understood is passed over, as if it were not there; only `v` has to be first and exact.
"""

import re
from typing import Literal, get_args
from urllib.parse import unquote

import msgspec

Policy = Literal["none", "quarantine", "reject"]
Alignment = Literal["r", "s"]

_VERSION = re.compile(r"[ \t]*v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|\Z)")
_PERCENT = re.compile(r"[0-9]{1,3}")
_SECONDS = re.compile(r"[0-9]{1,10}")
_URI = re.compile(r"mailto:([^!?,;\s]{3,254})(?:\?[^!]*)?(?:!([0-9]{1,18})([kmgt]?))?", re.IGNORECASE)
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_TAGS_LIMIT = 100
_URIS_LIMIT = 10
_DAY = 86400


class DmarcRecordError(Exception):
    """The record sets no policy that could be applied; says why."""


class ReportAddress(msgspec.Struct, frozen=True):
    """A mailto URI of rua= or ruf=; reports of more than `size_limit` octets are not wanted, 0: no limit."""

    address: str
    size_limit: int = 0


class DmarcRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A record; tags that it lacks, or has wrong, are as their defaults. `interval` in seconds."""

    policy: Policy
    subdomain_policy: Policy
    nonexistent_policy: Policy | None = None
    dkim_alignment: Alignment = "r"
    spf_alignment: Alignment = "r"
    percent: int = 100
    failure_options: str = "0"
    aggregate: tuple[ReportAddress, ...] = ()
    failure: tuple[ReportAddress, ...] = ()
    interval: int = _DAY
    is_public_suffix: bool = False


def is_dmarc_record(text: str) -> bool:
    """Whether a TXT record is one of DMARC."""
    return _VERSION.match(text) is not None


def parse_dmarc_record(text: str) -> DmarcRecord:
    """The policy in `text`. Raises DmarcRecordError when it has none, or a wrong one and no report address (§6.6.3)."""
    if not is_dmarc_record(text):
        raise DmarcRecordError("does not begin with v=DMARC1")
    tags: dict[str, str] = {}
    for piece in text.split(";", _TAGS_LIMIT)[1:_TAGS_LIMIT]:
        name, equals, value = piece.partition("=")
        if equals:
            tags.setdefault(name.strip().lower(), value.strip())
    aggregate = _addresses(tags.get("rua", ""))
    policy = _policy(tags.get("p"))
    subdomains = _policy(tags["sp"]) if "sp" in tags else policy
    if policy is None or subdomains is None:
        if not aggregate:
            raise DmarcRecordError("p= lacks" if "p" not in tags else "p= or sp= is no policy")
        policy = subdomains = "none"
    percent = tags.get("pct", "100")
    interval = tags.get("ri", "")
    return DmarcRecord(
        policy=policy,
        subdomain_policy=subdomains,
        nonexistent_policy=_policy(tags.get("np")),
        dkim_alignment=_alignment(tags.get("adkim")),
        spf_alignment=_alignment(tags.get("aspf")),
        percent=int(percent) if _PERCENT.fullmatch(percent) and int(percent) <= 100 else 100,
        failure_options=tags.get("fo", "0")[:20],
        aggregate=aggregate,
        failure=_addresses(tags.get("ruf", "")),
        interval=int(interval) if _SECONDS.fullmatch(interval) else _DAY,
        is_public_suffix=tags.get("psd", "").lower() == "y",
    )


def _policy(value: str | None) -> Policy | None:
    lowered = (value or "").lower()
    return next((policy for policy in get_args(Policy) if policy == lowered), None)


def _alignment(value: str | None) -> Alignment:
    return "s" if (value or "").lower() == "s" else "r"


def _addresses(value: str) -> tuple[ReportAddress, ...]:
    found = []
    for uri in value.split(",")[:_URIS_LIMIT]:
        matched = _URI.fullmatch(uri.strip())
        if matched is not None:
            address = unquote(matched[1])
            if address.count("@") == 1 and address.isascii() and address.isprintable() and " " not in address:
                found.append(ReportAddress(address, int(matched[2] or 0) * _UNITS[(matched[3] or "").lower()]))
    return tuple(found)
