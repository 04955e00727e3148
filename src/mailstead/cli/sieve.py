"""`mailstead sieve`: filter scripts, tried out and kept."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.scripts import (
    activate_script,
    get_script,
    list_scripts,
    put_script,
    remove_script,
    rename_script,
)
from mailstead.cli.configuration import current_settings
from mailstead.cli.output import Json, emit_done, emit_json, emit_table, fail
from mailstead.cli.stores import with_stores
from mailstead.formats.message.header import header_end
from mailstead.formats.message.part import Bounds as MessageBounds
from mailstead.formats.sieve.bounds import Bounds
from mailstead.formats.sieve.checks import bare_address
from mailstead.formats.sieve.compiler import compile_script
from mailstead.formats.sieve.errors import ScriptError
from mailstead.formats.sieve.program import Include, Program
from mailstead.mail.filtering.actions import (
    Action,
    AskFolders,
    AskListed,
    AskMembers,
    AskScript,
    AskSeen,
    Filing,
    Notify,
    Outcome,
    Redirect,
    Reject,
    Vacation,
)
from mailstead.mail.filtering.environment import Answers, Environment
from mailstead.mail.filtering.interpreter import run_script

app = typer.Typer(no_args_is_help=True, help="Filter scripts.")
_NAME = Annotated[str, typer.Argument(help="The script's name.")]
_SCRIPT = Annotated[str, typer.Argument(metavar="SCRIPT|-", help="A script's file, - for standard input.")]


def _read(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        fail(f"cannot read {file}: {error.strerror}")


def _bounds() -> Bounds:
    settings = current_settings().sieve
    return Bounds(size=settings.script_size, nesting=settings.nesting_limit)


@app.command("check")
def check(script: _SCRIPT, json: Json = False) -> None:
    """Check a script; exit 1 when something is wrong, which is said with line and column."""
    try:
        program = compile_script(_read(script), _bounds())
    except ScriptError as error:
        if json:
            emit_json({"valid": False, "line": error.line, "column": error.column, "error": error.reason})
            raise typer.Exit(1) from None
        fail(f"{script}: {error}")
    required = sorted(program.capabilities)
    emit_done(f"{script} is fine", json=json, record={"valid": True, "requires": required})


@app.command("run")
def run(
    script: _SCRIPT,
    message: Annotated[str, typer.Argument(metavar="MESSAGE|-", help="The message, - for standard input.")] = "-",
    sender: Annotated[str, typer.Option("--from", help="Sender in the envelope.")] = "sender@example.org",
    recipient: Annotated[str, typer.Option("--to", help="Recipient in the envelope.")] = "user@example.test",
    folder: Annotated[list[str] | None, typer.Option(help="A mailbox that is there; may be given again.")] = None,
    listed: Annotated[list[str] | None, typer.Option(help="An address on every list; may be given again.")] = None,
    json: Json = False,
) -> None:
    """Show what a script does with a message; nothing is delivered or sent. Included scripts lie beside SCRIPT."""
    try:
        program = compile_script(_read(script), _bounds())
    except ScriptError as error:
        fail(f"{script}: {error}")
    environment = Environment(
        sender=sender,
        recipient=recipient,
        owner_addresses=frozenset({recipient.lower()}),
        now=time.time(),
        hostname=current_settings().server.hostname or "localhost",
    )
    folders = dict.fromkeys(("INBOX", *(folder or ())), "")
    outcome = _outcome(program, _read(message), environment, folders, listed or (), Path(script).parent)
    if json:
        actions = [_record(action) for action in outcome.actions]
        emit_json({"actions": actions, "words": outcome.words, "error": outcome.error})
    else:
        for words in outcome.words or ("Nothing is done with it.",):
            emit_done(words)
    if outcome.error:
        raise typer.Exit(1)


def _outcome(
    program: Program, raw: bytes, environment: Environment, folders: dict[str, str], listed: Sequence[str], beside: Path
) -> Outcome:
    settings = current_settings()
    answers = Answers()
    bounds = MessageBounds()
    while True:
        found = run_script(program, raw, environment, answers, settings.sieve, bounds)
        match found:
            case Outcome():
                return found
            case AskFolders():
                answers = msgspec.structs.replace(answers, folders=folders)
            case AskSeen(key):
                answers = msgspec.structs.replace(answers, seen={**answers.seen, key: False})
            case AskScript(include):
                scripts = {**answers.scripts, include: _included(beside, include)}
                answers = msgspec.structs.replace(answers, scripts=scripts)
            case AskListed(_, values):
                known = {one.casefold() for value in values for one in (value, bare_address(value))}
                member = next((one for one in listed if one.casefold() in known), "")
                answers = msgspec.structs.replace(answers, listed={**answers.listed, found: member})
            case AskMembers(name):
                answers = msgspec.structs.replace(answers, members={**answers.members, name: tuple(listed)})


def _included(beside: Path, include: Include) -> Program | None:
    """A personal script from the folder of the first one; names of scripts hold no slashes."""
    path = next((one for one in (beside / include.name, beside / f"{include.name}.sieve") if one.is_file()), None)
    if path is None or include.location == "global":
        return None
    try:
        return compile_script(path.read_bytes(), _bounds())
    except ScriptError as error:
        fail(f"{path}: {error}")


def _header_of(octets: bytes) -> str:
    return octets[: header_end(octets, 0, len(octets))].decode("utf-8", "replace")


def _record(action: Action) -> dict[str, Any]:
    match action:
        case Filing():
            return {
                "action": "fileinto" if action.mailbox else "keep",
                "mailbox": action.mailbox or "INBOX",
                "flags": action.flags,
                "create": action.create,
                "special_use": action.special_use,
                "header": None if action.edited is None else _header_of(action.edited.octets),
            }
        case Redirect():
            return {"action": "redirect", "address": action.address}
        case Reject():
            return {"action": "ereject" if action.at_protocol else "reject", "reason": action.reason}
        case Vacation():
            return {
                "action": "vacation",
                "to": action.recipient,
                "from": action.sender,
                "subject": action.subject,
                "reason": action.reason,
                "seconds": action.seconds,
            }
        case Notify():
            return {"action": "notify", "to": action.recipients, "subject": action.subject, "text": action.text}


@app.command("list")
def show_list(address: str, json: Json = False) -> None:
    """List the scripts of a mailbox."""
    found = with_stores(lambda stores: list_scripts(stores.administration, COMMAND_LINE, address))
    rows = [
        {"name": one.name, "active": one.name == found.active, "size": one.size, "updated_at": one.updated_at}
        for one in found.scripts
    ]
    emit_table(rows, ("name", "active", "size", "updated_at"), json=json, empty="No scripts")


@app.command("get")
def get(address: str, name: _NAME) -> None:
    """Print a script as it was put."""
    content = with_stores(lambda stores: get_script(stores.administration, COMMAND_LINE, address, name))
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


@app.command("put")
def put(
    address: str,
    name: _NAME,
    script: _SCRIPT,
    active: Annotated[bool, typer.Option("--activate", help="Make it the active one.")] = False,
    json: Json = False,
) -> None:
    """Keep a script, in place of one of that name."""
    content = _read(script)
    with_stores(lambda stores: put_script(stores.administration, COMMAND_LINE, address, name, content))
    if active:
        with_stores(lambda stores: activate_script(stores.administration, COMMAND_LINE, address, name))
    record = {"address": address, "name": name, "size": len(content), "active": active}
    emit_done(f'"{name}" of {address} is kept{" and active" if active else ""}', json=json, record=record)


@app.command("activate")
def activate(
    address: str, name: Annotated[str, typer.Argument(help="The script's name; empty: none.")] = "", json: Json = False
) -> None:
    """Make a script the one that runs; without a name none does."""
    with_stores(lambda stores: activate_script(stores.administration, COMMAND_LINE, address, name))
    text = f'"{name}" of {address} is active' if name else f"No script of {address} is active"
    emit_done(text, json=json, record={"address": address, "active": name})


@app.command("rename")
def rename(address: str, name: _NAME, new: str, json: Json = False) -> None:
    """Give a script another name."""
    with_stores(lambda stores: rename_script(stores.administration, COMMAND_LINE, address, name, new))
    emit_done(f'"{name}" of {address} is "{new}" now', json=json, record={"address": address, "name": new})


@app.command("remove")
def remove(address: str, name: _NAME, json: Json = False) -> None:
    """Remove a script that is not active."""
    with_stores(lambda stores: remove_script(stores.administration, COMMAND_LINE, address, name))
    emit_done(f'"{name}" of {address} is gone', json=json, record={"address": address, "name": name})
