"""`mailstead junk`: what was learned of junk, learning from files, and how an alias filters."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.aliases import set_alias
from mailstead.administration.junk import forget_junk, junk_status
from mailstead.cli.output import Json, emit_done, emit_record, fail
from mailstead.cli.stores import with_stores
from mailstead.formats.archive.mbox import read_mbox
from mailstead.formats.message.part import Bounds
from mailstead.mail.screening.view import View
from mailstead.services.stores import Stores

app = typer.Typer(no_args_is_help=True, help="Junk: what was learned of it, and who filters it how.")
_ADDRESS = Annotated[str, typer.Argument(help="An address with a mailbox; the server's own knowledge when left out.")]


@app.command("status")
def status(address: _ADDRESS = "", json: Json = False) -> None:
    """Show how many messages the server, or a mailbox, has learned from, and how it filters."""

    async def work(stores: Stores) -> dict[str, Any]:
        if address:
            found = await junk_status(stores.administration, COMMAND_LINE, address)
            return {name: getattr(found, name) for name in found.__struct_fields__}
        settings = stores.settings.junk
        junk, good = stores.junk.model.messages
        used = settings.classifier and min(junk, good) >= settings.least_messages
        return {
            "filters": settings.filter,
            "threshold": settings.threshold,
            "refuse": settings.refuse,
            "learned_junk": junk,
            "learned_good": good,
            "words_count": used,
        }

    emit_record(with_stores(work), json=json)


@app.command("set")
def change(
    address: Annotated[str, typer.Argument(help="The alias.")],
    threshold: Annotated[
        float | None, typer.Option(min=0.1, max=1000, help="Points that make a message junk for this alias.")
    ] = None,
    server_threshold: Annotated[
        bool, typer.Option("--server-threshold", help="Use the server's setting again.")
    ] = False,
    filter_: Annotated[
        bool | None, typer.Option("--filter/--no-filter", help="Put junk into Junk, or everything into INBOX.")
    ] = None,
    json: Json = False,
) -> None:
    """Change how an alias filters junk."""
    changes: dict[str, Any] = {}
    if threshold is not None or server_threshold:
        changes["junk_threshold"] = None if server_threshold else threshold
    if filter_ is not None:
        changes["junk_filter"] = filter_
    if not changes:
        fail("nothing to change: --threshold, --server-threshold, --filter or --no-filter", code=2)
    with_stores(lambda stores: set_alias(stores.administration, COMMAND_LINE, address, changes))
    emit_done(f"{address} filters junk as you say", json=json)


@app.command("train")
def train(
    junk: Annotated[
        list[Path] | None, typer.Option("--junk", help="A file, mbox or folder of junk; may be given again.")
    ] = None,
    good: Annotated[list[Path] | None, typer.Option("--good", help="The same of good mail.")] = None,
    json: Json = False,
) -> None:
    """Have the server learn from files: single messages, mbox files, or folders of them (Maildir, too)."""
    if not junk and not good:
        fail("nothing to learn: --junk or --good", code=2)

    async def work(stores: Stores) -> dict[str, int]:
        mime = stores.settings.mime
        bounds = Bounds(nesting=mime.nesting, parts=mime.parts, header_size=mime.header_size, addresses=mime.addresses)
        counts = {"junk": 0, "good": 0}
        for kind, paths in (("junk", junk), ("good", good)):
            for raw in _messages(paths or ()):
                features = stores.junk.features.of(View(raw, bounds, stores.settings.junk.text_limit))
                stores.junk.model.learn(features, junk=kind == "junk")
                counts[kind] += 1
        return counts

    learned = with_stores(work)
    emit_done(f"learned {learned['junk']} junk and {learned['good']} good messages", json=json, record=learned)


def _messages(paths: Any) -> Iterator[bytes]:
    for path in paths:
        for file in sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]:
            with file.open("rb") as opened:
                raw = opened.read()
            if raw.startswith(b"From "):
                yield from (one.raw for one in read_mbox(raw))
            else:
                yield raw


@app.command("forget")
def forget(address: _ADDRESS = "", json: Json = False) -> None:
    """Forget what the server, or a mailbox, has learned."""

    async def work(stores: Stores) -> None:
        if address:
            await forget_junk(stores.administration, COMMAND_LINE, address)
        else:
            stores.junk.model.forget_all()
            await stores.administration.audit(COMMAND_LINE, "junk.forget", "server")

    with_stores(work)
    emit_done(f"{address or 'the server'} has forgotten what it learned of junk", json=json)
