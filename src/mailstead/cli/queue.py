"""`mailstead queue`: mail that waits."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import typer

from mailstead.administration.actor import COMMAND_LINE, Actor, Administration
from mailstead.administration.queue import (
    Changed,
    drop_queued,
    hold_queued,
    list_queue,
    release_queued,
    retry_queued,
    show_queued,
)
from mailstead.cli.output import Json, emit_done, emit_table
from mailstead.cli.stores import with_stores
from mailstead.mail.outbound.queue import LIST_LIMIT, OutboundQueue
from mailstead.mail.outbound.records import LOCAL, Consignment
from mailstead.services.stores import Stores

app = typer.Typer(no_args_is_help=True, help="Mail that waits.")
_LIST = ("queue_id", "state", "sender", "recipients", "destination", "attempts", "due", "last_error")
_SHOW = ("id", "state", "recipients", "destination", "attempts", "queued", "due", "size", "last_error")
QueueId = Annotated[str, typer.Argument(metavar="QUEUE-ID", help="A message's id, or one destination's (ID-NUMBER).")]


def _row(consignment: Consignment) -> dict[str, Any]:
    return {
        "id": consignment.id,
        "queue_id": consignment.queue_id,
        "trace_id": consignment.trace_id,
        "state": consignment.state,
        "sender": consignment.sender,
        "recipients": [recipient.address for recipient in consignment.recipients],
        "destination": "here" if consignment.destination == LOCAL else consignment.destination,
        "attempts": consignment.attempts,
        "size": consignment.size,
        "queued": consignment.queued_at,
        "due": consignment.due_at,
        "last_error": consignment.last_error,
    }


@app.command("list")
def list_all(
    json: Json = False,
    destination: Annotated[
        str | None, typer.Option(help="Only mail to this domain; `here` for mailboxes here.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = LIST_LIMIT,
) -> None:
    """List what waits, oldest first."""
    wanted = LOCAL if destination == "here" else destination

    async def work(stores: Stores) -> tuple[list[Consignment], int]:
        found = await list_queue(COMMAND_LINE, stores.queue, limit=limit, destination=wanted)
        return found, await stores.queue.count()

    found, count = with_stores(work)
    emit_table([_row(consignment) for consignment in found], _LIST, json=json, empty="The queue is empty")
    if not json and destination is None and count > len(found):
        typer.echo(f"{len(found)} of {count} shown; --limit shows more", err=True)


@app.command("show")
def show(queue_id: QueueId, json: Json = False) -> None:
    """Show one message's destinations."""
    found = with_stores(lambda stores: show_queued(COMMAND_LINE, stores.queue, queue_id))
    emit_table([_row(consignment) for consignment in found], _SHOW, json=json)


Action = Callable[[Administration, Actor, OutboundQueue, str], Awaitable[Changed]]


def _act(queue_id: str, action: Action, done: str, busy: str, unchanged: str, json: bool) -> None:
    """Carry out an action and say what it did to how many destinations."""
    changed = with_stores(lambda stores: action(stores.administration, COMMAND_LINE, stores.queue, queue_id))
    counts = ((changed.done, done), (changed.busy, busy), (changed.unchanged, unchanged))
    text = "; ".join(f"{count} destination{'s' if count != 1 else ''} {words}" for count, words in counts if count)
    emit_done(f"{queue_id}: {text}", json=json, record=_counts(changed))


def _counts(changed: Changed) -> dict[str, Any]:
    return {
        "queue_id": changed.queue_id,
        "done": changed.done,
        "busy": changed.busy,
        "unchanged": changed.unchanged,
    }


@app.command("retry")
def retry(queue_id: QueueId, json: Json = False) -> None:
    """Try a message now."""
    _act(queue_id, retry_queued, "tried now", "being tried already", "left as it is: held", json)


@app.command("hold")
def hold(queue_id: QueueId, json: Json = False) -> None:
    """Keep a message from being tried."""
    _act(queue_id, hold_queued, "held", "being tried now, held after that unless it is delivered", "held before", json)


@app.command("release")
def release(queue_id: QueueId, json: Json = False) -> None:
    """End a hold."""
    _act(queue_id, release_queued, "released", "being tried now", "not held", json)


@app.command("drop")
def drop(queue_id: QueueId, json: Json = False) -> None:
    """Forget a message; nobody is told."""
    _act(queue_id, drop_queued, "dropped", "dropped while being tried: it may have arrived", "gone before", json)
