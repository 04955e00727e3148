"""`mailstead mailbox import` and `export`: moving mail in and out."""

import sys
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Literal

import typer

from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.transfer.export import export_mailbox
from mailstead.administration.transfer.imap import import_account
from mailstead.administration.transfer.taking import Advance, Imported, import_files
from mailstead.cli.mailbox import Credential, credential
from mailstead.cli.output import Json, emit_done, fail, progress, warn
from mailstead.cli.stores import password_from_stdin, with_stores
from mailstead.foundation.errors import InvalidError
from mailstead.mail.migration.location import is_location, parse_location
from mailstead.services.stores import Stores


class _Bar:
    """A progress bar that begins when its length is known."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._stack = ExitStack()

    def begin(self, total: int | None) -> Advance:
        """Show it; returns what moves it."""
        return self._stack.enter_context(progress(self._title, total))

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def import_mail(
    address: str,
    source: Annotated[
        str,
        typer.Argument(
            help="A Maildir, an mbox file or a folder of them, .eml files; or imap(s)://USER@HOST[:PORT], another server."
        ),
    ],
    json: Json = False,
    password_stdin: Annotated[
        bool,
        typer.Option(
            "--password-stdin",
            help="Read from stdin: the password at the other server, if it is one, in the first line;"
            " a password or the recovery code of a locked mailbox in the next.",
        ),
    ] = False,
    ca_file: Annotated[
        Path | None, typer.Option(help="Further authorities (PEM) that certify the other server.", exists=True)
    ] = None,
) -> None:
    """Take mail in; a second run takes only what is new, and goes on where one was cut off."""
    with _Bar("Messages") as bar:
        done = with_stores(_import(address, source, password_stdin, ca_file, bar))
    for line in done.failures:
        warn(line)
    text = f"{done.taken} message(s) imported into {address}"
    text += f", {done.known} had been imported before" if done.known else ""
    record = {"address": address, "imported": done.taken, "known": done.known, "failures": done.failures}
    emit_done(text, json=json, record=record)
    if done.failures:
        raise typer.Exit(1)


def _import(
    address: str, source: str, password_stdin: bool, ca_file: Path | None, bar: _Bar
) -> Callable[[Stores], Awaitable[Imported]]:
    """The import from that source, all that it needs asked for; leaves with code 2 where that cannot be had."""
    if not is_location(source):
        current = credential(password_stdin)
        return lambda stores: import_files(
            stores.administration, COMMAND_LINE, address, Path(source), current=current, begun=bar.begin
        )
    try:
        location = parse_location(source)
    except InvalidError as error:
        fail(str(error), code=2)
    if not password_stdin and not sys.stdin.isatty():
        fail("no password for the other server: give it with --password-stdin", code=2)
    password = (
        password_from_stdin()
        if password_stdin
        else typer.prompt(f"Password of {location.user} at {location.host}", hide_input=True, err=True)
    )
    opens = sys.stdin.readline().rstrip("\r\n") if password_stdin else ""
    return lambda stores: import_account(
        stores.administration,
        COMMAND_LINE,
        address,
        location,
        password,
        Path(stores.settings.message.spool_directory or stores.data / "spool"),
        authorities=str(ca_file) if ca_file else "",
        current=opens or None,
        begun=bar.begin,
    )


def export_mail(
    address: str,
    directory: Path,
    form: Annotated[Literal["mbox", "maildir"], typer.Option("--format", help="What to write.")] = "maildir",
    json: Json = False,
    password_stdin: Credential = False,
) -> None:
    """Write all mail into a new directory: byte for byte, with folders, flags and dates."""
    current = credential(password_stdin)
    with _Bar("Messages") as bar:
        count = with_stores(
            lambda stores: export_mailbox(
                stores.administration, COMMAND_LINE, address, directory, form, current=current, begun=bar.begin
            )
        )
    record = {"address": address, "directory": str(directory), "format": form, "exported": count}
    emit_done(f"{count} message(s) of {address} written to {directory}", json=json, record=record)
