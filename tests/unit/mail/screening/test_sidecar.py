"""Other filters over their protocols, as servers of the test's own speak them: answers, silence, nonsense, limits."""

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mailstead.foundation.config.sections.sidecar import SidecarSettings
from mailstead.foundation.spool import Spool
from mailstead.mail.screening.sidecar.ask import Client, Sidecars
from support.screened import exchanger, letter

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
SEEN: dict[str, Any] = {}
LETTER = letter()
CLIENT = Client(
    address="192.0.2.1",
    hello="h.test",
    hostname="",
    sender="a@b.test",
    recipients=("alice@example.test",),
    identifier="1",
)


@asynccontextmanager
async def serving(talk: Talk) -> AsyncIterator[str]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
            await writer.drain()
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()


def rspamd(answer: bytes, status: str = "200 OK") -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
        SEEN["rspamd"] = head, await reader.readexactly(length)
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(answer)}\r\n\r\n".encode() + answer)

    return talk


def spamd(answer: bytes) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.split(b"Content-length: ")[1].split(b"\r\n")[0])
        SEEN["spamd"] = head, await reader.readexactly(length)
        writer.write(answer)

    return talk


def clamd(answer: bytes) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readexactly(10) == b"zINSTREAM\0"
        pieces = []
        while size := struct.unpack("!I", await reader.readexactly(4))[0]:
            pieces.append(await reader.readexactly(size))
        SEEN["clamd"] = b"".join(pieces)
        writer.write(answer)

    return talk


async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


def action(score: float, what: str) -> bytes:
    symbols = {"R_BAD": {"score": score, "name": "R_BAD"}, "NOTHING": {"score": 0.0}}
    return msgspec.json.encode({"score": score, "required_score": 15.0, "action": what, "symbols": symbols})


async def test_rspamd_is_told_everything_and_its_points_count(tmp_path: Path) -> None:
    async with (
        serving(rspamd(action(18.0, "add header"))) as place,
        exchanger(tmp_path, settings={"sidecar": {"rspamd": place}}) as opened,
    ):
        assert (await opened.send(LETTER)).startswith(b"250")
        head, body = SEEN["rspamd"]
        assert head.startswith(b"POST /checkv2 HTTP/1.1\r\n")
        for field in (
            b"IP: 192.0.2.10",
            b"Helo: mail.good.test",
            b"Hostname: mail.good.test",
            b"From: ann@good.test",
        ):
            assert field + b"\r\n" in head
        assert b"\r\nRcpt: alice@example.test\r\n" in head
        assert body == LETTER
        (text,) = await opened.traced("screened")
        assert "rspamd gives 18 of 15 points: R_BAD (+6)" in text
        assert len(await opened.made.messages("alice@example.test", "Junk")) == 1


async def test_rspamd_may_ask_the_sender_to_come_back(tmp_path: Path) -> None:
    async with (
        serving(rspamd(action(4.0, "greylist"))) as place,
        exchanger(tmp_path, settings={"sidecar": {"rspamd": place}}) as opened,
    ):
        assert await opened.send(LETTER) == b"451 4.7.1 Come back later (rspamd)\r\n"


async def test_spamassassin_counts(tmp_path: Path) -> None:
    answer = b"SPAMD/1.1 0 EX_OK\r\nContent-length: 15\r\nSpam: True ; 7.5 / 5.0\r\n\r\nBAYES_99,URI_XX\n"
    async with serving(spamd(answer)) as place, exchanger(tmp_path, settings={"sidecar": {"spamd": place}}) as opened:
        assert (await opened.send(LETTER)).startswith(b"250")
        assert SEEN["spamd"][1] == LETTER
        (text,) = await opened.traced("screened")
        assert "SpamAssassin gives 7.5 of 5 points: BAYES_99, URI_XX (+7.5)" in text


@pytest.mark.parametrize(
    ("on_virus", "answer", "folder"),
    [("refuse", b"554 5.7.1 A virus was found: Eicar-Test", ""), ("junk", b"250", "Junk")],
)
async def test_a_virus_is_refused_or_goes_to_junk(tmp_path: Path, on_virus: str, answer: bytes, folder: str) -> None:
    async with serving(clamd(b"stream: Eicar-Test FOUND\0")) as place:
        settings: Any = {"sidecar": {"clamd": place, "on_virus": on_virus}, "junk": {"filter": False}}
        async with exchanger(tmp_path, settings=settings) as opened:
            assert (await opened.send(LETTER)).startswith(answer)
            assert SEEN["clamd"] == LETTER
            assert "a virus was found (Eicar-Test)" in (await opened.traced("screened"))[0]
            if folder:
                (stored,) = await opened.made.messages("alice@example.test", folder)
                assert b"virus=found" in stored


async def test_a_clean_message_and_the_limit_of_what_clamd_sees(tmp_path: Path) -> None:
    async with (
        serving(clamd(b"stream: OK\0")) as place,
        exchanger(tmp_path, settings={"sidecar": {"clamd": place, "size_limit": 100_000}}) as opened,
    ):
        raw = letter("line of text\r\n" * 30_000)
        assert (await opened.send(raw)).startswith(b"250")
        assert SEEN["clamd"] == raw[:100_000]
        (stored,) = await opened.made.messages("alice@example.test")
        assert b"virus=clean" in stored


@pytest.mark.parametrize(
    ("name", "talk"),
    [
        ("rspamd", silent),
        ("rspamd", rspamd(b"not json")),
        ("rspamd", rspamd(b"{}", "500 Oops")),
        ("rspamd", spamd(b"")),
        ("spamd", silent),
        ("spamd", spamd(b"SPAMD/1.0 76 Bad header line\r\n\r\n")),
        ("spamd", spamd(b"SPAMD/1.1 0 EX_OK\r\n\r\n")),
        ("spamd", spamd(b"x" * 2_000_000)),
        ("clamd", silent),
        ("clamd", clamd(b"INSTREAM size limit exceeded. ERROR\0")),
        ("clamd", clamd(b"")),
        ("clamd", None),
    ],
)
async def test_one_that_fails_loses_no_mail(name: str, talk: Talk | None, tmp_path: Path) -> None:
    async with serving(talk or silent) as place:
        where = place if talk is not None else "127.0.0.1:1"
        sidecars = Sidecars(SidecarSettings(**{name: where}, timeout=0.2), 5.0)  # type: ignore[arg-type]
        with Spool(10_000, tmp_path) as spool:
            spool.append(letter())
            opinions = await sidecars.ask(spool, CLIENT)
        (why,) = opinions.failed
        assert why.startswith("A filter of ours does not answer, come back later: ")
        assert (opinions.findings, opinions.virus, opinions.later) == ((), None, False)


@pytest.mark.parametrize("on_failure", ["pass", "defer"])
async def test_what_is_done_then_is_a_setting(tmp_path: Path, on_failure: str) -> None:
    async with exchanger(tmp_path, settings={"sidecar": {"clamd": "127.0.0.1:1", "on_failure": on_failure}}) as opened:
        answer = await opened.send(LETTER)
        if on_failure == "pass":
            assert answer.startswith(b"250")
            assert len(await opened.made.messages("alice@example.test")) == 1
            assert "not asked: A filter of ours does not answer" in (await opened.traced("screened"))[0]
        else:
            assert answer == b"451 4.7.1 A filter of ours does not answer, come back later\r\n"
            assert await opened.made.messages("alice@example.test") == []


async def test_a_strangers_words_are_no_fields_for_rspamd(tmp_path: Path) -> None:
    async with (
        serving(rspamd(action(0.0, "no action"))) as place,
        exchanger(tmp_path, settings={"sidecar": {"rspamd": place}}) as opened,
    ):
        assert (await opened.send(letter(), sender='"x\\"y"@good.test', hello="mail.good.test")).startswith(b"250")
        assert b"\r\nFrom: " in SEEN["rspamd"][0]
        assert SEEN["rspamd"][0].count(b"\r\n") == 11
