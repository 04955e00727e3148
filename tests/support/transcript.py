r"""Dialogues of line protocols as text, played against a session or a server.

    # a comment                 ! name value: what the test sets up before the dialogue
    C: a line the client sends, CR LF added           C> octets with \r \n \0 \xNN escapes, nothing added
    S: a line the server sends                        S~ a regular expression for such a line
    = TLS: the handshake                              = END: the server closes
    = REPEAT 20 C: ...: the same line many times      = SILENCE: nothing more has come so far

`{name}` in a line is replaced by what the test gives. Lines of the client go together up to the next line of the server.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import msgspec


class Step(msgspec.Struct, frozen=True):
    kind: str
    text: str
    number: int


class Transcript(msgspec.Struct, frozen=True):
    name: str
    settings: dict[str, list[str]]
    steps: list[Step]


class Talk(Protocol):
    """The client's side."""

    async def send(self, data: bytes) -> None: ...

    async def read_line(self) -> bytes:
        """A line with its CR LF; b"" when the server closed."""
        ...

    async def start_tls(self) -> None: ...

    async def is_silent(self) -> bool: ...


def read_transcript(path: Path) -> Transcript:
    settings: dict[str, list[str]] = {}
    steps: list[Step] = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        kind, text = line[:2], line[3:]
        if kind[0] == "!":
            name, _, value = line[1:].strip().partition(" ")
            settings.setdefault(name, []).append(value)
        elif kind in ("C:", "C>", "S:", "S~"):
            steps.append(Step(kind, text, number))
        elif kind[0] == "=":
            word, _, rest = line[1:].strip().partition(" ")
            steps.append(Step(word, rest, number))
        else:
            raise ValueError(f"{path}:{number}: {line}")
    return Transcript(path.stem, settings, steps)


def unescape(text: str) -> bytes:
    return text.encode("latin-1", "backslashreplace").decode("unicode_escape").encode("latin-1")


async def play(transcript: Transcript, talk: Talk, values: Mapping[str, str]) -> None:
    waiting = b""
    for step in transcript.steps:
        text = re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], found[0]), step.text)
        where = f"{transcript.name}.txt line {step.number}"
        if step.kind == "C:":
            waiting += text.encode() + b"\r\n"
            continue
        if step.kind == "C>":
            waiting += unescape(text)
            continue
        if step.kind == "REPEAT":
            count, _, line = text.partition(" ")
            waiting += int(count) * (line.removeprefix("C: ").encode() + b"\r\n")
            continue
        if waiting:
            await talk.send(waiting)
            waiting = b""
        match step.kind:
            case "S:":
                assert (await talk.read_line()).decode() == text + "\r\n", where
            case "S~":
                found = (await talk.read_line()).decode().removesuffix("\r\n")
                assert re.fullmatch(text, found), f"{where}: {found!r} is not {text}"
            case "TLS":
                await talk.start_tls()
            case "END":
                assert await talk.read_line() == b"", where
            case "SILENCE":
                assert await talk.is_silent(), where
            case _:
                raise ValueError(where)
    if waiting:
        await talk.send(waiting)
