"""What is counted: one row for all messages, or sessions, that had everything in common."""

from typing import Literal

import msgspec

from mailstead.formats.reports.dmarc import (
    DkimAuthResult,
    OverrideReason,
    PolicyPublished,
    ReportRecord,
    SpfAuthResult,
)
from mailstead.mail.authentication.authenticate import Checks
from mailstead.mail.authentication.tls_policy import TlsPolicy
from mailstead.mail.outbound.tls_results import ResultType

_SIGNATURES_LIMIT = 10
_DETAIL_LIMIT = 200
_STRICTNESS = {"none": 0, "quarantine": 1, "reject": 2}
PolicyType = Literal["tlsa", "sts", "no-policy-found"]
_POLICY_TYPES: dict[str, PolicyType] = {"tlsa": "tlsa", "sts": "sts", "none": "no-policy-found"}


class DmarcRow(msgspec.Struct, frozen=True):
    """Messages under `policy`; the record's count is not used."""

    policy: PolicyPublished
    record: ReportRecord


class TlsRow(msgspec.Struct, frozen=True, kw_only=True):
    """Sessions that ended with `result`; successes tell no more than the policy."""

    policy_type: PolicyType
    policy_string: tuple[str, ...] = ()
    mx_host: tuple[str, ...] = ()
    result: ResultType = "success"
    receiving_mx: str = ""
    receiving_ip: str = ""
    detail: str = ""


def dmarc_row(checks: Checks, address: str, sender: str, disposition: str) -> DmarcRow | None:
    """The row of a message that came from `address`; None where nobody asks for reports (RFC 7489 §7.2).

    `disposition` is what was done: none, quarantine or reject.
    """
    dmarc, spf = checks.dmarc, checks.spf
    if dmarc is None or spf is None or dmarc.record is None or not dmarc.record.aggregate:
        return None
    record = dmarc.record
    reasons = [OverrideReason(dmarc.override)] if dmarc.override else []
    if _STRICTNESS[disposition] < _STRICTNESS[dmarc.disposition]:
        reasons.append(OverrideReason("local_policy"))
    return DmarcRow(
        PolicyPublished(
            dmarc.policy_domain,
            record.policy,
            record.subdomain_policy,
            record.dkim_alignment,
            record.spf_alignment,
            record.percent,
            record.failure_options,
        ),
        ReportRecord(
            source_ip=address,
            count=0,
            disposition=disposition,
            dkim="pass" if dmarc.dkim_aligned else "fail",
            spf="pass" if dmarc.spf_aligned else "fail",
            header_from=dmarc.domain,
            envelope_from=sender.rpartition("@")[2].lower(),
            reasons=tuple(reasons),
            dkim_results=tuple(
                DkimAuthResult(one.domain, one.result, one.selector) for one in (checks.dkim or [])[:_SIGNATURES_LIMIT]
            ),
            spf_results=(SpfAuthResult(spf.domain, spf.result, "mfrom" if spf.identity == "mailfrom" else "helo"),),
        ),
    )


def tls_row(policy: TlsPolicy, address: str, result: ResultType, detail: str) -> TlsRow:
    """The row of a session with the server that `policy` is for."""
    row = TlsRow(
        policy_type=_POLICY_TYPES[policy.source], policy_string=policy.published, mx_host=policy.patterns, result=result
    )
    if result == "success":
        return row
    return msgspec.structs.replace(
        row, receiving_mx=policy.host, receiving_ip=address, detail=" ".join(detail.split())[:_DETAIL_LIMIT]
    )
