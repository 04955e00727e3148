"""`mailstead mailbox import` and `export`: moving mail in and out."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Literal

import typer

from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.transfer.export import export_mailbox
from mailstead.administration.transfer.taking import Advance, import_files
from mailstead.cli.mailbox import Credential, credential
from mailstead.cli.output import Json, emit_done, progress
from mailstead.cli.stores import with_stores


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
    source: Annotated[str, typer.Argument(help="A Maildir, an mbox file or a folder of them, .eml files.")],
    json: Json = False,
    password_stdin: Credential = False,
) -> None:
    """Take mail in; a second run takes only what is new."""
    current = credential(password_stdin)
    with _Bar("Messages") as bar:
        done = with_stores(
            lambda stores: import_files(
                stores.administration, COMMAND_LINE, address, Path(source), current=current, begun=bar.begin
            )
        )
    text = f"{done.taken} message(s) imported into {address}"
    text += f", {done.known} had been imported before" if done.known else ""
    emit_done(text, json=json, record={"address": address, "imported": done.taken, "known": done.known})


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
