"""A strict client of IMAP for tests: responses as values, and one command at a time."""

import asyncio
import re
from collections import deque
from collections.abc import Callable

import msgspec

Value = bytes | list["Value"] | None
_LONGEST = 30.0
_REMEMBERED = 100
_LITERAL = re.compile(rb"~?\{(\d+)\}\r\n\Z")
_STATUS = re.compile(rb"(?:OK|NO|BAD|BYE|PREAUTH) (?:\[([A-Z0-9-]+)(?: ((?:[^\]\"]|\"[^\"]*\")*))?\] ?)?.*", re.DOTALL)
_TOKEN = re.compile(rb'"((?:[^"\\]|\\.)*)"|~?\{(\d+)\}\r\n|([^\s()"\[]*\[[^\]]*\](?:<\d+>)?|[^\s()"]+)')


class Response(msgspec.Struct, frozen=True):
    """A line of the server: `name` is the first word after the tag that is no number, `number` the one before it."""

    tag: str
    name: str
    number: int | None
    values: list[Value]
    code: str
    code_text: str
    line: bytes


def parse_values(text: bytes) -> list[Value]:
    """A line's values, literals in place."""
    stack: list[list[Value]] = [[]]
    place = 0
    while place < len(text):
        octet = text[place : place + 1]
        if octet in b" \r\n":
            place += 1
        elif octet == b"(":
            stack.append([])
            place += 1
        elif octet == b")":
            done = stack.pop()
            stack[-1].append(done)
            place += 1
        else:
            found = _TOKEN.match(text, place)
            assert found is not None, text
            place = found.end()
            if found[2] is not None:
                size = int(found[2])
                stack[-1].append(text[place : place + size])
                place += size
            elif found[1] is not None:
                stack[-1].append(re.sub(rb"\\(.)", rb"\1", found[1]))
            else:
                stack[-1].append(None if found[3] == b"NIL" else found[3])
    assert len(stack) == 1, text
    return stack[0]


def parse_response(line: bytes) -> Response:
    """A whole response with its literals. Fails the test when it is none."""
    tag, _, rest = line.removesuffix(b"\r\n").partition(b" ")
    if tag == b"+":
        return Response("+", "", None, [], "", "", line)
    status = _STATUS.fullmatch(rest)
    if status is not None:
        name = rest.partition(b" ")[0].decode()
        code, text = (status[1] or b"").decode(), (status[2] or b"").decode()
        return Response(tag.decode(), name, None, [], code, text, line)
    first, _, after = rest.partition(b" ")
    if first.isdigit():
        word, _, after = after.partition(b" ")
        return Response(tag.decode(), word.decode(), int(first), parse_values(after), "", "", line)
    return Response(tag.decode(), first.decode(), None, parse_values(after), "", "", line)


def response_end(said: bytes) -> int:
    """Where the first response of `said` ends, its literals included; 0 when it is not whole."""
    end = 0
    while True:
        found = said.find(b"\r\n", end)
        if found < 0:
            return 0
        literal = _LITERAL.search(said[end : found + 2])
        end = found + 2
        if literal is None:
            return end
        end += int(literal[1])


def items(response: Response) -> dict[str, Value]:
    """FETCH and STATUS data by name."""
    [*_, listed] = response.values
    assert isinstance(listed, list), response.line
    names = [name.decode() for name in listed[::2] if isinstance(name, bytes)]
    assert len(set(names)) * 2 == len(listed), response.line
    return dict(zip(names, listed[1::2], strict=True))


def numbers(text: str) -> list[int]:
    """A sequence set without "*", in its own order."""
    found: list[int] = []
    for piece in filter(None, text.split(",")):
        first, _, last = piece.partition(":")
        low, high = int(first), int(last or first)
        found += range(low, high + 1) if low <= high else range(low, high - 1, -1)
    return found


class ImapClient:
    """One connection; `heard` is called with every untagged response before it is kept."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._count = 0
        self._dialogue: deque[bytes] = deque(maxlen=_REMEMBERED)
        self.heard: Callable[[Response], None] = lambda _: None

    @staticmethod
    async def open(host: str, port: int) -> "ImapClient":
        client = ImapClient(*await asyncio.open_connection(host, port, limit=1 << 24))
        greeting = await client.read()
        assert greeting.name == "OK", greeting.line
        return client

    async def read(self) -> Response:
        """The next response, whole."""
        async with asyncio.timeout(_LONGEST):
            line = await self._reader.readuntil(b"\r\n")
            while (found := _LITERAL.search(line)) is not None:
                line += await self._reader.readexactly(int(found[1]))
                line += await self._reader.readuntil(b"\r\n")
        self._dialogue.append(b"S: " + line)
        return parse_response(line)

    @property
    def dialogue(self) -> str:
        """The last lines that were said, for a test that fails."""
        return b"".join(self._dialogue).decode("utf-8", "replace")

    async def send(self, command: bytes) -> str:
        """Send a command; returns its tag."""
        self._count += 1
        tag = f"t{self._count}"
        await self.say(tag.encode() + b" " + command)
        return tag

    async def until(self, tag: str) -> tuple[Response, list[Response]]:
        """The response with `tag` ("+" for a continuation) and the untagged ones before it."""
        untagged: list[Response] = []
        while True:
            response = await self.read()
            if response.tag == tag:
                return response, untagged
            assert response.tag == "*", response.line
            assert response.name != "BYE", response.line
            self.heard(response)
            untagged.append(response)

    async def do(self, command: bytes) -> tuple[Response, list[Response]]:
        """A command without synchronising literals, and all it answers."""
        return await self.until(await self.send(command))

    async def ok(self, command: bytes) -> list[Response]:
        """The same, which must be OK."""
        done, untagged = await self.do(command)
        assert done.name == "OK", (command, done.line)
        return untagged

    async def say(self, line: bytes) -> None:
        """A line as it is."""
        self._dialogue.append(b"C: " + line + b"\r\n")
        self._writer.write(line + b"\r\n")

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()
