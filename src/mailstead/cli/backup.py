"""`mailstead backup`: copies of everything, and the way back."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import typer

from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.backup.backups import Made
from mailstead.administration.backup.retrieval import MESSAGES_MOST, look, retrieve
from mailstead.cli.configuration import current_settings
from mailstead.cli.mailbox import Credential, credential
from mailstead.cli.output import Json, emit_done, emit_json, emit_record, emit_table, fail, warn
from mailstead.cli.stores import told, with_stores
from mailstead.foundation.config.load import read_env_file
from mailstead.foundation.logging import configure_logging
from mailstead.services.backup import backups, restore
from mailstead.services.registry import SERVICES
from mailstead.services.scheduler.job import job_states
from mailstead.services.secret import server_secret
from mailstead.services.stores import Stores

app = typer.Typer(no_args_is_help=True, help="Backups of everything, and the way back.")
Name = Annotated[str, typer.Argument(metavar="BACKUP", help="The beginning of a backup's id, or `latest`.")]

_SHEET = """
Keep this sheet outside of this machine. It is printed this once.

  Repository:  {repository}
  Password:    {password}
  Made:        {at:%Y-%m-%d} for {hostname}

Without the password nobody can read the backups, you included. On a new machine:

  MAILSTEAD_BACKUP_REPOSITORY={repository} MAILSTEAD_BACKUP_PASSWORD=... mailstead backup restore
"""


@app.command("run")
def run(json: Json = False) -> None:
    """Make a backup now; services go on meanwhile. The first one makes the repository."""
    made = with_stores(lambda stores: backups(stores).run(COMMAND_LINE))
    row = {"id": made.snapshot[:8], **msgspec.to_builtins(made.manifest), "password": made.password or None}
    text = f"{made.snapshot[:8]}: {made.manifest.mailboxes} mailboxes, {made.manifest.documents} documents"
    emit_done(text, json=json, record=row)
    if made.password and not json:
        typer.echo(_sheet(made))
    if made.manifest.busy:
        fail(f"not copied, the copy before is kept: {', '.join(made.manifest.busy)}")


def _sheet(made: Made) -> str:
    return _SHEET.format(
        repository=current_settings().backup.repository,
        password=made.password,
        at=datetime.fromtimestamp(made.manifest.at, UTC),
        hostname=made.manifest.hostname,
    )


@app.command("list")
def list_all(json: Json = False) -> None:
    """List backups, the newest first."""
    found = with_stores(lambda stores: backups(stores).list(COMMAND_LINE))
    rows: list[dict[str, Any]] = [msgspec.to_builtins(one) for one in found]
    emit_table(rows, ("id", "at", "hostname", "tags"), json=json, empty="There is no backup yet")


@app.command("verify")
def verify(name: Name = "latest", json: Json = False) -> None:
    """Check the repository, write a backup out aside, read its documents and open every mailbox of it."""
    found = with_stores(lambda stores: backups(stores).verify(COMMAND_LINE, name))
    text = f"{found.snapshot} is whole: {found.documents} documents, {found.mailboxes} mailboxes opened"
    text += f", {found.sealed} that only their owners can open" if found.sealed else ""
    emit_done(text, json=json, record=msgspec.to_builtins(found))


@app.command("show")
def show(
    address: str,
    name: Annotated[str, typer.Option("--backup", metavar="BACKUP", help="As `backup list` names it.")] = "latest",
    folder: Annotated[str | None, typer.Option(help="Messages of this folder only.")] = None,
    text: Annotated[str, typer.Option(help="Messages with this in their sender or subject only.")] = "",
    most: Annotated[int, typer.Option(min=1, max=MESSAGES_MOST, help="How many messages are shown.")] = 200,
    json: Json = False,
    password_stdin: Credential = False,
) -> None:
    """Show what a backup has of a mailbox that it does not hold now: the newest messages first."""
    current = credential(password_stdin)
    found = with_stores(
        lambda stores: look(
            backups(stores), COMMAND_LINE, address, snapshot=name, folder=folder, text=text, most=most, current=current
        )
    )
    if json:
        emit_json(found)
        return
    rows = [msgspec.to_builtins(one) | {"came": float(one.date)} for one in found.messages]
    columns = ("id", "came", "folder", "sender", "subject")
    emit_table(rows, columns, json=False, empty=f"{found.snapshot} has nothing that {address} lacks")
    if found.lost > len(rows):
        warn(f"{found.lost - len(rows)} more are not shown")


@app.command("restore")
def restore_from(
    name: Name = "latest",
    mailbox: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Only bring back what this mailbox lost; services go on.")
    ] = "",
    folder: Annotated[str | None, typer.Option(help="With --mailbox: of this folder only.")] = None,
    message: Annotated[
        list[str] | None, typer.Option(help="With --mailbox: the message of this EMAILID only; may be repeated.")
    ] = None,
    into: Annotated[str, typer.Option(help="With --mailbox: put the messages below this folder.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
    password_stdin: Credential = False,
) -> None:
    """Put everything back (no service may run), or with --mailbox what one mailbox lost.

    Before everything is replaced, what is there is backed up.
    """
    if mailbox:
        current = credential(password_stdin)
        found = with_stores(
            lambda stores: retrieve(
                backups(stores),
                COMMAND_LINE,
                mailbox,
                snapshot=name,
                folder=folder,
                messages=message or (),
                into=into,
                current=current,
            )
        )
        text = f"{found.taken} message(s) brought back into {mailbox}, {found.there} were there"
        emit_done(text, json=json, record=msgspec.to_builtins(found))
        return
    if folder is not None or message or into:
        fail("--folder, --message and --into go with --mailbox", code=2)
    if not yes:
        typer.confirm("Replace all data of this installation by the backup?", abort=True, err=True)
    settings = current_settings()
    configure_logging(settings)
    services = tuple(service.name for service in SERVICES)
    restored, before = told(restore(settings, services, COMMAND_LINE, name))
    text = f"{restored.snapshot} is in place: {restored.manifest.mailboxes} mailboxes, {restored.manifest.documents} documents."
    text += f" What was there is in {before[:8]}." if before else ""
    text += f" Its settings: {restored.settings}"
    emit_done(text, json=json, record={**msgspec.to_builtins(restored), "before": before or None})
    then = read_env_file(Path(restored.settings))["MAILSTEAD_SECRET"].encode()
    if then != server_secret(settings):
        warn(
            "MAILSTEAD_SECRET is not what it was: set it to that of the file with the settings before anything starts,"
            " for it opens the mailboxes"
        )


@app.command("schedule")
def schedule(json: Json = False) -> None:
    """Show how often backups are made and verified, when that was last, and what hindered it."""
    record = with_stores(_schedule)
    emit_record(record, json=json)


async def _schedule(stores: Stores) -> dict[str, Any]:
    settings = stores.settings.backup
    states = {state.id: state for state in await job_states(stores.documents)}
    ours = backups(stores)
    record: dict[str, Any] = {"repository": settings.repository or None}
    rows: tuple[tuple[str, Literal["run", "verify"], float], ...] = (
        ("backup", "run", settings.every),
        ("backup-verification", "verify", settings.verify_every),
    )
    for job, what, every in rows:
        state = states.get(job)
        record[f"{what}_every_hours"] = f"{every / 3600:g}" if settings.repository and every else "never"
        record[f"last_{what}"] = await ours.last(what) or None
        record[f"{what}_problem"] = state.text if state is not None and state.outcome == "failed" else None
    return record
