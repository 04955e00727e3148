"""The verdict in the header: written and read again, forged ones renamed or taken away."""

import pytest

from mailstead.mail.screening.verdict import (
    Verdict,
    read_verdict,
    spam_score,
    verdict_fields,
    without_claims,
    without_verdict,
)

VERDICT = Verdict(
    junk=True,
    score=7.2,
    because="score",
    virus="clean",
    allowed=frozenset({"a.test"}),
    denied=frozenset({f"domain{number}.example.test" for number in range(10)}),
    tests=(("LINK_LIES", 3.0), ("DMARC_PASS", -0.5)),
)


def test_a_verdict_is_read_as_it_was_written() -> None:
    fields = verdict_fields(VERDICT, 5.0)
    assert all(len(line) <= 78 for line in fields.split(b"\r\n"))
    assert b"\r\nX-Spam-Flag: YES\r\nX-Spam-Score: 7.2\r\n" in fields
    assert read_verdict(fields + b"From: x@y.test\r\n\r\nX-Mailstead-Verdict: good\r\n") == VERDICT
    assert read_verdict(b"From: x\r\n\r\nX-Mailstead-Verdict: junk\r\n") is None


@pytest.mark.parametrize(
    "value",
    [b"", b"junk", b";;;=;score", b"good; score=nan", b"good; score=1e99", b"good; because=x; virus=y; allowed=a b"],
)
def test_what_is_no_verdict_of_ours_says_little(value: bytes) -> None:
    found = read_verdict(b"X-Mailstead-Verdict: " + value + b"\r\n\r\n")
    assert found == Verdict(junk=value == b"junk", score=0.0)


def test_claims_of_others_are_renamed_or_taken_away() -> None:
    header = (
        b"X-Spam-Status: No, score=-100\r\n tests=ALL\r\nFrom: x\r\nX-MAILSTEAD-verdict: good\r\n more\r\n"
        b"x-spam-flag : NO\r\nX-Spam: kept\r\n\r\n"
    )
    assert without_claims(header) == (
        b"X-Old-Spam-Status: No, score=-100\r\n tests=ALL\r\nFrom: x\r\nX-Old-Spam-flag : NO\r\nX-Spam: kept\r\n\r\n"
    )
    clean = b"From: x\r\nX-Spa: y\r\n\r\n"
    assert without_claims(clean) is clean
    ours = verdict_fields(VERDICT, 5.0)
    assert without_verdict(ours + header) == b"From: x\r\nX-Spam: kept\r\n\r\n"


def test_for_whom_it_is_junk() -> None:
    assert VERDICT.is_junk_for("other.test", 5.0, filters=True)
    assert not VERDICT.is_junk_for("other.test", 8.0, filters=True)
    assert not VERDICT.is_junk_for("other.test", 5.0, filters=False)
    assert not VERDICT.is_junk_for("a.test", 5.0, filters=True)
    assert VERDICT.is_junk_for("domain1.example.test", 100.0, filters=False)
    for because in ("dmarc", "attachment", "blocklist", "virus"):
        forced = Verdict(junk=True, score=0.0, because=because, allowed=frozenset({"a.test"}))
        assert forced.is_junk_for("b.test", 5.0, filters=False)
        assert forced.is_junk_for("a.test", 5.0, filters=False) == (because == "virus")


@pytest.mark.parametrize(
    ("score", "junk", "spam"), [(-3.0, False, 0.0), (5.0, True, 0.5), (50.0, True, 1.0), (4.9, False, 0.49)]
)
def test_the_score_for_filter_scripts(score: float, junk: bool, spam: float) -> None:
    assert spam_score(Verdict(junk=junk, score=score), 5.0) == spam
