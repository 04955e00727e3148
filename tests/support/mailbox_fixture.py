"""Makes the fixture of the present schema version; run as a program before a migration is added.

`mailbox_fixture.py`: writes tests/contract/mailbox/fixtures/vN.db and vN.json (what every later version must read).
"""

import asyncio
import base64
import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

from mailstead.foundation.crypto.data_key import DataKey
from mailstead.stores.mailbox.dav.records import Collection, Kind, NewObject
from mailstead.stores.mailbox.entries import UID_MOST
from mailstead.stores.mailbox.flags import Flag
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.records import NewMessage
from mailstead.stores.mailbox.schema import VERSION
from mailstead.stores.mailbox.search import criteria
from support.mailbox_store import open_mailboxes

FIXTURES = Path(__file__).parents[1] / "contract" / "mailbox" / "fixtures"
KEY = bytes(range(32))


def contents(mailbox: Mailbox) -> dict[str, Any]:
    """Everything that a client can see of a mailbox."""
    folders: dict[str, Any] = {}
    for folder in mailbox.folders():
        columns = ("uid", "flags", "keywords", "internal_date", "message_id", "preview")
        rows = [row for rows in mailbox.rows(folder.id, [(1, UID_MOST)], columns) for row in rows]
        folders[folder.name] = {
            "special_use": folder.special_use,
            "uidvalidity": folder.uidvalidity,
            "uidnext": folder.uidnext,
            "messages": [
                [*row[:4], row[5], hashlib.sha256(mailbox.content(row[4]).read()).hexdigest()] for row in rows
            ],
            "expunged": mailbox.changes(folder.id, 0).expunged,
        }
    seen: dict[str, Any] = {"folders": folders, "subscriptions": sorted(mailbox.subscriptions())}
    kinds: tuple[Kind, ...] = ("calendar", "addressbook")
    for kind in kinds:
        found = {one.name: _objects(mailbox, one) for one in mailbox.dav.collections(kind) if one.objects}
        if found:
            seen[kind] = found
    return seen


def _objects(mailbox: Mailbox, collection: Collection) -> dict[str, Any]:
    rows = mailbox.dav.objects(collection.id)
    octets = mailbox.dav.read([row.id for row in rows])
    return {
        "components": list(collection.components),
        "properties": {name: value.decode() for name, value in mailbox.dav.properties(collection.id).items()},
        "objects": {row.name: [row.uid, row.component, row.etag, octets[row.id].hex()] for row in rows},
    }


def fill(mailbox: Mailbox) -> None:
    """Messages of every kind that the store keeps in its own way."""
    inbox = mailbox.folder("INBOX").id
    project = mailbox.create_folder("Projects/House").id
    mailbox.subscribe("Projects/House", True)
    attachment = base64.encodebytes(bytes(number * 31 % 256 for number in range(40_000))).replace(b"\n", b"\r\n")
    head = b"From: Ann <ann@example.test>\r\nTo: bob@example.test\r\nSubject: %s\r\nMessage-ID: <%d@example.test>\r\n"
    plain = head % (b"plain", 1) + b"\r\nThe plain text.\r\n"
    answer = head % (b"Re: plain", 2) + b"In-Reply-To: <1@example.test>\r\n\r\nAn answer, 8 bit: \xc3\xa4\r\n"
    mixed = head % (b"=?utf-8?q?gr=C3=BC=C3=9Fe?=", 3) + (
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n'
        b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + attachment
        + b"--b--\r\n"
    )
    odd = b"no header here\nbare line feeds\x00and a zero"
    mailbox.append(
        inbox,
        [
            NewMessage(plain, Flag.SEEN, "", 1_000_000_000),
            NewMessage(answer, Flag.ANSWERED | Flag.FLAGGED, "$Forwarded work", 1_000_000_001),
            NewMessage(mixed, 0, "", 1_000_000_002),
            NewMessage(mixed.replace(b"<3@", b"<4@"), Flag.DRAFT, "", 1_000_000_003),
            NewMessage(odd, 0, "", 1_000_000_004),
        ],
    )
    mailbox.search(inbox, criteria.Text("plain"))
    mailbox.copy(inbox, [(1, 3)], project)
    mailbox.store(inbox, [(4, 4)], "add", Flag.DELETED)
    mailbox.expunge(inbox)
    store = mailbox.dav
    calendar = store.create("calendar", "house", ("VEVENT",), {"{DAV:}displayname": b"House"})
    for name, data in (("1.ics", b"one\r\n"), ("2.ics", b"two\n\x00"), ("3.ics", b"three")):
        store.put(calendar.id, NewObject(name, name, "VEVENT", data, 10, None), 1_000_000_006)
    store.delete(calendar.id, "3.ics", 1_000_000_007)
    mailbox.append(inbox, [NewMessage(b"Subject: not indexed yet\r\n\r\nlate\r\n", 0, "", 1_000_000_005)])


async def main() -> None:
    """Write the fixture of the present version."""
    FIXTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        async with open_mailboxes(Path(folder)) as mailboxes:
            mailbox = await mailboxes.open("m1", DataKey(KEY))
            fill(mailbox)
            (FIXTURES / f"v{VERSION}.json").write_text(json.dumps(contents(mailbox), indent=1) + "\n")
        (FIXTURES / f"v{VERSION}.db").write_bytes((mailboxes.directory("m1") / "mailbox.db").read_bytes())


if __name__ == "__main__":
    asyncio.run(main())
