"""The wire: whatever the cut of the chunks, the same events; CR LF alone ends anything."""

import re
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstead.protocols.smtp.parser import BareNewline, Content, Event, Line, LongLine, Parser

PIECES = st.sampled_from([b"\r\n", b".", b"..", b"\r", b"\n", b"a", b"\0", b"\r\n.\r\n", b"MAIL FROM:<>\r\n", b"\xff"])
NOISE = st.lists(PIECES | st.binary(max_size=6), max_size=30).map(b"".join)
CUTS = st.lists(st.integers(0, 200), max_size=12)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place for place in places if place < len(data)})
    return [data[start:end] for start, end in zip([0, *ends], [*ends, len(data)], strict=True)]


def events_of(parser: Parser, chunks: list[bytes]) -> list[Event]:
    found = []
    for chunk in chunks:
        parser.receive(chunk)
        while (event := parser.next_event()) is not None:
            found.append(event)
    return found


def joined(events: list[Event]) -> list[Event]:
    """The same with neighbouring pieces of a message as one."""
    found: list[Event] = []
    held = b""
    for event in events:
        if isinstance(event, Content):
            held += event.data
            if event.is_last:
                found.append(Content(held, True))
                held = b""
        else:
            found.append(event)
    return [*found, Content(held, False)] if held else found


def reference(data: bytes) -> tuple[bytes, bool, bytes] | None:
    """Message, whether it has a bare newline, and the rest; by the plainest reading of the standard."""
    found = re.match(rb"(?s)((?:.*?\r\n)??)\.\r\n", data) if data.startswith(b".\r\n") else None
    end = 0 if found else data.find(b"\r\n.\r\n")
    if end < 0:
        return None
    raw, rest = (b"", data[3:]) if found else (data[: end + 2], data[end + 5 :])
    bare = re.search(rb"(?<!\r)\n|\r(?!\n)", raw) is not None
    lines = raw.split(b"\r\n")
    return b"\r\n".join(line[1:] if line.startswith(b".") else line for line in lines), bare, rest


@given(NOISE, CUTS)
def test_lines_do_not_depend_on_the_cut(data: bytes, places: list[int]) -> None:
    whole = events_of(Parser(40), [data])
    assert events_of(Parser(40), cut(data, places)) == whole
    assert sum(isinstance(event, BareNewline) for event in whole) <= 1
    if any(isinstance(event, BareNewline) for event in whole):
        assert isinstance(whole[-1], BareNewline)
    assert not any(b"\r" in event.text or b"\n" in event.text for event in whole if isinstance(event, Line))


@given(NOISE, CUTS)
def test_a_message_does_not_depend_on_the_cut(data: bytes, places: list[int]) -> None:
    results = []
    for chunks in ([data], cut(data, places), [bytes([octet]) for octet in data]):
        parser = Parser(10_000)
        parser.begin_data()
        events = joined(events_of(parser, chunks))
        results.append((events, parser.has_bare_newline))
    assert results[0][0] == results[1][0] == results[2][0]
    expected = reference(data)
    if expected is None:
        assert not any(isinstance(event, Content) and event.is_last for event in results[0][0])
        return
    message, bare, rest = expected
    assert results[0][0][0] == Content(message, True)
    assert results[0][1] is results[1][1] is results[2][1] is bare
    assert results[0][0][1:] == events_of(Parser(10_000), [rest])


@given(
    st.lists(st.binary(max_size=20).map(lambda line: line.replace(b"\r", b"").replace(b"\n", b"")), max_size=20), CUTS
)
def test_stuffing_is_undone(lines: list[bytes], places: list[int]) -> None:
    message = b"".join(line + b"\r\n" for line in lines)
    sent = b"".join((b"." + line if line.startswith(b".") else line) + b"\r\n" for line in lines) + b".\r\n"
    parser = Parser(100)
    parser.begin_data()
    assert joined(events_of(parser, cut(sent, places))) == [Content(message, True)]
    assert not parser.has_bare_newline


@given(NOISE, NOISE, CUTS)
def test_a_chunk_is_taken_as_it_is(chunk: bytes, rest: bytes, places: list[int]) -> None:
    parser = Parser(10_000)
    parser.begin_chunk(len(chunk), is_first=True)
    events = joined(events_of(parser, cut(chunk + rest, places) if chunk + rest else [b""]))
    assert events[0] == Content(chunk, True)
    assert events[1:] == events_of(Parser(10_000), [rest])
    parser.end_of_chunks()
    assert parser.has_bare_newline is (re.search(rb"(?<!\r)\n|\r(?!\n)", chunk) is not None)


@given(st.lists(NOISE, min_size=1, max_size=5), CUTS)
def test_bare_newlines_are_seen_across_chunks(chunks: list[bytes], places: list[int]) -> None:
    parser = Parser(10_000)
    for number, chunk in enumerate(chunks):
        parser.begin_chunk(len(chunk), is_first=number == 0)
        assert joined(events_of(parser, cut(chunk, places) or [b""])) == [Content(chunk, True)]
    parser.end_of_chunks()
    assert parser.has_bare_newline is (re.search(rb"(?<!\r)\n|\r(?!\n)", b"".join(chunks)) is not None)


@pytest.mark.parametrize("octet", [b"a", b"\r\n"[:1], b"\n", b"\0"])
def test_endless_input_takes_no_memory(octet: bytes) -> None:
    parser = Parser(4096)
    tracemalloc.start()
    for _ in range(200):
        parser.receive(octet * 65536)
        while parser.next_event() is not None:
            continue
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


def test_a_line_of_exactly_the_limit_is_taken() -> None:
    assert events_of(Parser(10), [b"12345678\r\n"]) == [Line(b"12345678")]
    assert events_of(Parser(10), [b"123456789\r\n1\r\n"]) == [LongLine(), Line(b"1")]
    assert events_of(Parser(10), [b"123456789", b"0" * 50, b"\r", b"\n1\r\n"]) == [LongLine(), Line(b"1")]
