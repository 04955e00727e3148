"""`mailstead doctor`: is everything right for mail to come and go?"""

from typing import Annotated, Any

import msgspec
import typer

from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.doctor.examine import CHECKS, examine, worst
from mailstead.administration.doctor.finding import Finding
from mailstead.cli.configuration import current_settings
from mailstead.cli.output import Json, emit_json, emit_table
from mailstead.cli.stores import with_stores
from mailstead.services.certificate import ensure_certificate
from mailstead.services.doctor import examination
from mailstead.services.hostname import host_name
from mailstead.services.stores import Stores

_NAMES = ", ".join(check.name for check in CHECKS)


def doctor(
    only: Annotated[list[str] | None, typer.Argument(metavar="[CHECK]...", help=f"Only these: {_NAMES}.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Show what is well, too.")] = False,
    json: Json = False,
) -> None:
    """Examine DNS, network, clock, TLS, blocklists and the machine; exit 1 when there is a problem.

    Each finding says what to do. Warnings and what could not be found out leave the exit code at 0.
    """

    async def work(stores: Stores) -> list[Finding]:
        ensure_certificate(stores.settings, stores.data)
        return await examine(COMMAND_LINE, examination(stores, host_name(current_settings())), only or ())

    found = with_stores(work)
    status = worst(found)
    if json:
        counts = {
            name: sum(1 for one in found if one.status == name) for name in ("ok", "unknown", "warning", "problem")
        }
        emit_json({"status": status, "counts": counts, "findings": [msgspec.to_builtins(one) for one in found]})
    else:
        rows: list[dict[str, Any]] = [msgspec.to_builtins(one) for one in found if everything or one.status != "ok"]
        emit_table(rows, ("status", "check", "subject", "text", "fix"), json=False, empty="Everything is well")
    if status == "problem":
        raise typer.Exit(1)
