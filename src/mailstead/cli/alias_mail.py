"""`mailstead alias vacation` and `mailstead alias encryption`: what is done with arriving mail beside keeping it."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from mailstead.administration import aliases
from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.encryption import find_published_key, set_encryption
from mailstead.cli.output import Json, emit_done, emit_record, fail
from mailstead.cli.stores import with_stores
from mailstead.services.stores import Stores
from mailstead.stores.directory.records import Alias, VacationResponder

_DATES = "%Y-%m-%d"


def _moment(text: str, option: str) -> float | None:
    """The beginning of a day in UTC; None for an empty text."""
    if not text:
        return None
    try:
        return datetime.strptime(text, _DATES).replace(tzinfo=UTC).timestamp()
    except ValueError:
        fail(f"{option} {text}: a day as 2026-12-31", code=2)


def _shown(moment: float | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _vacation_row(alias: Alias) -> dict[str, Any]:
    vacation = alias.vacation or VacationResponder()
    return {
        "address": alias.address,
        "enabled": vacation.enabled,
        "start": _shown(vacation.start),
        "end": _shown(vacation.end),
        "subject": vacation.subject,
        "message": vacation.message,
        "days": vacation.days,
    }


def vacation(
    address: str,
    json: Json = False,
    enabled: Annotated[
        bool | None, typer.Option("--on/--off", help="Answer or not; without any option it is shown.")
    ] = None,
    message: Annotated[str, typer.Option(help="The text; - reads it from standard input.")] = "",
    subject: Annotated[str | None, typer.Option(help="Its subject; empty: one that names the message's.")] = None,
    start: Annotated[str | None, typer.Option(help="First day (UTC), as 2026-12-24; empty: at once.")] = None,
    end: Annotated[str | None, typer.Option(help="Day (UTC) that it ends at; empty: not by itself.")] = None,
    days: Annotated[int | None, typer.Option(help="Each sender is answered once in so many days.")] = None,
) -> None:
    """Answer an alias's mail while its owner is away."""
    given: dict[str, Any] = {"enabled": enabled, "subject": subject, "days": days}
    changes = {name: value for name, value in given.items() if value is not None}
    if message:
        changes["message"] = sys.stdin.read() if message == "-" else message
    if start is not None:
        changes["start"] = _moment(start, "--start")
    if end is not None:
        changes["end"] = _moment(end, "--end")

    async def work(stores: Stores) -> Alias:
        alias = await aliases.find_alias(stores.administration, COMMAND_LINE, address)
        if not changes:
            return alias
        changed = msgspec.structs.replace(alias.vacation or VacationResponder(), **changes)
        return await aliases.set_alias(stores.administration, COMMAND_LINE, address, {"vacation": changed})

    emit_record(_vacation_row(with_stores(work)), json=json)


def encryption(
    address: str,
    json: Json = False,
    key: Annotated[
        Path | None, typer.Option(help="File with an OpenPGP key or a certificate; - is standard input.")
    ] = None,
    find: Annotated[
        bool, typer.Option("--find", help="Take the key that the address's domain publishes (WKD).")
    ] = False,
    off: Annotated[bool, typer.Option("--off", help="Encrypt no more.")] = False,
) -> None:
    """Encrypt what arrives in an alias's mailbox to its owner's key; without an option it is shown."""
    if (key is not None) + find + off > 1:
        fail("--key, --find or --off, not several", code=2)
    octets: bytes | None = None
    if key is not None:
        try:
            octets = sys.stdin.buffer.read() if str(key) == "-" else key.read_bytes()
        except OSError as error:
            fail(f"{key}: {error.strerror}")

    async def work(stores: Stores) -> Alias:
        found = await find_published_key(stores.resolver, stores.settings, address) if find else octets
        if found is None and not off:
            return await aliases.find_alias(stores.administration, COMMAND_LINE, address)
        return await set_encryption(stores.administration, COMMAND_LINE, address, found)

    alias = with_stores(work)
    kept = alias.encryption
    if kept is None:
        emit_done(
            f"what arrives for {alias.address} is not encrypted",
            json=json,
            record={"address": alias.address, "kind": None},
        )
        return
    emit_record(
        {
            "address": alias.address,
            "kind": kept.kind,
            "fingerprint": kept.fingerprint,
            "names": list(kept.addresses),
            "expires": _shown(kept.expires_at),
        },
        json=json,
    )
