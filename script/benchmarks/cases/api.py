"""The REST API beside the framework it is built on, which answers the same octets without doing anything for them."""

import base64
from collections.abc import Callable

import httpx
import msgspec

from benchmarks.case import Context
from benchmarks.clients.http import Load, load, request_of
from benchmarks.mix import Mix
from benchmarks.own import DOMAIN, Own
from benchmarks.peers.bare_api import bare_api
from benchmarks.rounds import in_turn
from benchmarks.table import OWN, Row, Table

BARE = "Bare handler"
_CLIENTS, _PARALLEL = 10, 200
_SHOWN = 50


def run(context: Context) -> Table:
    """A list of 50, one message, one sent, and what 200 clients at once wait for."""
    own = Own(context.folder, {"MAILSTEAD_API_RATE": "0", "MAILSTEAD_SENDING_ACCOUNT_DAILY": "0"})
    own.add_accounts(["alice", "bob"])
    own.fill("alice", Mix(23).messages(context.size.mailbox))
    own.start()
    address = f"alice@{DOMAIN}"
    login = base64.b64encode(f"{address}:{own.passwords[address]}".encode()).decode()
    headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}
    letter = msgspec.json.encode({"to": f"bob@{DOMAIN}", "subject": "Measured", "text": "x" * 2000})
    with httpx.Client(base_url=f"http://127.0.0.1:{own.port('api')}/v1", headers=headers, timeout=60) as client:
        listed = client.get("/messages", params={"limit": _SHOWN})
        message = listed.json()[0]["id"]
        one = client.get(f"/messages/{message}")
        sent = client.post("/emails", content=letter)
    asked = {
        f"GET /v1/messages ({_SHOWN} of {context.size.mailbox:,})": request_of(
            "GET", f"/v1/messages?limit={_SHOWN}", headers
        ),
        "GET /v1/messages/ID": request_of("GET", f"/v1/messages/{message}", headers),
        "POST /v1/emails (to a mailbox here, durable)": request_of("POST", "/v1/emails", headers, letter),
    }
    count = context.size.single_stores
    answers = {"/v1/messages": listed.content, "/v1/messages/one": one.content, "/v1/emails": sent.content}
    with bare_api(context.folder, answers) as bare:
        ports = {OWN: own.port("api"), BARE: bare}

        def turns(
            request: bytes, clients: int, requests: int, figure: Callable[[Load], float]
        ) -> dict[str, list[float]]:
            def of(port: int) -> Callable[[], float]:
                return lambda: figure(load(port, request, clients=clients, requests=requests))

            return in_turn(context.size.rounds, {name: of(port) for name, port in ports.items()})

        rows = [
            Row(f"{label}, {_CLIENTS} clients", "/s", turns(request, _CLIENTS, count, _rate), higher_is_better=True)
            for label, request in asked.items()
        ]
        first = next(iter(asked.values()))
        parallel = min(_PARALLEL, max(count, 2))
        rows += [
            Row(f"The list, {parallel} clients: median", "ms", turns(first, parallel, count * 5, _half)),
            Row(f"The list, {parallel} clients: 99 of 100", "ms", turns(first, parallel, count * 5, _nearly_all)),
        ]
    own.server.stop()
    notes = [
        "The bare handler is Litestar on uvicorn: it encodes the same answer for every request, reads no credentials and"
        " no store, and writes nothing. What is above it is what the answer costs to be true.",
        "Both are one process; the clients of a row are one more, on the same cores.",
    ]
    return Table("REST API", rows, notes)


def _rate(found: Load) -> float:
    return found.rate


def _half(found: Load) -> float:
    return found.percentile(0.5)


def _nearly_all(found: Load) -> float:
    return found.percentile(0.99)
