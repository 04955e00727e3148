"""`mailstead check`: what SPF, DKIM, DMARC and ARC say of a message, or of a client."""

import asyncio
import base64
import binascii
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, BinaryIO, TypeVar

import msgspec
import typer

from mailstead.cli.configuration import current_settings
from mailstead.cli.output import Json, emit_json, emit_table, fail
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.dns.resolver import Resolver
from mailstead.foundation.logging import configure_logging
from mailstead.mail.authentication.authenticate import Checks, authenticate
from mailstead.mail.authentication.message import CheckedMessage
from mailstead.mail.authentication.spf.check import Client, client_address

app = typer.Typer(no_args_is_help=True, help="Check who sent a message.")

_IN_FLIGHT = 64
_LINE_ROOM = 64 * 1024

T = TypeVar("T")
Ip = Annotated[str, typer.Option("--ip", help="Address of the client that sends.")]
Helo = Annotated[str, typer.Option("--helo", help="Its greeting.")]
From = Annotated[str, typer.Option("--from", help="Sender in the envelope; empty for the null sender.")]
Batch = Annotated[bool, typer.Option("--batch", help="Read JSON lines, print a JSON line for each.")]


class Question(msgspec.Struct, frozen=True):
    """A line of a batch; `message` in base64."""

    ip: str | None = None
    helo: str | None = None
    sender: str | None = msgspec.field(default=None, name="from")
    message: str | None = None


class QuestionError(Exception):
    """What was asked makes no sense; says why."""


@app.command("message")
def check_message(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="The message, - for standard input.")] = "-",
    ip: Ip = "",
    helo: Helo = "",
    sender: From = "",
    json: Json = False,
    batch: Batch = False,
) -> None:
    """Check a message: its signatures and seals, its author's policy, and with --ip where it came from."""
    if batch:
        _run_batch(file)
        return
    try:
        raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        fail(f"cannot read {file}: {error.strerror}")
    _check_one(Question(ip, helo, sender), raw, json=json)


@app.command("spf")
def check_spf(ip: Ip = "", helo: Helo = "", sender: From = "", json: Json = False, batch: Batch = False) -> None:
    """Check whether a host may send for a domain."""
    if batch:
        _run_batch("-")
        return
    if not ip:
        fail("--ip lacks", code=2)
    _check_one(Question(ip, helo, sender), None, json=json)


def _check_one(question: Question, raw: bytes | None, *, json: bool) -> None:
    try:
        client = _client(question)
    except QuestionError as error:
        fail(str(error), code=2)
    shown = _with_resolver(lambda settings, resolver: _checked(settings, resolver, client, raw))
    if json:
        emit_json(shown)
    else:
        emit_table(_rows(shown), ("check", "result", "domain", "more"), json=False)


def _run_batch(file: str) -> None:
    if file == "-":
        _with_resolver(lambda settings, resolver: _batch(settings, resolver, sys.stdin.buffer))
        return
    try:
        with Path(file).open("rb") as lines:
            _with_resolver(lambda settings, resolver: _batch(settings, resolver, lines))
    except OSError as error:
        fail(f"cannot read {file}: {error.strerror}")


def _with_resolver(work: Callable[[Settings, Resolver], Awaitable[T]]) -> T:
    settings = current_settings()
    configure_logging(settings)

    async def run() -> T:
        resolver = Resolver(settings.server.dns_servers, settings.dns)
        try:
            return await work(settings, resolver)
        finally:
            await resolver.close()

    return asyncio.run(run())


async def _checked(settings: Settings, resolver: Resolver, client: Client | None, raw: bytes | None) -> dict[str, Any]:
    checks = await authenticate(
        CheckedMessage.of_bytes(as_sent(raw)) if raw is not None else None,
        client,
        resolver,
        settings=settings.authentication,
        dkim_settings=settings.dkim,
        now=time.time(),
        sample=0,
    )
    return _shown(checks)


async def _batch(settings: Settings, resolver: Resolver, lines: BinaryIO) -> None:
    """Answers in the order of the lines, up to 64 of which are worked on at a time."""
    answers: asyncio.Queue[asyncio.Task[bytes] | None] = asyncio.Queue(_IN_FLIGHT)
    limit = settings.message.size_limit * 4 // 3 + _LINE_ROOM

    async def read() -> None:
        while line := await asyncio.to_thread(lines.readline, limit):
            whole = line.endswith(b"\n") or len(line) < limit
            while not whole:
                rest = await asyncio.to_thread(lines.readline, limit)
                whole = rest.endswith(b"\n") or len(rest) < limit
                line = b""
            await answers.put(asyncio.create_task(_answer(settings, resolver, line)))
        await answers.put(None)

    async with asyncio.TaskGroup() as group:
        group.create_task(read())
        while (task := await answers.get()) is not None:
            sys.stdout.buffer.write(await task + b"\n")
            sys.stdout.buffer.flush()


async def _answer(settings: Settings, resolver: Resolver, line: bytes) -> bytes:
    try:
        if not line:
            raise QuestionError("the line is too long")
        question = msgspec.json.decode(line, type=Question)
        client = _client(question)
        raw = base64.b64decode(question.message, validate=True) if question.message is not None else None
        if client is None and raw is None:
            raise QuestionError("neither ip nor message")
    except (QuestionError, msgspec.DecodeError, binascii.Error, ValueError) as error:
        return msgspec.json.encode({"error": str(error) or "not understood"})
    return msgspec.json.encode(await _checked(settings, resolver, client, raw))


def _client(question: Question) -> Client | None:
    if not question.ip:
        return None
    try:
        address = client_address(question.ip)
    except ValueError as error:
        raise QuestionError(f"{question.ip!r} is no IP address") from error
    sender = (question.sender or "").strip()
    if sender.startswith("<") and sender.endswith(">"):
        sender = sender[1:-1]
    return Client(address, (question.helo or "").strip(), sender)


def as_sent(raw: bytes) -> bytes:
    """A file whose lines all end in a bare LF, as files do here, with the line ends of messages on their way."""
    return raw if b"\r" in raw else raw.replace(b"\n", b"\r\n")


def _shown(checks: Checks) -> dict[str, Any]:
    spf, dmarc, arc = checks.spf, checks.dmarc, checks.arc
    return {
        "spf": spf and {"result": spf.result, "domain": spf.domain, "explanation": spf.explanation},
        "dkim": checks.dkim
        if checks.dkim is None
        else [
            {
                "result": one.result,
                "domain": one.domain or None,
                "selector": one.selector or None,
                "reason": one.reason or None,
            }
            for one in checks.dkim
        ],
        "dmarc": dmarc
        and {
            "result": dmarc.result,
            "policy": dmarc.policy,
            "domain": dmarc.domain or None,
            "disposition": dmarc.disposition,
        },
        "arc": arc and {"result": arc.result, "instances": arc.instances, "reason": arc.reason or None},
    }


def _rows(shown: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    rows: list[Mapping[str, Any]] = []
    if shown["spf"] is not None:
        rows.append({"check": "SPF", **shown["spf"], "more": shown["spf"]["explanation"]})
    rows += [{"check": "DKIM", **one, "more": one["reason"]} for one in shown["dkim"] or ()]
    if shown["dkim"] == []:
        rows.append({"check": "DKIM", "result": "none", "more": "no signature"})
    if shown["dmarc"] is not None:
        dmarc = shown["dmarc"]
        more = f"policy {dmarc['policy'] or 'none published'}, this message: {dmarc['disposition']}"
        rows.append({"check": "DMARC", **dmarc, "more": more})
    if shown["arc"] is not None:
        arc = shown["arc"]
        more = f"{arc['instances']} sets" + (f", {arc['reason']}" if arc["reason"] else "")
        rows.append({"check": "ARC", **arc, "more": more})
    return rows
