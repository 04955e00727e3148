"""`mailstead check junk`: what screening says of a message, without taking it or learning from it."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from mailstead.cli.check import From, Helo, Ip, as_sent
from mailstead.cli.output import Json, emit_json, emit_table, fail
from mailstead.cli.stores import with_stores
from mailstead.foundation.spool import Spool
from mailstead.mail.authentication.inbound import InboundAuthentication
from mailstead.mail.authentication.spf.check import client_address
from mailstead.mail.screening.judge import Arrived, Judgement
from mailstead.mail.screening.screening import Screening
from mailstead.services.hostname import host_name
from mailstead.services.stores import Stores

_LOOPBACK = "127.0.0.1"


def check_junk(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="The message, - for standard input.")] = "-",
    ip: Ip = "",
    helo: Helo = "",
    sender: From = "",
    recipient: Annotated[list[str] | None, typer.Option("--to", help="A recipient; may be given again.")] = None,
    json: Json = False,
) -> None:
    """Say what would become of a message: its points, what gives them, and whether it would be refused."""
    try:
        raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        fail(f"cannot read {file}: {error.strerror}")
    if ip:
        try:
            client_address(ip)
        except ValueError:
            fail(f"{ip!r} is no IP address", code=2)
    judged, required = with_stores(lambda stores: _judged(stores, as_sent(raw), ip, helo, sender, recipient or []))
    _show(judged, required, json=json)


async def _judged(
    stores: Stores, raw: bytes, ip: str, helo: str, sender: str, recipients: list[str]
) -> tuple[Judgement, float]:
    settings, hostname = stores.settings, host_name(stores.settings)
    screening = Screening(
        stores.resolver,
        stores.directory,
        stores.bus,
        stores.documents,
        settings,
        hostname,
        stores.clock,
        stores.junk,
    )
    authentication = InboundAuthentication(
        stores.resolver, settings.authentication, settings.dkim, hostname, stores.clock
    )
    visit = screening.admission.visit(ip or _LOOPBACK, is_own=False)
    try:
        with Spool(settings.message.spool_threshold, stores.data / "spool") as spool:
            spool.append(raw)
            authenticated = await authentication.judge(spool, address=ip or "unix", hello=helo, sender=sender)
            arrived = Arrived(
                message=authenticated.message,
                identifier="check",
                hello=helo,
                sender=sender,
                recipients=recipients,
                teaches=False,
                authenticated=authenticated,
            )
            return await screening.judge.judge(visit, arrived), settings.junk.threshold
    finally:
        visit.close()
        await stores.resolver.close()


def _show(judged: Judgement, required: float, *, json: bool) -> None:
    verdict, refusal = judged.verdict, judged.refusal
    findings = sorted(judged.findings, key=lambda one: -abs(one.points))
    if json:
        shown: dict[str, Any] = {
            "junk": verdict.junk,
            "score": verdict.score,
            "required": required,
            "because": verdict.because or None,
            "virus": verdict.virus,
            "refusal": refusal and {"code": refusal.code, "status": refusal.status, "text": refusal.text},
            "tests": [{"points": one.points, "test": one.name, "words": one.words} for one in findings],
        }
        emit_json(shown)
        return
    rows = [{"points": f"{one.points:+g}", "test": one.name, "words": one.words} for one in findings]
    emit_table(rows, ("points", "test", "words"), json=False, empty="Nothing speaks for or against it")
    typer.echo(judged.text.partition(";")[0])
    if refusal is not None:
        typer.echo(f"refused: {refusal.code} {refusal.status} {refusal.text}")
