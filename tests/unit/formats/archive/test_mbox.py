"""mbox as other programs write it."""

import mailbox as stdlib_mailbox
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstead.formats.archive.mbox import read_mbox, write_mbox

FROM = b"From ann@example.test Thu Nov 19 10:20:30 2026\n"


def test_a_plain_file() -> None:
    raw = FROM + b"Subject: a\n\none\n\n" + FROM + b"Subject: b\n\n>From two\n\n"
    first, second = read_mbox(raw)
    assert (first.raw, first.moment, first.is_exact) == (b"Subject: a\n\none\n", 1_795_083_630, False)
    assert second.raw == b"Subject: b\n\nFrom two\n"


@pytest.mark.parametrize(
    ("line", "moment"),
    [
        (b"From x Thu Nov 19 10:20:30 2026\r\n", 1_795_083_630),
        (b"From x Thu Nov 19 10:20:30 +0200 2026\n", 1_795_076_430),
        (b"From x Thu Nov 19 10:20:30 2026 +0000\n", 1_795_083_630),
        (b"From x Thu Nov 19 10:20:30 UTC 2026\n", 1_795_083_630),
        (b"From 123@xxx Thu Nov 19 10:20:30 +0000 2026\n", 1_795_083_630),
        (b"From - Thu Nov 19 10:20:30 2026\n", 1_795_083_630),
        (b"From x Thu Nov 99 10:20:30 2026\n", None),
    ],
)
def test_from_lines_of_many_programs(line: bytes, moment: int | None) -> None:
    (found,) = read_mbox(line + b"Subject: a\n\nx\n")
    assert found.moment == moment
    assert found.raw == b"Subject: a\n\nx\n"


def test_a_line_in_the_text_that_begins_with_from_is_no_message() -> None:
    raw = (
        FROM
        + b"Subject: a\n\nFrom here on it rains.\n\nFrom me\nFrom x Thu Nov 19 10:20:30 2026\nno blank line before\n\n"
    )
    (found,) = read_mbox(raw)
    assert found.raw.count(b"From ") == 3


def test_content_length_is_heeded_when_it_is_right_and_only_then() -> None:
    body = b"one\n\n" + FROM + b"quoted by length alone\n"
    right = FROM + b"Content-Length: %d\n\n" % len(body) + body + b"\n" + FROM + b"Subject: b\n\nx\n"
    first, second = read_mbox(right)
    assert first.raw.endswith(body)
    assert second.raw == b"Subject: b\n\nx\n"
    wrong = FROM + b"Content-Length: 7\n\none two three\n\n" + FROM + b"Subject: b\n\nx\n"
    assert [found.raw[-6:] for found in read_mbox(wrong)] == [b"three\n", b" b\n\nx\n"]


def test_flags_of_mutt_and_dovecot() -> None:
    raw = FROM + b"Status: RO\nX-Status: AF\nX-Keywords: work,$Junk \nSubject: a\n\nx\n"
    (found,) = read_mbox(raw)
    assert (found.flags, found.keywords) == (7, ("work", "$Junk"))


@given(
    st.binary(max_size=300)
    | st.lists(st.sampled_from([FROM, b"\n", b"x", b"Content-Length: 5\n", b"\r\n"])).map(b"".join)
)
def test_nothing_is_raised(raw: bytes) -> None:
    list(read_mbox(raw))


def test_other_programs_read_what_is_written(tmp_path: Path) -> None:
    with (tmp_path / "box").open("wb") as file:
        for number in range(3):
            raw = b"Subject: %d\r\n\r\nFrom me\r\n\r\nFrom x Thu Nov 19 10:20:30 2026\r\nend\r\n" % number
            for piece in write_mbox([raw[:20], raw[20:]], len(raw), 5, "work", 1_795_083_630):
                file.write(piece)
    box = stdlib_mailbox.mbox(tmp_path / "box")
    assert [message["Subject"] for message in box] == ["0", "1", "2"]
    assert "".join(sorted(next(iter(box)).get_flags())) == "FOR"
    box.close()
