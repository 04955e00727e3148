"""`mailstead queue`: mail that waits."""

from collections.abc import Awaitable, Callable
from typing import Any

import typer

from mailstead.cli.output import Json, emit_done, emit_table
from mailstead.cli.stores import with_stores
from mailstead.mail.outbound.queue import OutboundQueue
from mailstead.mail.outbound.records import Consignment

app = typer.Typer(no_args_is_help=True, help="Mail that waits.")
_COLUMNS = ("queue_id", "state", "sender", "recipients", "destination", "attempts", "due", "last_error")


def _row(consignment: Consignment) -> dict[str, Any]:
    return {
        "queue_id": consignment.queue_id,
        "trace_id": consignment.trace_id,
        "state": consignment.state,
        "sender": consignment.sender,
        "recipients": [recipient.address for recipient in consignment.recipients],
        "destination": consignment.destination,
        "attempts": consignment.attempts,
        "size": consignment.size,
        "queued": consignment.queued_at,
        "due": consignment.due_at,
        "last_error": consignment.last_error,
    }


@app.command("list")
def list_all(json: Json = False) -> None:
    """List what waits, oldest first."""
    found = with_stores(lambda stores: stores.queue.list_all())
    emit_table([_row(consignment) for consignment in found], _COLUMNS, json=json, empty="The queue is empty")


@app.command("show")
def show(queue_id: str, json: Json = False) -> None:
    """Show one message's destinations."""
    found = with_stores(lambda stores: stores.queue.show(queue_id))
    emit_table([_row(consignment) for consignment in found], _COLUMNS, json=json)


def _act(queue_id: str, what: str, action: Callable[[OutboundQueue], Awaitable[int]], json: bool) -> None:
    count = with_stores(lambda stores: action(stores.queue))
    record = {"queue_id": queue_id, "destinations": count}
    emit_done(f"{queue_id}: {count} destination(s) {what}", json=json, record=record)


@app.command("retry")
def retry(queue_id: str, json: Json = False) -> None:
    """Try a message now."""
    _act(queue_id, "tried now", lambda queue: queue.retry(queue_id), json)


@app.command("hold")
def hold(queue_id: str, json: Json = False) -> None:
    """Keep a message from being tried."""
    _act(queue_id, "held", lambda queue: queue.hold(queue_id), json)


@app.command("release")
def release(queue_id: str, json: Json = False) -> None:
    """End a hold."""
    _act(queue_id, "released", lambda queue: queue.release(queue_id), json)


@app.command("drop")
def drop(queue_id: str, json: Json = False) -> None:
    """Forget a message; nobody is told."""
    _act(queue_id, "dropped", lambda queue: queue.drop(queue_id), json)
