"""Content lines and components."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstead.formats.content_lines.component import ContentBounds, read_components
from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.content_lines.line import ContentLine, parse_line, unescape, unfolded
from support.corpus import corpus_files

BOUNDS = ContentBounds()


def test_parameters_quotes_groups_and_carets() -> None:
    line = parse_line('item1.ATTENDEE;CN="Doe; J: x";MEMBER="a","b,c";X=^^n^n^\':mailto:x@y;z')
    assert line == ContentLine(
        "ATTENDEE",
        "mailto:x@y;z",
        (("CN", ("Doe; J: x",)), ("MEMBER", ("a", "b,c")), ("X", ('^n\n"',))),
        "item1",
    )
    assert line.parameter("CN") == "Doe; J: x"
    assert line.parameter_values("MEMBER") == ["a", "b,c"]
    assert line.parameter("NONE") is None


def test_parameters_of_vcard_21_are_types() -> None:
    line = parse_line("TEL;HOME;VOICE:1")
    assert line is not None
    assert line.parameter_values("TYPE") == ["HOME", "VOICE"]


@pytest.mark.parametrize("text", ["", "no colon", ";X=1:v", 'A;B="open:v', "A B:c", "A;X=1"])
def test_what_is_no_content_line(text: str) -> None:
    assert parse_line(text) is None


def test_a_fold_may_part_a_character() -> None:
    assert list(unfolded(b"SUMMARY:\xc3\r\n \xa4\r\n\t!\nEND:X")) == [b"SUMMARY:\xc3\xa4!", b"END:X"]


def test_text_escapes() -> None:
    assert unescape(r"a\nb\, c\; d\\n\x") == "a\nb, c; d\\n\\x"


@pytest.mark.parametrize(
    "data",
    [
        b"BEGIN:A\r\nEND:B\r\n",
        b"BEGIN:A\r\n",
        b"END:A\r\n",
        b"X:1\r\n",
        b"garbage",
        b"BEGIN:A\r\nX:\xff\r\nEND:A\r\n",
    ],
)
def test_broken_structure_is_refused(data: bytes) -> None:
    with pytest.raises(ContentError):
        read_components(data, BOUNDS)


def test_bounds() -> None:
    deep = b"BEGIN:A\n" * 3 + b"END:A\n" * 3
    read_components(deep, ContentBounds(depth=3, lines=6, size=len(deep)))
    for narrow in (
        ContentBounds(depth=2, lines=6, size=len(deep)),
        ContentBounds(depth=3, lines=5, size=len(deep)),
        ContentBounds(depth=3, lines=6, size=len(deep) - 1),
    ):
        with pytest.raises(ContentError):
            read_components(deep, narrow)


def test_lines_of_another_form_are_passed_over_within_components() -> None:
    (root,) = read_components(b"\xef\xbb\xbfbegin:x\r\nwhat is this\r\nA:1\r\nend:x\r\n", BOUNDS)
    assert (root.name, root.malformed, root.value("A")) == ("X", 1, "1")


@given(st.binary(max_size=300) | st.text(alphabet='BEGIN:END;="^,A\r\n \t', max_size=200).map(str.encode))
def test_nothing_but_its_own_error_is_raised(data: bytes) -> None:
    try:
        read_components(b"BEGIN:A\r\n" + data + b"\r\nEND:A", BOUNDS)
    except ContentError:
        return


@given(
    st.lists(
        st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters='"'), min_size=1), min_size=1
    )
)
def test_quoted_parameters_come_back(values: list[str]) -> None:
    quoted = ",".join(f'"{value.replace("^", "^^")}"' for value in values)
    line = parse_line(f"A;P={quoted}:v")
    assert line is not None
    assert line.parameter_values("P") == values


@pytest.mark.parametrize(("kind", "suffix"), [("icalendar", ".ics"), ("vcard", ".vcf")])
def test_corpus(kind: str, suffix: str) -> None:
    files = corpus_files(kind, suffix)
    if not files:
        pytest.skip("the corpus is not beside the checkout")
    read = 0
    for path in files:
        try:
            read += bool(read_components(path.read_bytes(), BOUNDS))
        except ContentError:
            continue
    assert read > len(files) * 0.5
