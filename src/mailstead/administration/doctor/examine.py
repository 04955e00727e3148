"""The table of checks, and running it."""

import asyncio
from collections.abc import Sequence

import structlog

from mailstead.administration.actor import Actor, require_admin
from mailstead.administration.doctor.finding import Check, Examination, Finding, Status
from mailstead.administration.doctor.gateways import check_gateways
from mailstead.administration.doctor.machine import (
    check_bus,
    check_certificates,
    check_disk,
    check_documents,
    check_jobs,
    check_queue,
    check_reports,
)
from mailstead.administration.doctor.names import (
    check_blocklists,
    check_dns_records,
    check_hostname,
    check_mta_sts,
    check_ptr,
)
from mailstead.administration.doctor.network import check_clock, check_inbound, check_outbound, check_tls
from mailstead.foundation.errors import InvalidError, MailsteadError

log = structlog.get_logger("mailstead.doctor")
SERIOUSNESS: dict[Status, int] = {"ok": 0, "unknown": 1, "warning": 2, "problem": 3}

CHECKS: tuple[Check, ...] = (
    Check("hostname", "the host has a full name that leads to it", check_hostname),
    Check("ptr", "its addresses have names that lead back", check_ptr),
    Check("records", "every domain's records, and whether its mail is believed", check_dns_records),
    Check("mta-sts", "announced MTA-STS policies can be had", check_mta_sts),
    Check("outbound", "mail can leave: port 25, or the relays", check_outbound),
    Check("inbound", "mail can come in on port 25", check_inbound),
    Check("gateway", "who brings mail can be seen", check_gateways),
    Check("blocklists", "no blocklist names addresses or domains", check_blocklists),
    Check("clock", "the clock is right", check_clock),
    Check("tls", "TLS on our own ports", check_tls),
    Check("certificates", "certificates have not ended", check_certificates),
    Check("reports", "what receivers report of the domains' mail", check_reports),
    Check("queue", "mail does not pile up", check_queue),
    Check("disk", "there is room", check_disk),
    Check("documents", "the document store answers", check_documents),
    Check("bus", "the bus answers", check_bus),
    Check("jobs", "regular care is taken", check_jobs),
)


async def examine(actor: Actor, examination: Examination, only: Sequence[str] = ()) -> list[Finding]:
    """The findings of all checks, or of those named, in the table's order. Raises PermissionDeniedError, InvalidError."""
    require_admin(actor)
    unknown = set(only) - {check.name for check in CHECKS}
    if unknown:
        raise InvalidError(f"No such check: {', '.join(sorted(unknown))}")
    chosen = [check for check in CHECKS if not only or check.name in only]
    found = await asyncio.gather(*(_run(check, examination) for check in chosen))
    return [finding for findings in found for finding in findings]


async def _run(check: Check, examination: Examination) -> list[Finding]:
    timeout = examination.administration.settings.doctor.timeout
    try:
        async with asyncio.timeout(timeout):
            return await check.run(examination)
    except TimeoutError:
        text = f"The check took longer than {timeout:g} s."
    except (MailsteadError, OSError) as error:
        log.warning("check failed", check=check.name, why=str(error))
        text = f"The check could not be made: {error}"
    store = check.name in ("documents", "bus")
    fix = "Start the database, or check its address in the settings." if store else "Try again; see the log."
    return [Finding(check=check.name, status="problem" if store else "unknown", subject=check.name, text=text, fix=fix)]


def worst(findings: Sequence[Finding]) -> Status:
    """The most serious status there is."""
    return max((finding.status for finding in findings), key=SERIOUSNESS.__getitem__, default="ok")
