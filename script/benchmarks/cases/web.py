"""The webmail's inbox: what the server takes for it, and what goes over the wire."""

import gzip
import re
import time

import httpx

from benchmarks.case import Context
from benchmarks.mix import Mix
from benchmarks.own import DOMAIN, Own
from benchmarks.process import worked
from benchmarks.rounds import in_turn
from benchmarks.table import OWN, Row, Table, Target

_FILES = re.compile(r'(?:href|src)="(/static/[^"]+\\.(?:css|js))"')
_KB = 1024
_REPEATED = 50
_INBOX = Target(50.0, is_absolute=True)


def run(context: Context) -> Table:
    """A list of the inbox, a message, a search, and the first visit's octets."""
    own = Own(context.folder)
    own.add_accounts(["alice"])
    size = max(context.size.growth)
    own.fill("alice", Mix(17).messages(size))
    own.start()
    address = f"alice@{DOMAIN}"
    with httpx.Client(base_url=f"http://127.0.0.1:{own.port('http')}", timeout=60) as client:
        client.post("/login", data={"address": address, "password": own.passwords[address]})
        inbox = client.get("/mail/").headers["location"]
        page = client.get(inbox)
        message = inbox + "/m/" + page.text.partition('data-uid="')[2].partition('"')[0]

        def timed(path: str) -> float:
            started = time.perf_counter()
            client.get(path).raise_for_status()
            return (time.perf_counter() - started) * 1000

        paths = {
            "inbox": (inbox, _INBOX),
            "page in the middle": (f"{inbox}?offset={size // 2}", None),
            "message": (message, None),
            "search of a word": (f"{inbox}?q=subject:report", None),
        }
        rows = [
            Row(label, "ms", in_turn(context.size.operations, {OWN: lambda path=path: timed(path)}), target)  # type: ignore[misc]
            for label, (path, target) in paths.items()
        ]
        before = worked(own.pid)
        for _ in range(_REPEATED):
            client.get(inbox).raise_for_status()
        rows.insert(
            1, Row("inbox, CPU of the server", "ms", {OWN: [(worked(own.pid) - before) * 1000 / _REPEATED]}, _INBOX)
        )
        files = sum(len(gzip.compress(client.get(path).content)) for path in dict.fromkeys(_FILES.findall(page.text)))
        weight = (files + len(page.content)) / _KB
    own.server.stop()
    rows.append(
        Row("first visit: page as it is, files under gzip", "KB", {OWN: [weight]}, Target(150.0, is_absolute=True))
    )
    notes = [f"An inbox of {size:,} messages; times of whole requests over one connection, seen by the client."]
    return Table("Webmail", rows, notes)
