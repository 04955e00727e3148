import contextlib
import gzip
import io
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstead.formats.reports.archive import packed, unpacked
from mailstead.formats.reports.arf import FeedbackReport, parse_feedback
from mailstead.formats.reports.attached import attached_report
from mailstead.formats.reports.dmarc import (
    AggregateReport,
    DkimAuthResult,
    OverrideReason,
    PolicyPublished,
    ReportRecord,
    SpfAuthResult,
    format_aggregate,
    parse_aggregate,
)
from mailstead.formats.reports.errors import ReportError
from mailstead.formats.reports.tlsrpt import (
    DateRange,
    FailureDetails,
    PolicyReport,
    ReportPolicy,
    Summary,
    TlsReport,
    format_tls_report,
    parse_tls_report,
    report_addresses,
)
from support.corpus import CORPUS

TEXT = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x2FF), max_size=30).map(str.strip)
WORD = st.sampled_from(["pass", "fail", "none", "quarantine", "reject", "x&<>\"'"])
COUNT = st.integers(0, 2**40)

RECORD = st.builds(
    ReportRecord,
    source_ip=st.ip_addresses().map(str),
    count=COUNT,
    disposition=WORD,
    dkim=WORD,
    spf=WORD,
    header_from=TEXT,
    envelope_from=TEXT,
    envelope_to=TEXT,
    reasons=st.lists(st.builds(OverrideReason, WORD, TEXT), max_size=2).map(tuple),
    dkim_results=st.lists(st.builds(DkimAuthResult, TEXT, WORD, TEXT, TEXT), max_size=2).map(tuple),
    spf_results=st.lists(st.builds(SpfAuthResult, TEXT, WORD, st.sampled_from(["mfrom", "helo"])), max_size=2).map(
        tuple
    ),
)
REPORT = st.builds(
    AggregateReport,
    org_name=TEXT,
    email=TEXT,
    report_id=TEXT,
    begin=COUNT,
    end=COUNT,
    policy=st.builds(
        PolicyPublished,
        domain=TEXT.map(str.lower).map(str.strip),
        p=WORD,
        sp=WORD,
        adkim=st.sampled_from(["r", "s"]),
        aspf=st.sampled_from(["r", "s"]),
        pct=st.integers(0, 100),
        fo=st.sampled_from(["0", "1:d:s"]),
    ),
    records=st.lists(RECORD, max_size=4).map(tuple),
    extra_contact_info=TEXT,
    errors=st.lists(TEXT, max_size=2).map(tuple),
)


@given(REPORT)
def test_an_aggregate_report_reads_as_it_was_written(report: AggregateReport) -> None:
    assert parse_aggregate(format_aggregate(report)) == report


def test_what_others_send_is_read() -> None:
    """With a namespace, capitals, and fields lacking, as they are met."""
    data = b"""<?xml version="1.0"?>
<f:feedback xmlns:f="http://dmarc.org/dmarc-xml/0.1"><report_metadata><org_name>acme.com</org_name>
<email>noreply-dmarc-support@acme.com</email><report_id>9391651994964116463</report_id>
<date_range><begin>1335571200</begin><end>1335657599</end></date_range></report_metadata>
<policy_published><domain>Example.com</domain><p>NONE</p></policy_published>
<record><row><source_ip>72.150.241.94</source_ip><count>2</count><policy_evaluated><disposition>none</disposition>
<dkim>fail</dkim><spf>Pass</spf></policy_evaluated></row><identifiers><header_from>example.com</header_from></identifiers>
<auth_results><dkim><domain>example.com</domain><result>fail</result></dkim>
<spf><domain>example.com</domain><result>pass</result></spf></auth_results></record></f:feedback>"""
    report = parse_aggregate(data)
    assert (report.org_name, report.begin, report.policy.domain, report.policy.p) == (
        "acme.com",
        1335571200,
        "example.com",
        "none",
    )
    (record,) = report.records
    assert (record.count, record.spf, record.spf_results[0]) == (2, "pass", SpfAuthResult("example.com", "pass"))


BOMB = b'<!DOCTYPE f [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><feedback>&b;</feedback>'


@pytest.mark.parametrize(
    "data",
    [
        b"", b"nonsense", b"<feedback>", b"<other/>", b"<feedback/>", BOMB, b"<feedback>&lol;</feedback>",
        b'<!DOCTYPE f SYSTEM "file:///etc/passwd"><feedback/>', b"<a>" * 100,
        b'<?xml version="1.0" encoding="utf-7"?><feedback/>',
        b'<?xml version="1.0" encoding="nonsense"?><feedback/>', b"\xff\xfe<\x00",
    ],
)  # fmt: skip
def test_what_is_no_aggregate_report(data: bytes) -> None:
    with pytest.raises(ReportError):
        parse_aggregate(data)


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"<count>5", b"<count>-5"), (b"<count>5", b"<count>" + b"9" * 30), (b"192.0.2.1", b"nowhere"), (b"<begin>1", b"<begin>x")],
)  # fmt: skip
def test_numbers_and_addresses_that_make_no_sense(old: bytes, new: bytes) -> None:
    record = ReportRecord(
        source_ip="192.0.2.1", count=5, disposition="none", dkim="pass", spf="pass", header_from="a.test"
    )
    policy = PolicyPublished("a.test", "none")
    report = AggregateReport(org_name="o", email="e", report_id="1", begin=1, end=2, policy=policy, records=(record,))
    data = format_aggregate(report)
    assert old in data
    with pytest.raises(ReportError):
        parse_aggregate(data.replace(old, new))


@given(st.binary(max_size=400))
def test_any_octets_are_a_report_or_refused(data: bytes) -> None:
    for parse in (parse_aggregate, parse_tls_report, parse_feedback, attached_report, unpacked):
        with contextlib.suppress(ReportError):
            parse(data)
    for prefix in (b"\x1f\x8b\x08\x00", b"PK\x03\x04", b"<feedback>", b'{"organization-name":'):
        for read in (parse_aggregate, parse_tls_report, unpacked):
            with contextlib.suppress(ReportError):
                read(prefix + data)


TLS = st.builds(
    TlsReport,
    TEXT,
    st.builds(DateRange, TEXT, TEXT),
    TEXT,
    TEXT,
    st.lists(
        st.builds(
            PolicyReport,
            st.builds(
                ReportPolicy,
                st.sampled_from(["tlsa", "sts", "no-policy-found"]),
                TEXT,
                st.lists(TEXT, max_size=2).map(tuple),
                st.one_of(TEXT, st.lists(TEXT, min_size=1, max_size=2).map(tuple)),
            ),
            st.builds(Summary, COUNT, COUNT),
            st.lists(
                st.builds(FailureDetails, result_type=TEXT, failed_session_count=COUNT, receiving_ip=TEXT), max_size=2
            ).map(tuple),
        ),
        max_size=2,
    ).map(tuple),
)


@given(TLS)
def test_a_tls_report_reads_as_it_was_written(report: TlsReport) -> None:
    assert parse_tls_report(format_tls_report(report)) == report


def test_the_example_of_rfc_8460() -> None:
    """RFC 8460 §B."""
    data = b"""{"organization-name": "Company-X", "date-range": {"start-datetime": "2016-04-01T00:00:00Z",
    "end-datetime": "2016-04-01T23:59:59Z"}, "contact-info": "sts-reporting@company-x.example",
    "report-id": "5065427c-23d3-47ca-b6e0-946ea0e8c4be", "policies": [{"policy": {"policy-type": "sts",
    "policy-string": ["version: STSv1","mode: testing", "mx: *.mail.company-y.example","max_age: 86400"],
    "policy-domain": "company-y.example", "mx-host": "*.mail.company-y.example"},
    "summary": {"total-successful-session-count": 5326, "total-failure-session-count": 303},
    "failure-details": [{"result-type": "certificate-expired", "sending-mta-ip": "2001:db8:abcd:0012::1",
    "receiving-mx-hostname": "mx1.mail.company-y.example", "failed-session-count": 100}]}]}"""
    report = parse_tls_report(data)
    assert report.policies[0].summary == Summary(5326, 303)
    assert report.policies[0].failure_details[0].result_type == "certificate-expired"
    with pytest.raises(ReportError):
        parse_tls_report(data.replace(b"5326", b"-1"))
    with pytest.raises(ReportError):
        parse_tls_report(data.replace(b'"sts"', b'"other"'))
    with pytest.raises(ReportError):
        parse_tls_report(b'{"x":' + b"[" * 100_000)


@pytest.mark.parametrize(
    ("records", "uris"),
    [
        (("v=TLSRPTv1; rua=mailto:r@example.test,https://r.example.test/v1",), ("mailto:r@example.test", "https://r.example.test/v1")),
        (("v=TLSRPTv1;rua=mailto:r@example.test;", "other"), ("mailto:r@example.test",)),
        (("v=TLSRPTv1; rua=http://x.test, ftp:x, mailto:no",), ()), (("v=TLSRPTv1",), ()), ((), ()),
        (("v=TLSRPTv1;rua=mailto:a@b.test", "v=TLSRPTv1;rua=mailto:c@d.test"), ()),
    ],
)  # fmt: skip
def test_who_wants_tls_reports(records: tuple[str, ...], uris: tuple[str, ...]) -> None:
    assert report_addresses(records) == uris


def zipped(content: bytes, names: tuple[str, ...] = ("a.xml",), method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name in names:
            archive.writestr(name, content)
    return file.getvalue()


def test_archives_are_unpacked_within_bounds() -> None:
    assert unpacked(packed(b"x" * 1000), 1000) == b"x" * 1000
    assert unpacked(zipped(b"x" * 1000), 1000) == b"x" * 1000
    assert unpacked(b"x" * 1000, 1000) == b"x" * 1000
    bomb = zlib.compress(bytes(50_000_000))
    bombs = [packed(bytes(50_000_000)), zipped(bytes(50_000_000)), bytes(50_000_000)]
    assert len(bomb) < 100_000
    for data in bombs:
        with pytest.raises(ReportError, match="too large"):
            unpacked(data, 1_000_000)
    for data in (
        packed(b"x" * 1000)[:-9],
        zipped(b"x", tuple(f"{number}.xml" for number in range(11))),
        zipped(b"", ()),
        zipped(b"x" * 100, method=zipfile.ZIP_LZMA),
        zipped(b"x" * 1000)[:60],
        b"PK\x03\x04junk",
        b"\x1f\x8bjunk",
    ):
        with contextlib.suppress(ReportError):
            assert unpacked(data, 1000) is data, "only what is no archive comes back as it is"
    assert gzip.decompress(packed(b"x")) == b"x"


ARF = b"""From: <abusedesk@example.com>\r
Content-Type: multipart/report; report-type=feedback-report; boundary="b"\r
\r
--b\r
Content-Type: text/plain\r
\r
This is an abuse report.\r
--b\r
Content-Type: message/feedback-report\r
\r
Feedback-Type: abuse\r
User-Agent: SomeGenerator/1.0\r
Version: 1\r
Original-Mail-From: <somespammer@example.net>\r
Original-Rcpt-To: <user@example.com>\r
Original-Rcpt-To: <other@example.com>\r
Arrival-Date: Thu, 8 Mar 2005 14:00:00 EDT\r
Source-IP: [192.0.2.1]\r
Reported-Domain: example.net\r
Incidents: 7\r
\r
--b\r
Content-Type: message/rfc822\r
\r
From: <somespammer@example.net>\r
Subject: Earn money\r
\r
Spam Spam Spam\r
--b--\r
"""


def test_an_abuse_report() -> None:
    """RFC 5965 §B.2."""
    assert parse_feedback(ARF) == FeedbackReport(
        feedback_type="abuse",
        user_agent="SomeGenerator/1.0",
        version="1",
        original_mail_from="somespammer@example.net",
        original_rcpt_to=("user@example.com", "other@example.com"),
        arrival_date="Thu, 8 Mar 2005 14:00:00 EDT",
        source_ip="192.0.2.1",
        reported_domain=("example.net",),
        incidents=7,
        original_header=b"From: <somespammer@example.net>\r\nSubject: Earn money\r\n\r\n",
    )
    found = attached_report(ARF)
    assert (found.kind, found.report) == ("feedback", parse_feedback(ARF))
    with pytest.raises(ReportError):
        parse_feedback(ARF.replace(b"Feedback-Type", b"Other"))


@pytest.mark.skipif(not CORPUS.exists(), reason="the shared corpus is not beside this checkout")
def test_reports_of_the_corpus_are_read() -> None:
    folder = CORPUS / "mail-auth"
    paths = sorted([*folder.glob("[01]0[0-9]-*.eml"), *folder.glob("rpt0*.eml")])
    kinds = [attached_report(path.read_bytes()).kind for path in paths]
    assert kinds == ["feedback"] * 5 + ["dmarc"] * 5 + ["tls"] * 2
