"""Events over WebSocket: what other protocols do is told, to whoever may know, as long as they may."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import httpx
import msgspec
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from support.mailstead_server import MailsteadServer

Client = Callable[..., httpx.Client]
RAW = "From: Carol <carol@elsewhere.test>\r\nSubject: {}\r\n\r\nbody\r\n"
ICAL = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:{0}\r\nDTSTAMP:20260101T000000Z\r\n"
    "DTSTART:20261201T090000Z\r\nDTEND:20261201T100000Z\r\nSUMMARY:{0}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


def basic(login: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{login}:{password}".encode()).decode()}


@contextmanager
def live(server: MailsteadServer, headers: dict[str, str], query: str = "") -> Iterator[ClientConnection]:
    host, port = server.address("api")
    with connect(f"ws://{host}:{port}/v1/ws{query}", additional_headers=headers) as socket:
        yield socket


def until(socket: ClientConnection, event: str, **wanted: Any) -> dict[str, Any]:
    """The next frame of that event, and with these values; others are passed over."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        frame: dict[str, Any] = json.loads(socket.recv(timeout=20))
        if frame["event"] == event and all(frame.get(name) == value for name, value in wanted.items()):
            return frame
    raise AssertionError(event)


def closed_with(socket: ClientConnection) -> int:
    """The code that the server closes with."""
    with suppress(ConnectionClosed):
        while True:
            socket.recv(timeout=20)
    code = socket.close_code
    assert code is not None
    return code


def refused(server: MailsteadServer, headers: dict[str, str], query: str = "") -> tuple[int, Any]:
    with pytest.raises(InvalidStatus) as caught, live(server, headers, query):
        pass
    return caught.value.response.status_code, json.loads(caught.value.response.body or b"null")


def test_mail_and_folders_are_told_as_they_change(server: MailsteadServer, as_account: Client) -> None:
    with as_account("alice") as client, live(server, basic("alice@example.test", server.password("alice"))) as socket:
        assert until(socket, "connected")["email"] == "alice@example.test"
        socket.send("what clients say is ignored")
        made = client.post("/messages", json={"raw": RAW.format("Told at once")}).json()
        told = until(socket, "newMessage")
        assert (told["path"], told["message"]["id"], told["message"]["subject"]) == (
            "INBOX",
            made["id"],
            "Told at once",
        )
        client.put(f"/messages/{made['id']}", json={"flags_add": ["\\Seen"], "labels_add": ["Work"]})
        (flags,) = until(socket, "flagsUpdated")["messages"]
        assert flags["uid"] == told["message"]["uid"]
        folder = client.post("/folders", json={"path": "Live"}).json()
        assert until(socket, "mailboxCreated")["folder_id"] == folder["id"]
        client.put(f"/messages/{made['id']}", json={"folder": "Live"})
        assert until(socket, "messagesExpunged")["uids"] == [told["message"]["uid"]]
        assert until(socket, "newMessage")["path"] == "Live"
        client.put(f"/folders/{folder['id']}", json={"path": "Lively"})
        assert until(socket, "mailboxRenamed")["old_path"] == "Live"
        client.delete(f"/folders/{folder['id']}")
        assert until(socket, "mailboxDeleted")["path"] == "Lively"


def test_calendars_and_contacts_are_told(server: MailsteadServer, as_account: Client) -> None:
    with as_account("bob") as client, live(server, basic("bob@example.test", server.password("bob"))) as socket:
        until(socket, "connected")
        calendar = client.post("/calendars", json={"name": "Live"}).json()
        assert until(socket, "calendarCreated")["calendar_id"] == calendar["id"]
        wanted = {"calendar_id": calendar["id"], "ical": ICAL.format("live-1")}
        event = client.post("/calendar-events", json=wanted).json()
        told = until(socket, "calendarEventUpdated")
        assert (told["id"], told["uid"], told["ical"]) == (event["id"], "live-1", event["ical"])
        client.delete(f"/calendar-events/{event['id']}")
        until(socket, "calendarEventDeleted")
        client.put(f"/calendars/{calendar['id']}", json={"name": "Alive"})
        assert until(socket, "calendarUpdated")["name"] == "Alive"
        client.delete(f"/calendars/{calendar['id']}")
        until(socket, "calendarDeleted", calendar_id=calendar["id"])
        contact = client.post("/contacts", json={"full_name": "Live One"}).json()
        assert until(socket, "contactUpdated")["id"] == contact["id"]
        client.delete(f"/contacts/{contact['id']}")
        until(socket, "contactDeleted")


def test_frames_are_binary_where_asked_for(server: MailsteadServer, as_account: Client) -> None:
    with live(server, basic("alice@example.test", server.password("alice")), "?msgpackr=true") as socket:
        frame = socket.recv(timeout=20)
        assert isinstance(frame, bytes)
        assert msgspec.msgpack.decode(frame)["event"] == "connected"


def test_a_token_names_a_mailbox_and_hears_of_it_until_it_is_revoked(
    server: MailsteadServer, api: Client, as_account: Client
) -> None:
    with as_account("alice") as client:
        made = client.post("/tokens", json={"scopes": ["read"]}).json()
        bearer = {"Authorization": f"Bearer {made['token']}"}
        assert refused(server, bearer)[0] == 403
        assert refused(server, bearer, "?alias=bob@example.test")[0] == 403
        login = client.post("/domains/example.test/aliases/alice/generate-password", json={"label": "live"}).json()
        (password,) = [
            one for one in client.get("/domains/example.test/aliases/alice/passwords").json() if one["label"] == "live"
        ]
        with (
            live(server, bearer, "?alias=alice@example.test") as by_token,
            live(server, basic(login["username"], login["password"])) as by_password,
        ):
            until(by_token, "connected")
            until(by_password, "connected")
            client.delete(f"/tokens/{made['id']}")
            client.delete(f"/domains/example.test/aliases/alice/passwords/{password['id']}")
            assert (closed_with(by_token), closed_with(by_password)) == (4401, 4401)


def test_strangers_and_too_many_are_refused_before_the_upgrade(server: MailsteadServer, api: Client) -> None:
    status, problem = refused(server, {})
    assert (status, problem["message"]) == (401, "Authentication failed")
    assert refused(server, basic("nobody@example.test", "wrong"))[0] == 401
    with api("alice@example.test", server.password("alice")) as client:
        assert client.get("/ws").status_code == 426
    mine = basic("bob@example.test", server.password("bob"))
    with ExitStack() as stack:
        for _ in range(10):
            stack.enter_context(live(server, mine))
        assert refused(server, mine)[0] == 429
