"""Trees keep the octets of what was not touched, and write what was within 75 octets a line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstead.formats.content_lines.component import ContentBounds, read_components
from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.content_lines.line import ContentLine, parse_line, unfolded
from mailstead.formats.content_lines.tree import read_tree
from mailstead.formats.content_lines.write import escape, fold, write_line

BOUNDS = ContentBounds()
ODD = (
    b'BEGIN:VCALENDAR\r\nversion:2.0\nX-ODD;A="x;y":  spaces \r\nno line at all\r\nBEGIN:VEVENT\nSUMMARY:Fold\r\n'
    b"  ed\n\there\r\nDTSTART;TZID=Europe/Paris:20260101T090000\r\nEND:VEVENT\r\nend:vcalendar\r\n"
)


def test_an_untouched_tree_gives_its_octets() -> None:
    assert read_tree(ODD, BOUNDS).octets() == ODD


def test_only_the_touched_line_changes() -> None:
    tree = read_tree(ODD, BOUNDS)
    event = tree.children("VEVENT")[0]
    event.set(ContentLine("DTSTART", "20260102T090000", (("TZID", ("Europe/Paris",)),)))
    assert tree.octets() == ODD.replace(b"20260101T090000", b"20260102T090000")
    event.set(ContentLine("DTSTART", "20260102T090000", (("TZID", ("Europe/Paris",)),)))
    event.remove("DTSTART")
    assert tree.octets() == ODD.replace(b"DTSTART;TZID=Europe/Paris:20260101T090000\r\n", b"")


def test_a_copy_is_on_its_own() -> None:
    tree = read_tree(ODD, BOUNDS)
    tree.copy().children("VEVENT")[0].remove("SUMMARY")
    assert tree.octets() == ODD


def test_it_says_what_the_reader_says() -> None:
    (root,) = read_components(ODD, BOUNDS)
    again = read_tree(ODD, BOUNDS).component()
    assert again.properties == root.properties
    assert again.malformed == root.malformed == 1
    assert again.components[0].properties == root.components[0].properties


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"BEGIN:A\r\n",
        b"BEGIN:A\r\nEND:B\r\n",
        b"BEGIN:A\r\nEND:A\r\nBEGIN:B\r\nEND:B\r\n",
        b"X:1\r\nBEGIN:A\r\nEND:A\r\n",
        b"BEGIN:A\r\nX:\xff\r\nEND:A\r\n",
        b"BEGIN:A\r\n" * 9 + b"END:A\r\n" * 9,
    ],
)
def test_what_is_not_one_whole_component_is_refused(data: bytes) -> None:
    with pytest.raises(ContentError):
        read_tree(data, BOUNDS)


def test_bounds_hold() -> None:
    with pytest.raises(ContentError):
        read_tree(ODD, ContentBounds(size=20))
    with pytest.raises(ContentError):
        read_tree(ODD, ContentBounds(lines=3))


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=120)
LINE = st.builds(
    ContentLine,
    st.sampled_from(["SUMMARY", "X-LONG-NAME", "ATTENDEE"]),
    TEXT.map(escape).map(lambda text: "".join(c for c in text if c >= " " and c != "\x7f")),
    st.lists(
        st.tuples(
            st.sampled_from(["CN", "X-A"]),
            TEXT.map(lambda text: "".join(c for c in text if (c >= " " or c == "\n") and c != "\x7f")).map(
                lambda text: (text,)
            ),
        ),
        max_size=2,
    ).map(tuple),
)


@given(LINE)
def test_a_written_line_reads_as_it_was(line: ContentLine) -> None:
    octets = write_line(line)
    assert all(len(one) <= 75 for one in octets.split(b"\r\n"))
    for one in octets.split(b"\r\n"):
        one.decode("utf-8")  # no character is parted
    assert parse_line(next(unfolded(octets)).decode()) == line


@given(st.binary(max_size=300).filter(lambda octets: b"\n" not in octets and b"\r" not in octets))
def test_any_octets_fold(octets: bytes) -> None:
    assert next(unfolded(fold(octets))) == octets
