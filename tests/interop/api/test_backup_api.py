"""Backups over the API: begun, followed, looked into by a mailbox's owner, and what was lost brought back."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from support.eventually import eventually_sync
from support.mailstead_server import MailsteadServer, mailstead_server
from support.programs import require_program

Client = Callable[..., httpx.Client]
RAW = "From: Anna <anna@elsewhere.test>\r\nSubject: {}\r\n\r\nbody\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailsteadServer]:
    require_program("restic")
    folder = tmp_path_factory.mktemp("backups")
    settings = {"MAILSTEAD_BACKUP_REPOSITORY": str(folder / "repository"), "MAILSTEAD_BACKUP_EVERY": "0"}
    with mailstead_server(folder, settings) as running:
        yield running


def done(client: httpx.Client, path: str, work: str) -> dict[str, Any]:
    """Ask for the work, and wait until it was done once more."""
    before = client.get("/server/backups/status").json()[f"last_{work}"]
    asked = client.post(path)
    assert asked.status_code == 202, asked.text
    found: dict[str, Any] = {}

    def look() -> bool:
        found.update(client.get("/server/backups/status").json())
        return bool(found[f"last_{work}"] != before and found[work]["outcome"] == "done")

    eventually_sync(look, longest=120, pause=0.2)
    return found


def test_a_backup_is_begun_and_what_is_lost_comes_back(as_account: Client) -> None:
    with as_account("admin") as admin, as_account("alice") as alice:
        kept = alice.post("/messages", json={"raw": RAW.format("Kept"), "labels": ["work"]}).json()
        other = alice.post("/messages", json={"raw": RAW.format("Other")}).json()
        assert admin.get("/server/backups").status_code in (200, 400, 503)  # there is no repository yet
        status = done(admin, "/server/backups", "run")
        assert status["run"]["failures"] == 0
        (snapshot,) = admin.get("/server/backups").json()
        verified = done(admin, "/server/backups/verify", "verify")
        assert snapshot["id"] in verified["verify"]["text"]
        assert [one["id"] for one in alice.get("/snapshots").json()] == [snapshot["id"]]
        for message in (kept, other):
            assert alice.delete(f"/messages/{message['id']}", params={"permanent": True}).status_code == 200
        contents = alice.get(f"/snapshots/{snapshot['id']}", params={"q": "kept"}).json()
        (lost,) = contents["messages"]
        assert (lost["id"], lost["subject"], lost["folder"]) == (kept["id"], "Kept", "INBOX")
        assert contents["lost"] == 1
        assert {one["name"]: one["lost"] for one in contents["folders"]}["INBOX"] == 2
        wanted = {"messages": [lost["id"]], "into": "Back"}
        answer = alice.post("/snapshots/latest/restore", json=wanted)
        assert answer.json() == {"snapshot": snapshot["id"], "restored": 1, "there": 0, "object": "restore"}
        (back,) = alice.get("/messages", params={"folder": "Back/INBOX"}).json()
        assert (back["subject"], back["labels"]) == ("Kept", ["work"])
        assert alice.get(f"/messages/{back['id']}/raw").text == RAW.format("Kept")
        rest = admin.post(f"/server/backups/{snapshot['id']}/restore", json={"mailbox": "alice@example.test"})
        assert rest.json()["restored"] == 1
        assert alice.post("/snapshots/latest/restore", json={}).json()["restored"] == 0


def test_backups_that_are_not_there_are_not_found(as_account: Client) -> None:
    with as_account("admin") as admin, as_account("alice") as alice:
        done(admin, "/server/backups", "run")
        for name in ("ffffffff", "--help", "latest;ls", "..%2f", "x" * 3000):
            assert alice.get(f"/snapshots/{name}").status_code in (400, 404), name
            body = {"mailbox": "alice@example.test"}
            assert admin.post(f"/server/backups/{name}/restore", json=body).status_code in (400, 404), name
        answer = alice.post("/snapshots/latest/restore", json={"messages": ["M999999"]})
        assert answer.status_code == 404, answer.text
        assert alice.post("/snapshots/latest/restore", json={"folder": "No such"}).status_code == 404
        nobody = {"mailbox": "nobody@example.test"}
        assert admin.post("/server/backups/latest/restore", json=nobody).status_code == 404


def test_backups_are_for_those_whose_they_are(as_account: Client) -> None:
    with as_account("admin") as admin:
        done(admin, "/server/backups", "run")
    with as_account("bob") as bob:
        for method, path in (
            ("GET", "/server/backups"),
            ("POST", "/server/backups"),
            ("GET", "/server/backups/status"),
        ):
            assert bob.request(method, path).status_code == 403
        assert bob.get("/snapshots/latest").json()["lost"] == 0
