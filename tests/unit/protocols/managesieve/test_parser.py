"""Commands however the bytes come in, and any bytes."""

from hypothesis import given
from hypothesis import strategies as st

from mailstead.protocols.managesieve.parser import Argument, Command, Event, Malformed, Parser
from mailstead.protocols.managesieve.responses import string

texts = st.binary(max_size=40)
arguments = st.one_of(texts, st.integers(0, 2**32 - 1))
commands = st.tuples(st.sampled_from(["NOOP", "PUTSCRIPT", "X-A"]), st.lists(arguments, max_size=3))


def _written(argument: Argument) -> bytes:
    if isinstance(argument, int):
        return b"%d" % argument
    return string(argument).replace(b"}\r\n", b"+}\r\n", 1) if string(argument).startswith(b"{") else string(argument)


def events_of(chunks: list[bytes]) -> list[Event]:
    parser = Parser(8192)
    found: list[Event] = []
    for chunk in chunks:
        parser.receive(chunk)
        while (event := parser.next_event(4096)) is not None:
            found.append(event)
    return found


@given(st.lists(commands, max_size=4), st.integers(1, 7))
def test_commands_in_pieces(sent: list[tuple[str, list[Argument]]], size: int) -> None:
    octets = b"".join(b" ".join([name.encode(), *(_written(one) for one in given_)]) + b"\r\n" for name, given_ in sent)
    pieces = [octets[place : place + size] for place in range(0, len(octets), size)]
    assert events_of(pieces) == [Command(name, tuple(given_)) for name, given_ in sent]


@given(st.lists(st.binary(max_size=30), max_size=10))
def test_any_bytes(chunks: list[bytes]) -> None:
    whole = events_of([b"".join(chunks)])
    assert events_of(chunks) == whole
    for event in whole[:-1]:
        assert not (isinstance(event, Malformed) and event.fatal)


_PIECES = [
    b"NOOP",
    b" ",
    b'"a"',
    b'"',
    b"\\",
    b"{3+}\r\n",
    b"{9999+}\r\n",
    b"{4}\r\n",
    b"abc",
    b"12",
    b"\r\n",
    b"\r",
    b"\n",
    b"*",
]


@given(st.lists(st.sampled_from(_PIECES), max_size=30))
def test_any_words(pieces: list[bytes]) -> None:
    assert events_of(pieces) == events_of([b"".join(pieces)])


def test_a_literal_of_a_wrong_command_is_not_read_as_one() -> None:
    assert events_of([b"PUTSCRIPT atom {13+}\r\nDELETESCRIPT \r\nNOOP\r\n"]) == [
        Malformed("Not a string or number"),
        Command("NOOP", ()),
    ]
