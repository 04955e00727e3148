"""Bytes become commands, however they are cut, and nothing unbounded is held."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstead.foundation.spool import Spool
from mailstead.protocols.imap.grammar.reader import CommandReader, CommandText, Continue, ReaderLimits, Refused

LIMITS = ReaderLimits(line=1000, literal=100, message=5000, messages=8000, literals=4)


def make(limits: ReaderLimits = LIMITS) -> CommandReader:
    return CommandReader(limits, lambda: Spool(1000, Path()))


def events(reader: CommandReader, data: bytes, step: int = 0) -> list[CommandText | Continue | Refused]:
    found = []
    for start in range(0, len(data), step or len(data) or 1):
        reader.receive(data[start : start + (step or len(data))])
        while (event := reader.next_event()) is not None:
            found.append(event)
    return found


def octets(command: CommandText | Continue | Refused) -> list[bytes]:
    assert isinstance(command, CommandText)
    return [one.data.read() if isinstance(one.data, Spool) else one.data for one in command.literals]


@given(st.integers(1, 40))
def test_commands_and_literals_however_they_are_cut(step: int) -> None:
    data = b'a NOOP\r\nb LOGIN {3+}\r\nx y {5}\r\n"a\r\n \r\nc uid fetch 1 flags\r\n'
    data += b"d APPEND box {4+}\r\n\r\n\0\xff {2+}\r\nab\r\n"
    found = [event for event in events(make(), data, step) if not isinstance(event, Continue)]
    assert all(isinstance(event, CommandText) for event in found)
    commands = [event for event in found if isinstance(event, CommandText)]
    assert [(one.tag, one.name, one.arguments) for one in commands] == [
        ("a", "NOOP", b""),
        ("b", "LOGIN", b" \0000\0 \0001\0"),
        ("c", "UID FETCH", b" 1 flags"),
        ("d", "APPEND", b" box \0000\0 \0001\0"),
    ]
    assert octets(commands[1]) == [b"x y", b'"a\r\n ']
    assert octets(commands[3]) == [b"\r\n\0\xff", b"ab"]


def test_a_synchronising_literal_waits_and_an_announced_one_does_not() -> None:
    assert events(make(), b"a LOGIN {1}\r\n") == [Continue()]
    assert events(make(), b"a LOGIN {1+}\r\n") == []


def test_literal8_is_told_from_literal() -> None:
    (command,) = events(make(), b"a APPEND box ~{3+}\r\n\0\0\0\r\n")
    assert isinstance(command, CommandText)
    assert command.literals[0].binary
    assert octets(command) == [b"\0\0\0"]


def test_only_a_message_may_be_large() -> None:
    assert events(make(), b"a LOGIN {101}\r\n") == [Refused("a", "Literal too big", "TOOBIG")]
    assert events(make(), b"a APPEND {101}\r\n") == [Refused("a", "Literal too big", "TOOBIG")]
    assert events(make(), b"a APPEND box {5000}\r\n") == [Continue()]
    assert events(make(), b"a APPEND box {5001}\r\n") == [Refused("a", "Literal too big", "TOOBIG", bad=False)]
    assert events(make(), b"a UID REPLACE 1 box {5000}\r\n") == [Continue()]


def test_messages_of_one_command_are_limited_together() -> None:
    data = b"a APPEND box {5000+}\r\n" + bytes(5000) + b" {5000}\r\n"
    assert events(make(), data) == [Refused("a", "Literal too big", "TOOBIG", bad=False)]


def test_an_announced_literal_that_is_too_big_is_passed_over() -> None:
    reader = make()
    data = b"a APPEND box {6000+}\r\n" + b"x" * 6000 + b" (\\Seen) {3+}\r\nabc\r\nb NOOP\r\n"
    found = events(reader, data, 512)
    assert found[0] == Refused("a", "Literal too big", "TOOBIG", bad=False)
    assert isinstance(found[1], CommandText)
    assert found[1].tag == "b"


def test_the_stream_is_given_up_where_it_cannot_be_followed() -> None:
    (event,) = events(make(), b"a APPEND box {10001+}\r\n")
    assert isinstance(event, Refused)
    assert event.fatal
    (event,) = events(make(), b"a" * 1001)
    assert event == Refused("*", "Line too long", fatal=True)
    (event,) = events(make(), b"a LOGIN \0 b\r\n")
    assert isinstance(event, Refused)
    assert event.fatal


def test_a_line_is_limited_with_all_its_pieces() -> None:
    data = b"a X " + b"{1+}\r\nx" * 3 + b"y" * 990 + b"\r\n"
    assert events(make(), data) == [Refused("a", "Line too long", fatal=True)]
    assert events(make(), b"a X " + b"{1+}\r\nx" * 5 + b"\r\n") == [Refused("a", "Too many literals", "LIMIT")]


@pytest.mark.parametrize("line", [b"NOOP", b"", b"a", b"+ NOOP", b"a\x80 NOOP", b"a (", b"( NOOP"])
def test_what_is_no_command_is_refused(line: bytes) -> None:
    (event,) = events(make(), line + b"\r\n")
    assert isinstance(event, Refused)
    assert event.bad
    assert not event.fatal


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_no_bytes_raise(pieces: list[bytes]) -> None:
    reader = make()
    for piece in pieces:
        for event in events(reader, piece):
            if isinstance(event, Refused) and event.fatal:
                return
    reader.close()
