import contextlib

import authres
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstead.mail.authentication.results.field import (
    AuthenticationResults,
    MethodResult,
    ResultsSyntaxError,
    format_results,
    parse_results,
)
from mailstead.mail.authentication.results.forged import without_forged

# RFC 8601 §B.2 to §B.7
EXAMPLES = [
    (b" example.org 1; none", AuthenticationResults("example.org")),
    (
        b" example.com;\r\n          spf=pass smtp.mailfrom=example.net",
        AuthenticationResults("example.com", (MethodResult("spf", "pass", "", (("smtp.mailfrom", "example.net"),)),)),
    ),
    (
        b" example.com;\r\n      auth=pass (cram-md5) smtp.auth=sender@example.net;\r\n"
        b"      spf=pass smtp.mailfrom=example.net",
        AuthenticationResults(
            "example.com",
            (
                MethodResult("auth", "pass", "", (("smtp.auth", "sender@example.net"),)),
                MethodResult("spf", "pass", "", (("smtp.mailfrom", "example.net"),)),
            ),
        ),
    ),
    (
        b' example.com; dkim=pass reason="good signature"\r\n   header.i=@mail-router.example.net;\r\n'
        b' dkim=fail reason="bad signature"\r\n   header.i=@newyork.example.com',
        AuthenticationResults(
            "example.com",
            (
                MethodResult("dkim", "pass", "good signature", (("header.i", "@mail-router.example.net"),)),
                MethodResult("dkim", "fail", "bad signature", (("header.i", "@newyork.example.com"),)),
            ),
        ),
    ),
    (
        b" foo.example.net (foobar) 1 (baz);\r\n    dkim (Because I like it) / 1 (One yay) = (wait for it) fail\r\n"
        b"      policy (A dot can go here) . (like that) expired\r\n"
        b"      (this surprised me) = (as I wasn't expecting it) 1362471462",
        AuthenticationResults(
            "foo.example.net", (MethodResult("dkim", "fail", "", (("policy.expired", "1362471462"),)),)
        ),
    ),
]


@pytest.mark.parametrize(("value", "expected"), EXAMPLES)
def test_the_examples_of_rfc_8601(value: bytes, expected: AuthenticationResults) -> None:
    assert parse_results(value) == expected


def test_what_google_writes_is_read() -> None:
    found = parse_results(
        b" mx.google.com;\r\n dkim=pass header.i=@ekiri.ee header.s=default header.b=TXuCNlsq;\r\n"
        b" arc=pass (i=1 spf=pass spfdomain=ekiri.ee dkim=pass dkdomain=ekiri.ee);\r\n"
        b' spf=neutral (google.com: 209.85.220.41 is neither permitted) smtp.mailfrom="andris+caf_=a=gmail.com@tr.ee"'
    )
    assert [(one.method, one.result) for one in found.results] == [
        ("dkim", "pass"),
        ("arc", "pass"),
        ("spf", "neutral"),
    ]
    assert found.results[2].property("smtp.mailfrom") == "andris+caf_=a=gmail.com@tr.ee"


@pytest.mark.parametrize(
    "value", [b"", b";", b" a=b; none", b" x; spf", b" x; spf=pass; none", b" x; spf=pass junk", b" (", b" x" + b"; a=b" * 300]
)  # fmt: skip
def test_what_is_no_such_value(value: bytes) -> None:
    with pytest.raises(ResultsSyntaxError):
        parse_results(value)


WORD = st.from_regex(r"\A[a-z][a-z0-9]{0,9}\Z")
TEXT = st.text(st.characters(min_codepoint=1, max_codepoint=0x2FF), min_size=1, max_size=40)
RESULT = st.builds(
    MethodResult,
    WORD.filter(lambda word: word != "none"),
    WORD,
    TEXT,
    st.lists(st.tuples(st.sampled_from(["header.from", "smtp.mailfrom", "policy.x"]), TEXT), max_size=3).map(tuple),
    TEXT,
)


def _printable(text: str) -> str:
    return "".join(one if one.isprintable() else "?" for one in text)


@given(st.lists(RESULT, max_size=5))
def test_what_is_written_is_one_field_and_reads_the_same(results: list[MethodResult]) -> None:
    text = format_results(AuthenticationResults("mx.example.test", tuple(results)))
    assert "\n" not in text.replace("\r\n\t", "")
    found = parse_results(text.encode())
    assert found.identifier == "mx.example.test"
    assert [(one.method, one.result, one.reason, one.properties) for one in found.results] == [
        (
            one.method,
            one.result,
            _printable(one.reason),
            tuple((name, _printable(value)) for name, value in one.properties),
        )
        for one in results
    ]


def test_another_reader_reads_what_is_written() -> None:
    results = AuthenticationResults(
        "mx.example.test",
        (
            MethodResult("dkim", "pass", "", (("header.d", "example.test"), ("header.b", "ab/+c=="))),
            MethodResult("spf", "fail", 'says "no"', (("smtp.mailfrom", "a@example.test"),), "it (really) did"),
            MethodResult("dmarc", "fail", "", (("header.from", "example.test"),), "p=reject dis=reject"),
        ),
    )
    read = authres.AuthenticationResultsHeader.parse("Authentication-Results: " + format_results(results))
    assert read.authserv_id == "mx.example.test"
    assert [(one.method, one.result) for one in read.results] == [("dkim", "pass"), ("spf", "fail"), ("dmarc", "fail")]
    assert read.results[1].smtp_mailfrom == "a@example.test"


@given(st.binary(max_size=300))
def test_any_value_is_read_or_refused(value: bytes) -> None:
    with contextlib.suppress(ResultsSyntaxError):
        parse_results(b" x.test;" + value)


def test_hostile_values_take_linear_time() -> None:
    for piece in (b"(", b'"', b"\\", b"a.b=", b"a=b ", b" ", b";", b'"\\', b"reason=", b"a . "):
        with contextlib.suppress(ResultsSyntaxError):
            parse_results(b" x.test; spf=pass " + piece * 100_000)


def test_forged_results_are_taken_away_and_nothing_else() -> None:
    kept = b"From: a@b\r\nAuthentication-Results: other.test; spf=pass\r\nX:  y \r\n\tz\r\n"
    forged = (
        b"Authentication-Results: mx.example.test; spf=pass\r\n"
        b"AUTHENTICATION-RESULTS:\r\n (MX.example.test)\r\n MX.Example.TEST. 1; dmarc=pass\r\n"
        b'Authentication-Results: "mx.example.test"; dkim=pass\r\n'
        b"Authentication-Results: ;junk\r\n"
    )
    assert without_forged(forged + kept + forged + b"\r\n", ["mx.example.test"]) == kept + b"\r\n"
    assert without_forged(kept + b"\r\n", ["mx.example.test"]) == kept + b"\r\n"
