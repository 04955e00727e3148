"""The client against servers that are broken or hostile: it ends with one line, or takes only what it asked for."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mailstead.foundation.config.sections.migration import MigrationSettings
from mailstead.foundation.spool import Spool
from mailstead.mail.migration.client import ImapClient, open_client
from mailstead.mail.migration.errors import MigrationError, RefusedError
from mailstead.mail.migration.location import Location

SETTINGS = MigrationSettings(response_limit=100_000, message_limit=1000, folders_limit=3, messages_limit=5000)
CAPABLE = {b"CAPABILITY": b"* CAPABILITY IMAP4rev1\r\n", b"LOGIN": b""}
END = b"END"  # in a script: nothing more is said, not even the tagged answer


@asynccontextmanager
async def server(script: dict[bytes, bytes], greeting: bytes = b"* OK hello\r\n") -> AsyncIterator[Location]:
    """A server that answers the first word of each command by the script, then OK; NO to what it does not know."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        while line := await reader.readline():
            tag, _, command = line.strip().partition(b" ")
            if command.startswith(b"LOGIN {"):
                for _ in range(2):
                    writer.write(b"+ go on\r\n")
                    await reader.readline()
            word = next((word for word in script if command.startswith(word)), None)
            said = script[word] if word is not None else b""
            writer.write(said.removesuffix(END))
            if not said.endswith(END):
                writer.write(tag + (b" OK done\r\n" if word is not None else b" NO not \x1b[31mhere\r\n"))
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as listening:
        yield Location("me", "127.0.0.1", listening.sockets[0].getsockname()[1], implicit_tls=False)


@asynccontextmanager
async def logged_in(tmp_path: Path, script: dict[bytes, bytes]) -> AsyncIterator[ImapClient]:
    async with server(CAPABLE | script) as there:
        client = await opened(tmp_path, there)
        try:
            yield client
        finally:
            await client.end()


async def opened(tmp_path: Path, there: Location, settings: MigrationSettings = SETTINGS) -> ImapClient:
    return await open_client(there, "secret", ssl.create_default_context(), settings, lambda: Spool(100, tmp_path))


async def test_only_what_was_asked_for_is_taken_and_once(tmp_path: Path) -> None:
    fetched = b"".join(
        b"* %d FETCH (UID %d FLAGS (\\Seen) BODY[] {%d}\r\n%b)\r\n" % (number, uid, len(body), body)
        for number, (uid, body) in enumerate([(7, b"seven"), (7, b"again"), (99, b"unasked"), (8, b"x" * 500)], 1)
    )
    script = {b"UID FETCH": b"* 9 EXISTS\r\n* 5 FETCH (FLAGS ())\r\n* 6 FETCH (UID 9 BODY[] NIL)\r\n" + fetched}
    async with logged_in(tmp_path, script) as client:
        found = await client.fetch([7, 8, 9], 505)
        assert [(one.uid, one.body.read(), one.flags) for one in found] == [
            (7, b"seven", ("\\Seen",)),
            (8, b"x" * 500, ("\\Seen",)),
        ]
        for one in found:
            one.body.close()


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ({b"LIST": b'* LIST () "/" x\r\n' * 2000}, "octets"),
        ({b"LIST": b"\r\n" * 2000}, "octets"),
        ({b"LIST": b"".join(b'* LIST () "/" %d\r\n' % number for number in range(4)), b"LSUB": b""}, "folders"),
        ({b"LIST": b"* LIST x\r\n"}, "LIST response"),
        ({b"LIST": b"+ more\r\n" + END}, "not offered"),
        ({b"LIST": b"* BYE go \x1b[2Jaway\r\n" + END}, r"go \?\[2Jaway"),
        ({}, r"NO not \?\[31mhere"),
    ],
)
async def test_a_list_of_folders_that_is_none_is_one_line(tmp_path: Path, script: dict[bytes, bytes], why: str) -> None:
    async with logged_in(tmp_path, script) as client:
        with pytest.raises(MigrationError, match=why):
            await client.folders()


async def test_folders_that_name_too_much_or_give_too_little(tmp_path: Path) -> None:
    async with logged_in(tmp_path, {b"EXAMINE": b"* 4294967295 EXISTS\r\n"}) as client:
        with pytest.raises(MigrationError, match="4294967295 messages"):
            await client.select(b"INBOX")
    few = {b"EXAMINE": b"* 2 EXISTS\r\n", b"FETCH": b"* 1 FETCH (UID 1 RFC822.SIZE 9)\r\n"}
    async with logged_in(tmp_path, few) as client:
        with pytest.raises(MigrationError, match="named 1 of 2"):
            await client.select(b"INBOX")
    async with logged_in(tmp_path, {}) as client:
        with pytest.raises(RefusedError):
            await client.select(b"INBOX")


async def test_messages_far_larger_than_announced_end_it(tmp_path: Path) -> None:
    body = b"* 1 FETCH (UID %d BODY[] {900}\r\n" + b"x" * 900 + b")\r\n"
    async with logged_in(tmp_path, {b"UID FETCH": body % 1 + body % 2}) as client:
        with pytest.raises(MigrationError, match="far more"):
            await client.fetch([1, 2], 20)
    assert list(tmp_path.iterdir()) == []


async def test_what_comes_before_the_handshake_is_never_taken_for_protected(tmp_path: Path) -> None:
    injected = b"m2 OK go\r\n* CAPABILITY X\r\n" + END
    script = {b"CAPABILITY": b"* CAPABILITY IMAP4rev1 STARTTLS\r\n", b"STARTTLS": injected, b"LOGIN": b""}
    async with server(script) as there:
        with pytest.raises(MigrationError, match=r"before the TLS handshake|No TLS"):
            await opened(tmp_path, there)


@pytest.mark.parametrize("greeting", [b"* BYE full\r\n", b"220 smtp here\r\n", b"x" * 200_000])
async def test_other_greetings_are_one_line(tmp_path: Path, greeting: bytes) -> None:
    async with server(CAPABLE, greeting) as there:
        with pytest.raises(MigrationError):
            await opened(tmp_path, there)


async def test_silence_ends_it(tmp_path: Path) -> None:
    async with server({b"CAPABILITY": END}) as there:
        with pytest.raises(MigrationError, match="does not answer"):
            await opened(tmp_path, there, MigrationSettings(timeout=0.05))
