r"""Dialogues of line protocols as text, played against a session or a server.

    # a comment                 ! name value: what the test sets up before the dialogue
    C: a line the client sends, CR LF added           C> octets with \r \n \0 \xNN escapes, nothing added
    S: a line the server sends                        S~ a regular expression for such a line
    S> lines of the server with escapes, their ends too
    S| lines that come in any order                   S? a line that may come, among S| or before an S:
    = TLS: the handshake                              = END: the server closes
    = REPEAT 20 C: ...: the same line many times      = SILENCE: nothing more has come so far
    = LESS one other: a captured number is less than another

`{name}` in a line is replaced by what the test gives or an earlier line of the server captured: `{name=}` in S: S| S?
takes a word. Lines of the client go together up to the next line of the server. `B C:` speaks to a second session, `C S:`
to a third; a session is opened where it is first named.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Protocol

import msgspec

_LINE = re.compile(r"(?:([A-Z]) )?(C:|C>|S[:~>|?]|=)(?: (.*))?")
_FIRST = "A"


class Step(msgspec.Struct, frozen=True):
    kind: str
    text: str
    number: int
    session: str = _FIRST


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


class Wording(Protocol):
    """What a protocol has of its own in a transcript."""

    def same(self, line: str) -> str:
        """The line in the form in which lines are compared: one for all that differ in order alone."""
        ...

    def readings(self, line: str) -> list[str]:
        """What of the server's line is compared: the whole, and the line without what it may say unasked."""
        ...

    def pattern(self, literal: str) -> str:
        """The regular expression for a piece of an expected line."""
        ...

    async def step(self, step: Step, text: str, talk: Talk) -> bool:
        """Carry out a step of the protocol's own; False when there is none of that kind."""
        ...


class Exact:
    """Lines are what they say."""

    def same(self, line: str) -> str:
        return line

    def readings(self, line: str) -> list[str]:
        return [line]

    def pattern(self, literal: str) -> str:
        return re.escape(literal)

    async def step(self, step: Step, text: str, talk: Talk) -> bool:
        return False


def read_transcript(path: Path) -> Transcript:
    settings: dict[str, list[str]] = {}
    steps: list[Step] = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if line[0] == "!":
            name, _, value = line[1:].strip().partition(" ")
            settings.setdefault(name, []).append(value)
            continue
        found = _LINE.fullmatch(line)
        if found is None:
            raise ValueError(f"{path}:{number}: {line}")
        session, kind, text = found[1] or _FIRST, found[2], found[3] or ""
        if kind == "=":
            kind, _, text = text.partition(" ")
        steps.append(Step(kind, text, number, session))
    return Transcript(path.stem, settings, steps)


def unescape(text: str) -> bytes:
    return text.encode("latin-1", "backslashreplace").decode("unicode_escape").encode("latin-1")


async def play(transcript: Transcript, talk: Talk, values: Mapping[str, str]) -> None:
    """One session."""

    async def only(name: str) -> Talk:
        assert name == _FIRST
        return talk

    await Player(transcript, only, values, Exact()).play()


class Player:
    """One run of a transcript; `open_talk` gives the session of a name."""

    def __init__(
        self,
        transcript: Transcript,
        open_talk: Callable[[str], Awaitable[Talk]],
        values: Mapping[str, str],
        wording: Wording,
    ) -> None:
        self._transcript = transcript
        self._open_talk = open_talk
        self._values = dict(values)
        self._wording = wording
        self._talks: dict[str, Talk] = {}
        self._waiting: dict[str, bytes] = {}
        self._peeked: dict[str, bytes] = {}

    async def play(self) -> None:
        steps = self._transcript.steps
        place = 0
        while place < len(steps):
            step = steps[place]
            if step.session not in self._talks:
                self._talks[step.session] = await self._open_talk(step.session)
                self._waiting[step.session] = b""
            place += 1
            if step.kind in ("S|", "S?"):
                group = [step]
                while place < len(steps) and steps[place].kind in ("S|", "S?") and steps[place].session == step.session:
                    group.append(steps[place])
                    place += 1
                await self._send_waiting()
                await self._any_order(group)
            elif not self._said_by_client(step):
                await self._send_waiting()
                await self._heard(step)
        await self._send_waiting()

    def _said_by_client(self, step: Step) -> bool:
        text = self._filled(step)
        match step.kind:
            case "C:":
                said = text.encode() + b"\r\n"
            case "C>":
                said = unescape(text)
            case "REPEAT":
                count, _, line = text.partition(" ")
                said = int(count) * (line.removeprefix("C: ").encode() + b"\r\n")
            case _:
                return False
        self._waiting[step.session] += said
        return True

    async def _send_waiting(self) -> None:
        for name, said in self._waiting.items():
            if said:
                self._waiting[name] = b""
                await self._talks[name].send(said)

    def _filled(self, step: Step) -> str:
        return re.sub(r"\{(\w+)\}", lambda found: self._values.get(found[1], found[0]), step.text)

    def _where(self, step: Step) -> str:
        return f"{self._transcript.name}.txt line {step.number}"

    async def _read_line(self, name: str) -> bytes:
        return self._peeked.pop(name, b"") or await self._talks[name].read_line()

    async def _heard(self, step: Step) -> None:
        where, talk = self._where(step), self._talks[step.session]
        match step.kind:
            case "S:":
                line = await self._read_line(step.session)
                assert self._is_line(step, line), f"{where}: {line!r} is not {self._filled(step)}"
            case "S>":
                for expected in unescape(self._filled(step)).splitlines(keepends=True):
                    assert await self._read_line(step.session) == expected, where
            case "S~":
                found = (await self._read_line(step.session)).decode().removesuffix("\r\n")
                assert re.fullmatch(self._filled(step), found), f"{where}: {found!r} is not {step.text}"
            case "TLS":
                await talk.start_tls()
            case "END":
                assert await self._read_line(step.session) == b"", where
            case "SILENCE":
                assert step.session not in self._peeked, where
                assert await talk.is_silent(), where
            case "LESS":
                one, other = step.text.split()
                assert int(self._values[one]) < int(self._values[other]), where
            case _:
                if not await self._wording.step(step, self._filled(step), talk):
                    raise ValueError(where)

    async def _any_order(self, group: list[Step]) -> None:
        """Every S| of the group, and what comes of its S?."""
        left = list(group)
        while any(step.kind == "S|" for step in left) or left:
            line = await self._read_line(group[0].session)
            found = next((step for step in left if self._is_line(step, line)), None)
            if found is None:
                missing = [self._filled(step) for step in left if step.kind == "S|"]
                assert not missing, f"{self._where(group[0])}: {line!r} is none of {missing}"
                self._peeked[group[0].session] = line
                return
            left.remove(found)

    def _is_line(self, step: Step, line: bytes) -> bool:
        """Whether it is the line that the step expects; captures are taken when it is."""
        text = self._wording.same(self._filled(step))
        pieces = re.split(r"\{(\w+)=\}", text)
        pattern = "".join(
            f'(?P<{piece}>[^\\s()\\[\\]"]+)' if place % 2 else self._wording.pattern(piece)
            for place, piece in enumerate(pieces)
        )
        if not line.endswith(b"\r\n"):
            return False
        for reading in self._wording.readings(line.decode().removesuffix("\r\n")):
            found = re.fullmatch(pattern, self._wording.same(reading))
            if found is not None:
                self._values |= found.groupdict()
                return True
        return False
