"""Imports and exports over the API: what goes out comes back in another mailbox, with progress, once, and stoppable."""

import io
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from support.eventually import eventually_sync
from support.mailstead_server import MailsteadServer, mailstead_server

Client = Callable[..., httpx.Client]
EVENT = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nBEGIN:VEVENT\r\nUID:one\r\nDTSTAMP:20260101T000000Z\r\n"
    "DTSTART:20260102T100000Z\r\nSUMMARY:Kept\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
CARD = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:anna\r\nFN:Anna\r\nN:;Anna;;;\r\nEND:VCARD\r\n"
RAW = "From: a@elsewhere.test\r\nSubject: {}\r\nDate: Thu, 1 Jan 2026 10:00:00 +0000\r\n\r\nbody {}\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailsteadServer]:
    folder = tmp_path_factory.mktemp("transfer")
    settings = {
        "MAILSTEAD_DNS_SERVERS": "127.0.0.1:9",
        "MAILSTEAD_TLS_AUTHORITIES": str(folder / "data/tls/ca.pem"),
        "MAILSTEAD_TRANSFER_PRIVATE_NETWORKS": "127.0.0.0/8",
        "MAILSTEAD_TRANSFER_UPLOAD_LIMIT": "2M",
    }
    with mailstead_server(folder, settings) as running:
        yield running


def ended(client: httpx.Client, path: str) -> dict[str, Any]:
    """The job of that path when it has ended."""
    found: dict[str, Any] = {}

    def look() -> bool:
        found.update(client.get(path).json())
        return found["state"] in ("done", "failed", "cancelled", "held")

    eventually_sync(look, longest=60, pause=0.05)
    return found


def mbox(count: int, name: str) -> bytes:
    return b"".join(
        f"From x Thu Jan  1 10:00:0{number % 10} 2026\n{RAW.format(f'{name} {number}', number)}\n".encode()
        for number in range(count)
    )


def subjects(client: httpx.Client, folder: str = "INBOX") -> set[str]:
    return {one["subject"] for one in client.get("/messages", params={"folder": folder, "limit": 200}).json()}


def test_everything_goes_out_and_comes_into_another_mailbox_once(as_account: Client) -> None:
    with as_account("alice") as alice, as_account("bob") as bob:
        alice.post("/folders", json={"path": "Trips/Häuser"})
        kept = {"raw": RAW.format("Kept", 1), "folder": "Trips/Häuser", "flags": ["\\Seen"], "labels": ["work"]}
        message = alice.post("/messages", json=kept).json()
        assert alice.post("/calendar-events", json={"ical": EVENT}).status_code == 200
        assert alice.post("/imports", content=CARD.encode()).json()["format"] == "vcf"
        script = {"name": "mine", "content": "keep;"}
        assert alice.post("/sieve-scripts", json=script).status_code == 200
        for form in ("mbox", "maildir"):
            begun = alice.post("/exports", json={"format": form})
            assert begun.status_code == 202
            path = f"/exports/{begun.json()['id']}"
            done = ended(alice, path)
            assert done["state"] == "done", done
            assert done["done"] == done["total"] >= 2  # the welcome, and what was kept
            archive = alice.get(f"{path}/file")
            assert archive.headers["content-type"] == "application/zip"
            assert len(archive.content) == done["size"] == int(archive.headers["content-length"])
            with zipfile.ZipFile(io.BytesIO(archive.content)) as found:
                assert found.testzip() is None
                names = set(found.namelist())
                assert {"mail/mailstead-export.json", "calendars/default.ics", "contacts/default.vcf"} <= names
                assert found.read("filters/mine.sieve") == b"keep;"
                assert b"SUMMARY:Kept" in found.read("calendars/default.ics")
            into = bob.post(
                "/imports", content=archive.content, params={"name": "alice.zip", "folder": f"From Alice/{form}"}
            )
            assert (into.status_code, into.json()["format"]) == (202, "zip")
            taken = ended(bob, f"/imports/{into.json()['id']}")
            assert (taken["state"], taken["failures"], taken["source"]) == ("done", [], "alice.zip"), taken
            (there,) = bob.get("/messages", params={"folder": f"From Alice/{form}/Trips/Häuser"}).json()
            assert (there["flags"], there["labels"], there["subject"]) == (["\\Seen"], ["work"], "Kept")
            assert there["date"] == message["date"]
            assert bob.get(f"/messages/{there['id']}/raw").text == kept["raw"]
            again = bob.post("/imports", content=archive.content, params={"folder": f"From Alice/{form}"})
            repeated = ended(bob, f"/imports/{again.json()['id']}")
            assert (repeated["state"], repeated["taken"]) == ("done", 0)
            assert alice.delete(path).status_code == 200
            assert alice.get(path).status_code == 404
        assert [one["summary"] for one in bob.get("/calendar-events").json()] == ["Kept"]
        assert "Anna" in {one["full_name"] for one in bob.get("/contacts").json()}
        streamed = alice.get("/archive")
        with zipfile.ZipFile(io.BytesIO(streamed.content)) as found:
            assert found.testzip() is None
            assert mboxes(found) == names_of_mbox(alice)


def mboxes(archive: zipfile.ZipFile) -> set[str]:
    return {name for name in archive.namelist() if name.endswith(".mbox")}


def names_of_mbox(client: httpx.Client) -> set[str]:
    done = ended(client, f"/exports/{client.post('/exports', json={}).json()['id']}")
    with zipfile.ZipFile(io.BytesIO(client.get(f"/exports/{done['id']}/file").content)) as found:
        return mboxes(found)


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (mbox(3, "many"), "mbox"),
        (RAW.format("alone", 1).encode(), "eml"),
        (EVENT.replace("one", "two").encode(), "ics"),
    ],
    ids=["mbox", "eml", "ics"],
)
def test_single_files_are_told_by_how_they_begin(as_account: Client, content: bytes, form: str) -> None:
    with as_account("alice") as alice:
        job = alice.post("/imports", content=content).json()
        assert job["format"] == form
        done = ended(alice, f"/imports/{job['id']}")
        assert (done["state"], done["taken"]) == ("done", 3 if form == "mbox" else 1), done
        found = {one["id"] for one in alice.get("/imports").json()}
        assert job["id"] in found


def test_an_account_comes_over_imap_by_tls(server: MailsteadServer, as_account: Client) -> None:
    host, port = server.address("imaps")
    with as_account("alice") as alice, as_account("bob") as bob:
        alice.post("/messages", json={"raw": RAW.format("Over there", 1)})
        wanted = {"host": host, "port": port, "user": "alice@example.test", "password": "wrong", "folder": "Old"}
        refused = ended(bob, f"/imports/{bob.post('/imports/server', json=wanted).json()['id']}")
        assert refused["state"] == "failed"
        assert "refused" in refused["message"]
        begun = bob.post("/imports/server", json=wanted | {"password": server.password("alice")})
        assert begun.status_code == 202
        assert "password" not in begun.json()
        done = ended(bob, f"/imports/{begun.json()['id']}")
        assert (done["state"], done["message"], done["failures"]) == ("done", "", []), done
        assert done["done"] == done["taken"] >= 2
        assert "Over there" in subjects(bob, "Old")


def test_users_are_let_to_no_server_in_other_private_networks(as_account: Client) -> None:
    wanted = {"user": "x", "password": "x"}
    with as_account("bob") as bob:
        for host in ("10.0.0.1", "169.254.169.254", "::1", "[::ffff:10.0.0.1]", "0x0a000001", "192.168.1.1"):
            answer = bob.post("/imports/server", json=wanted | {"host": host})
            assert answer.status_code in (400, 503), (host, answer.text)  # a name is asked for, and DNS is away
        assert bob.get("/imports").status_code == 200


def test_what_is_no_file_is_refused_or_fails_by_name(as_account: Client) -> None:
    with as_account("bob") as bob:
        assert bob.post("/imports", content=b"").status_code == 400
        assert bob.post("/imports", content=b"x" * 3_000_000).status_code == 413
        assert bob.post("/imports", content=b"x", params={"format": "exe"}).status_code == 400
        for content in (b"PK\x03\x04 no archive", b"PK\x05\x06" + b"\xff" * 30):
            job = bob.post("/imports", content=content).json()
            failed = ended(bob, f"/imports/{job['id']}")
            assert (failed["state"], failed["format"]) == ("failed", "zip")
            assert "ZIP" in failed["message"]


def test_jobs_of_others_are_not_there(as_account: Client) -> None:
    with as_account("alice") as alice, as_account("bob") as bob:
        job = alice.post("/exports", json={}).json()["id"]
        ended(alice, f"/exports/{job}")
        for path in (f"/exports/{job}", f"/exports/{job}/file", f"/imports/{job}"):
            assert bob.get(path).status_code == 404
        assert bob.delete(f"/exports/{job}").status_code == 404
        assert bob.post(f"/exports/{job}/resume").status_code == 404
        assert alice.get(f"/imports/{job}").status_code == 404
        assert alice.post(f"/exports/{job}/resume").status_code == 409
