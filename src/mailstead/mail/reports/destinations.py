"""Who wants the reports about a domain, as far as they may be sent there."""

from mailstead.formats.reports.tlsrpt import report_addresses
from mailstead.mail.authentication.dmarc.organization import organizational_domain
from mailstead.mail.authentication.dmarc.record import (
    DmarcRecordError,
    ReportAddress,
    is_dmarc_record,
    parse_dmarc_record,
)
from mailstead.mail.authentication.resolving import Resolving, lookup


async def dmarc_destinations(resolver: Resolving, domain: str) -> list[ReportAddress]:
    """Where reports on the policy at `domain` go: what its record names, outsiders only when they agree.

    RFC 7489 §7.1. Raises ResolutionError: another try may tell.
    """
    texts = [text for text in (await lookup(resolver, f"_dmarc.{domain}", "TXT")).records if is_dmarc_record(text)]
    if len(texts) != 1:
        return []
    try:
        wanted = parse_dmarc_record(texts[0]).aggregate
    except DmarcRecordError:
        return []
    found: list[ReportAddress] = []
    for address in wanted:
        host = address.address.rpartition("@")[2].lower()
        if organizational_domain(host) == organizational_domain(domain):
            found.append(address)
        else:
            found += await _agreed(resolver, domain, host, address)
    return list({one.address.lower(): one for one in found}.values())


async def _agreed(resolver: Resolving, domain: str, host: str, address: ReportAddress) -> list[ReportAddress]:
    """The address, or the ones of the same host that its record names instead; [] where it does not agree."""
    answer = await lookup(resolver, f"{domain}._report._dmarc.{host}", "TXT")
    agreeing = [text for text in answer.records if is_dmarc_record(text)]
    if not agreeing:
        return []
    for text in agreeing:
        try:
            instead = parse_dmarc_record(text).aggregate
        except DmarcRecordError:
            continue  # v=DMARC1 alone: agreed, without another address
        if instead:
            return list(instead) if all(one.address.rpartition("@")[2].lower() == host for one in instead) else []
    return [address]


async def tls_destinations(resolver: Resolving, domain: str) -> tuple[str, ...]:
    """The URIs that `domain` wants TLS reports at (RFC 8460 §3). Raises ResolutionError."""
    return report_addresses((await lookup(resolver, f"_smtp._tls.{domain}", "TXT")).records)
