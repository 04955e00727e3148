"""DMARC aggregate reports (RFC 7489 §7.2, §C)."""

import ipaddress
import re
from collections.abc import Iterable
from xml.sax.saxutils import escape

import msgspec

from mailstead.formats.reports.errors import ReportError
from mailstead.formats.reports.xml import Element, parse_xml

# XML 1.0 knows no control characters, whatever way they are written
_NOT_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_COUNT_MOST = 2**53
_TIME_MOST = 2**40
_RECORDS_LIMIT = 100_000
_TEXT_LIMIT = 1000


class OverrideReason(msgspec.Struct, frozen=True):
    """Why a policy was not applied: `type` is a word of PolicyOverrideType."""

    type: str
    comment: str = ""


class DkimAuthResult(msgspec.Struct, frozen=True):
    """One signature, apart from DMARC."""

    domain: str
    result: str
    selector: str = ""
    human_result: str = ""


class SpfAuthResult(msgspec.Struct, frozen=True):
    """SPF, apart from DMARC; `scope` is mfrom or helo."""

    domain: str
    result: str
    scope: str = "mfrom"


class PolicyPublished(msgspec.Struct, frozen=True):
    """The policy as it was found at `domain`."""

    domain: str
    p: str
    sp: str = ""
    adkim: str = "r"
    aspf: str = "r"
    pct: int = 100
    fo: str = "0"


class ReportRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Messages that had all of this in common."""

    source_ip: str
    count: int
    disposition: str
    dkim: str
    spf: str
    header_from: str
    envelope_from: str = ""
    envelope_to: str = ""
    reasons: tuple[OverrideReason, ...] = ()
    dkim_results: tuple[DkimAuthResult, ...] = ()
    spf_results: tuple[SpfAuthResult, ...] = ()


class AggregateReport(msgspec.Struct, frozen=True, kw_only=True):
    """A report over `begin` to `end` (seconds since the epoch)."""

    org_name: str
    email: str
    report_id: str
    begin: int
    end: int
    policy: PolicyPublished
    records: tuple[ReportRecord, ...]
    extra_contact_info: str = ""
    errors: tuple[str, ...] = ()


def format_aggregate(report: AggregateReport) -> bytes:
    """The report as XML."""
    policy = report.policy
    pieces = [
        '<?xml version="1.0" encoding="UTF-8"?>\n<feedback>\n<version>1.0</version>\n<report_metadata>\n',
        _element("org_name", report.org_name),
        _element("email", report.email),
        _element("extra_contact_info", report.extra_contact_info, optional=True),
        _element("report_id", report.report_id),
        f"<date_range><begin>{report.begin}</begin><end>{report.end}</end></date_range>\n",
        *[_element("error", error) for error in report.errors],
        "</report_metadata>\n<policy_published>\n",
        _element("domain", policy.domain),
        _element("adkim", policy.adkim),
        _element("aspf", policy.aspf),
        _element("p", policy.p),
        _element("sp", policy.sp or policy.p),
        f"<pct>{policy.pct}</pct>\n",
        _element("fo", policy.fo),
        "</policy_published>\n",
    ]
    for record in report.records:
        pieces += _record(record)
    pieces.append("</feedback>\n")
    return "".join(pieces).encode()


def _record(record: ReportRecord) -> Iterable[str]:
    yield "<record>\n<row>\n"
    yield _element("source_ip", record.source_ip)
    yield f"<count>{record.count}</count>\n<policy_evaluated>\n"
    yield _element("disposition", record.disposition)
    yield _element("dkim", record.dkim)
    yield _element("spf", record.spf)
    for reason in record.reasons:
        yield f"<reason>{_element('type', reason.type)}{_element('comment', reason.comment, optional=True)}</reason>\n"
    yield "</policy_evaluated>\n</row>\n<identifiers>\n"
    yield _element("envelope_to", record.envelope_to, optional=True)
    yield _element("envelope_from", record.envelope_from)
    yield _element("header_from", record.header_from)
    yield "</identifiers>\n<auth_results>\n"
    for dkim in record.dkim_results:
        yield "<dkim>\n" + _element("domain", dkim.domain) + _element("selector", dkim.selector, optional=True)
        yield _element("result", dkim.result) + _element("human_result", dkim.human_result, optional=True) + "</dkim>\n"
    for spf in record.spf_results:
        yield "<spf>\n" + _element("domain", spf.domain) + _element("scope", spf.scope)
        yield _element("result", spf.result) + "</spf>\n"
    yield "</auth_results>\n</record>\n"


def _element(name: str, text: str, *, optional: bool = False) -> str:
    if optional and not text:
        return ""
    return f"<{name}>{escape(_NOT_XML.sub('?', text))}</{name}>\n"


def parse_aggregate(data: bytes) -> AggregateReport:
    """The report in XML `data`; words that the schema does not know are kept. Raises ReportError."""
    root = parse_xml(data)
    if root.name != "feedback":
        raise ReportError("not an aggregate report")
    metadata, policy = root.child("report_metadata"), root.child("policy_published")
    dates = metadata.child("date_range")
    records = root.children("record")
    if len(records) > _RECORDS_LIMIT:
        raise ReportError("too many records")
    return AggregateReport(
        org_name=_text(metadata, "org_name"),
        email=_text(metadata, "email"),
        extra_contact_info=_text(metadata, "extra_contact_info"),
        report_id=_text(metadata, "report_id"),
        begin=_number(dates, "begin", _TIME_MOST),
        end=_number(dates, "end", _TIME_MOST),
        errors=tuple(one.text.strip()[:_TEXT_LIMIT] for one in metadata.children("error")[:100]),
        policy=PolicyPublished(
            domain=_text(policy, "domain").lower(),
            p=_word(policy, "p"),
            sp=_word(policy, "sp"),
            adkim=_word(policy, "adkim") or "r",
            aspf=_word(policy, "aspf") or "r",
            pct=_number(policy, "pct", 100) if policy.has("pct") else 100,
            fo=_text(policy, "fo") or "0",
        ),
        records=tuple(_read_record(record) for record in records),
    )


def _read_record(record: Element) -> ReportRecord:
    row, identifiers, results = record.child("row"), record.child("identifiers"), record.child("auth_results")
    evaluated = row.child("policy_evaluated")
    try:
        source = str(ipaddress.ip_address(_text(row, "source_ip")))
    except ValueError as error:
        raise ReportError("source_ip is no address") from error
    return ReportRecord(
        source_ip=source,
        count=_number(row, "count", _COUNT_MOST),
        disposition=_word(evaluated, "disposition"),
        dkim=_word(evaluated, "dkim"),
        spf=_word(evaluated, "spf"),
        header_from=_text(identifiers, "header_from"),
        envelope_from=_text(identifiers, "envelope_from"),
        envelope_to=_text(identifiers, "envelope_to"),
        reasons=tuple(
            OverrideReason(_word(one, "type"), _text(one, "comment")) for one in evaluated.children("reason")[:100]
        ),
        dkim_results=tuple(
            DkimAuthResult(
                _text(one, "domain"), _word(one, "result"), _text(one, "selector"), _text(one, "human_result")
            )
            for one in results.children("dkim")[:100]
        ),
        spf_results=tuple(
            SpfAuthResult(_text(one, "domain"), _word(one, "result"), _word(one, "scope") or "mfrom")
            for one in results.children("spf")[:100]
        ),
    )


def _text(element: Element, name: str) -> str:
    found = element.children(name)
    return found[0].text.strip()[:_TEXT_LIMIT] if found else ""


def _word(element: Element, name: str) -> str:
    return _text(element, name).lower()[:40]


def _number(element: Element, name: str, most: int) -> int:
    text = _text(element, name)
    if not text.isdecimal() or not text.isascii() or len(text) > 20 or int(text) > most:
        raise ReportError(f"{name} is no number that makes sense")
    return int(text)
