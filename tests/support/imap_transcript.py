r"""Plays an IMAP transcript against the server's handler without sockets, or on real connections.

    ! SECTION NAME JSON      an option          ! mail TEXT         a message in alice's INBOX, with escapes
    ! file NAME              the same from messages/NAME            ! secure    no login without TLS
    ! tls                    TLS from the start (without sockets)   ! only socket
    ! quota OCTETS           of alice's mailbox

    = LOGIN [name]           read the greeting, log in as alice or as name
    = DO COMMAND             the command, and all up to its OK

`...` in a line of the server stands for any text. Where the standards leave the order open (items of FETCH and STATUS,
flags, mailbox attributes, capabilities) any order is right, a mailbox name that is an atom may be quoted or not, and FETCH
with FLAGS may name the UID unasked.
"""

import base64
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec

from mailstead.foundation.config.sections.imap import ImapSettings
from mailstead.foundation.config.sections.login import LoginSettings
from mailstead.foundation.config.sections.mailbox import MailboxSettings
from mailstead.foundation.config.sections.message import MessageSettings
from mailstead.foundation.config.sections.network import NetworkSettings
from mailstead.foundation.config.sections.server import ServerSettings
from mailstead.foundation.config.settings import Settings
from support.imap_dialogue import MemoryTalk, imap_server, imap_services
from support.installation import Installation, installation
from support.socket_talk import SocketTalk
from support.transcript import Player, Step, Talk, Transcript, read_transcript, unescape

_SECTIONS = {
    "imap": ImapSettings,
    "login": LoginSettings,
    "mailbox": MailboxSettings,
    "message": MessageSettings,
    "network": NetworkSettings,
}
_PAIRS = re.compile(r"(\* (?:\d+ FETCH|STATUS (?:\"[^\"]*\"|[^ ]+)) \()(.*)(\))")
_FLAG_LIST = re.compile(r"((?:FLAGS|LIST|LSUB|PERMANENTFLAGS) \()([^()]*)(\))")
_NAME = re.compile(r"(\* (?:(?:LIST|LSUB) \([^()]*\) \"/\"|STATUS|QUOTAROOT) )\"([\w.,&+/$-]+)\"(?=$| )")
_UNASKED = re.compile(r"(\* \d+ FETCH \()UID \d+ (FLAGS .*)")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s()"\[\]]*\[[^\]]*\](?:<\d+>)?|[^\s()"]+|(?P<open>\()')


class ImapWording:
    """Lines of IMAP; `passwords` by address."""

    def __init__(self, passwords: dict[str, str]) -> None:
        self._passwords = passwords

    def same(self, line: str) -> str:
        line = _NAME.sub(r"\1\2", line)
        line = _FLAG_LIST.sub(lambda found: found[1] + " ".join(sorted(found[2].split())) + found[3], line)
        if line.startswith("* CAPABILITY "):
            return "* CAPABILITY " + " ".join(sorted(line.split()[2:]))
        found = _PAIRS.fullmatch(line)
        if found is None:
            return line
        tokens = _tokens(found[2])
        if tokens is None or len(tokens) % 2:
            return line
        pairs = sorted(f"{name} {value}" for name, value in zip(tokens[::2], tokens[1::2], strict=True))
        return found[1] + " ".join(pairs) + found[3]

    def readings(self, line: str) -> list[str]:
        return [line, _UNASKED.sub(r"\1\2", line)]

    def pattern(self, literal: str) -> str:
        return ".*".join(map(re.escape, literal.split("...")))

    async def step(self, step: Step, text: str, talk: Talk) -> bool:
        match step.kind:
            case "LOGIN":
                greeting = await talk.read_line()
                assert greeting.startswith(b"* OK "), greeting
                address = f"{text or 'alice'}@example.test"
                await self._do(f"LOGIN {address} {self._passwords[address]}", talk, step)
            case "DO":
                await self._do(text, talk, step)
            case _:
                return False
        return True

    async def _do(self, command: str, talk: Talk, step: Step) -> None:
        tag = f"do{step.number}"
        await talk.send(f"{tag} {command}\r\n".encode())
        while not (line := await talk.read_line()).startswith(tag.encode() + b" "):
            assert line, f"line {step.number}: the server closed"
        assert line.startswith(f"{tag} OK ".encode()), f"line {step.number}: {line!r}"


def _tokens(text: str) -> list[str] | None:
    """The values of a list's content, lists whole; None when a list has no end."""
    tokens: list[str] = []
    place = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            place += 1
            continue
        end = found.end()
        if found["open"]:
            end = _list_end(text, place)
            if end < 0:
                return None
        tokens.append(text[place:end])
        place = end
    return tokens


def _list_end(text: str, place: int) -> int:
    depth = 0
    for found in re.compile(r'"(?:[^"\\]|\\.)*"|[()]').finditer(text, place):
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if depth == 0:
            return found.end()
    return -1


def transcript_settings(wanted: dict[str, list[str]]) -> Settings:
    """Settings of a transcript: those it wants, quick passwords, and logins without TLS unless it says `secure`."""
    sections: dict[str, dict[str, object]] = {"login": {"argon2_memory": 64 * 1024, "argon2_passes": 1}}
    for section in _SECTIONS:
        for option in wanted.get(section, []):
            name, _, value = option.partition(" ")
            sections.setdefault(section, {})[name] = msgspec.json.decode(value)
    given = {section: msgspec.convert(values, _SECTIONS[section]) for section, values in sections.items()}
    return Settings(server=ServerSettings(insecure_auth="secure" not in wanted), **given)


async def _fill(made: Installation, transcript: Transcript, folder: Path) -> None:
    for octets in transcript.settings.get("quota", []):
        await made.set_quota("alice@example.test", int(octets))
    for text in transcript.settings.get("mail", []):
        await made.deliver("alice@example.test", unescape(text))
    for name in transcript.settings.get("file", []):
        await made.deliver("alice@example.test", (folder / "messages" / name).read_bytes())


@asynccontextmanager
async def _opener(made: Installation, transcript: Transcript, to: str) -> AsyncIterator["_Opener"]:
    async with AsyncExitStack() as stack:
        port, authority = 0, Path()
        if to == "socket":
            port, authority = await stack.enter_async_context(imap_server(made))
        opener = _Opener(made, "tls" in transcript.settings, port, authority)
        stack.push_async_callback(opener.close)
        yield opener


class _Opener:
    """Sessions as they are asked for."""

    def __init__(self, made: Installation, tls: bool, port: int, authority: Path) -> None:
        self._made = made
        self._tls = tls
        self._port = port
        self._authority = authority
        self.talks: list[MemoryTalk | SocketTalk] = []

    async def open(self, _: str) -> Talk:
        if self._port:
            talk: MemoryTalk | SocketTalk = await SocketTalk.open(self._port, self._authority)
        else:
            talk = MemoryTalk(imap_services(self._made), tls=self._tls)
        self.talks.append(talk)
        return talk

    async def close(self) -> None:
        for talk in self.talks:
            await talk.close()


def plain(name: str, password: str, *, as_name: str = "") -> str:
    return base64.b64encode(f"{as_name}\0{name}\0{password}".encode()).decode()


async def run_transcript(path: Path, to: str, folder: Path) -> None:
    """To "session" or to "socket"; nothing unexpected may be left unread at the end."""
    transcript = read_transcript(path)
    async with installation(folder, transcript_settings(transcript.settings)) as made:
        await _fill(made, transcript, path.parent)
        password = made.passwords["alice@example.test"]
        values = {
            "password": password,
            "bob_password": made.passwords["bob@example.test"],
            "plain": plain("alice@example.test", password),
            "plain_as_bob": plain("alice@example.test", password, as_name="bob@example.test"),
            "plain_as_self": plain("alice@example.test", password, as_name="alice@example.test"),
            "plain_wrong": plain("alice@example.test", "wrong"),
            "octets_70000": "0123456789" * 7000,
            "login_name": base64.b64encode(b"alice@example.test").decode(),
            "login_password": base64.b64encode(password.encode()).decode(),
        }
        async with _opener(made, transcript, to) as opener:
            await Player(transcript, opener.open, values, ImapWording(made.passwords)).play()
            for talk in opener.talks:
                assert await talk.is_silent(), f"{transcript.name}.txt: more was said: {await talk.read_line()!r}"
