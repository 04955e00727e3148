"""Backups under traffic, to a folder and to S3; the host wiped and restored; damage found; one message brought back."""

import asyncio
import imaplib
import json
import re
import secrets
import shutil
import smtplib
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.backup import restoration
from mailstead.foundation.config.load import load_settings
from mailstead.services.backup import restore
from mailstead.stores.documents.sqlite.engine import SqliteDocuments
from support.command_line import CommandLine
from support.eventually import eventually_sync
from support.mailstead_server import MailsteadServer, mailstead_server
from support.mongod import mongod
from support.programs import require_program
from support.redis_server import redis_server
from support.swift import swift

pytestmark = pytest.mark.xdist_group("backup")
ALICE, BOB = "alice@example.test", "bob@example.test"


def deliver(server: MailsteadServer, token: str, to: str = ALICE, more: str = "") -> None:
    """Through the mail exchanger; returns when it was acknowledged."""
    with smtplib.SMTP(*server.address("mx"), timeout=30) as session:
        message = f"From: friend@else.test\r\nSubject: {token}\r\n\r\n{token} \xe9\r\n{more}\r\n"
        session.sendmail("friend@else.test", [to], message.encode())


def mail_of(server: MailsteadServer, name: str, folder: str = "INBOX") -> dict[str, bytes]:
    """The octets of all messages of a folder, by subject."""
    with imaplib.IMAP4_SSL(*server.address("imaps"), ssl_context=server.client_context()) as session:
        session.login(f"{name}@example.test", server.password(name))
        session.select(folder, readonly=True)
        _, numbers = session.uid("search", "ALL")
        found = {}
        if numbers[0]:
            _, rows = session.uid("fetch", numbers[0].replace(b" ", b",").decode(), "(BODY.PEEK[])")
            for row in rows:
                if isinstance(row, tuple):
                    subject = next(line for line in row[1].splitlines() if line.startswith(b"Subject: "))
                    found[subject[9:].decode()] = row[1]
        return found


def objects(server: MailsteadServer, uid: str, more: str = "") -> dict[str, bytes]:
    """Where an event and a contact of alice's lie, and their octets."""
    caldav, carddav = ("https://{}:{}".format(*server.address(name)) for name in ("caldav", "carddav"))
    event = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\n"
    event += f"DTSTART:20260102T100000Z\r\nSUMMARY:Tea \N{HOT BEVERAGE} {more}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    card = f"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{uid}\r\nFN:Bob\r\nN:;Bob;;;\r\nX-OWN:kept {more}\r\nEND:VCARD\r\n"
    return {
        f"{caldav}/dav/{ALICE}/calendars/default/{uid}.ics": event.encode(),
        f"{carddav}/dav/{ALICE}/contacts/default/{uid}.vcf": card.encode(),
    }


def put(client: httpx.Client, url: str, octets: bytes) -> int:
    """The status of storing an event or a card."""
    kind = "text/vcard" if url.endswith("vcf") else "text/calendar"
    return client.put(url, content=octets, headers={"Content-Type": kind}).status_code


def dav(server: MailsteadServer) -> httpx.Client:
    return httpx.Client(auth=(ALICE, server.password("alice")), verify=server.client_context(), timeout=30)


# what else is the same before and after: accounts, credentials, keys, aliases, rules, lists
KEPT = (
    ("user", "list"),
    ("domain", "show", "example.test"),
    ("dkim", "show", "example.test"),
    ("alias", "list", "example.test"),
    ("alias", "passwords", ALICE),
    ("alias", "passwords", BOB),
    ("sieve", "list", ALICE),
    ("access", "list"),
)


def kept_besides(server: MailsteadServer) -> dict[tuple[str, ...], Any]:
    """What these commands tell, run in this process."""
    line = CommandLine(server.data, server.environment)
    return {command: line.json(*command) for command in KEPT}


def stored(server: MailsteadServer) -> dict[str, bytes]:
    """The octets of all events and cards of alice's, by path."""
    found = {}
    for kind, service, report, tag in (
        ("calendars", "caldav", "calendar-query", "calendar-data"),
        ("contacts", "carddav", "addressbook-query", "address-data"),
    ):
        space = f"urn:ietf:params:xml:ns:{service}"
        inner = '<C:filter><C:comp-filter name="VCALENDAR"/></C:filter>' if service == "caldav" else "<C:filter/>"
        body = f'<C:{report} xmlns:C="{space}" xmlns:D="DAV:"><D:prop><D:getetag/></D:prop>{inner}</C:{report}>'
        home = "https://{}:{}".format(*server.address(service))
        with dav(server) as client:
            answer = client.request(
                "REPORT", f"{home}/dav/{ALICE}/{kind}/default/", content=body, headers={"Depth": "1"}
            )
            assert answer.status_code == 207, (tag, answer.text)
            for path in re.findall(r"<(?:\w+:)?href>([^<]+)</", answer.text):
                found[path] = client.get(f"{home}{path}").content
    return found


class Traffic:
    """Mail that comes and is stored, events and cards, of random sizes, on threads, until it is told to end."""

    def __init__(self, server: MailsteadServer) -> None:
        self._server = server
        self._end = threading.Event()
        self._failed: list[Exception] = []
        works = (self._deliver, self._deliver, self._append, self._put)
        self._threads = [threading.Thread(target=self._work, args=(work,)) for work in works]
        self.acknowledged: dict[str, float] = {}
        self.put: dict[str, tuple[bytes, float]] = {}

    def _work(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:
            self._failed.append(error)
            raise

    def _tokens(self, longest: int = 100) -> Iterator[str]:
        while not self._end.wait(secrets.randbelow(longest) / 1000):  # at random, and not all that the machine can do
            yield secrets.token_hex(8)

    def _deliver(self) -> None:
        for token in self._tokens():
            deliver(self._server, token, more=secrets.token_bytes(secrets.randbelow(20_000)).hex())
            self.acknowledged[token] = time.time()

    def _append(self) -> None:
        server = self._server
        with imaplib.IMAP4_SSL(*server.address("imaps"), ssl_context=server.client_context()) as session:
            session.login(ALICE, server.password("alice"))
            for token in self._tokens():
                text = secrets.token_bytes(secrets.randbelow(20_000)).hex()
                session.append("INBOX", r"(\Seen)", "", f"Subject: {token}\r\n\r\n{text}\r\n".encode())
                self.acknowledged[token] = time.time()

    def _put(self) -> None:
        with dav(self._server) as client:
            for token in self._tokens(300):
                for url, octets in objects(self._server, token, secrets.token_hex(secrets.randbelow(2000))).items():
                    assert put(client, url, octets) == 201
                    self.put[url] = octets, time.time()

    def __enter__(self) -> "Traffic":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()
        assert self._failed == []


BY_HAND = {"MAILSTEAD_BACKUP_EVERY": "0", "MAILSTEAD_BACKUP_VERIFY_EVERY": "0"}


def settings(engine: str, folder: Path, stack: ExitStack) -> dict[str, str]:
    """A repository on disk beside embedded stores, or one on S3 beside MongoDB and Redis; only the test makes backups."""
    if engine == "embedded":
        return {"MAILSTEAD_BACKUP_REPOSITORY": str(folder / "repository"), **BY_HAND}
    (folder / "swift").mkdir()
    (folder / "redis").mkdir()
    store = stack.enter_context(swift(folder / "swift"))
    redis = stack.enter_context(redis_server(folder / "redis"))
    return {
        "MAILSTEAD_BACKUP_REPOSITORY": f"s3:{store.url}/backups",
        "MAILSTEAD_DOCUMENTS_URL": stack.enter_context(mongod()).replace("/?", "/house?"),
        "MAILSTEAD_BUS_URL": redis.url,
        **store.environment,
        **BY_HAND,
    }


@pytest.mark.parametrize("engine", ["embedded", "servers"])
def test_under_traffic_then_wiped_and_restored(engine: str, tmp_path: Path) -> None:
    require_program("restic")
    with ExitStack() as stack:
        given = settings(engine, tmp_path, stack) | {"MAILSTEAD_RELAY_URL": "smtp://127.0.0.1:9"}
        server = stack.enter_context(mailstead_server(tmp_path, given))
        demo = server.demo
        server.command("alias", "add", "sales@example.test", "--forward-to", "far@away.test", "--no-mailbox")
        deliver(server, "for bob", BOB)
        server.command("alias", "recovery-code", BOB)
        server.command("mailbox", "lock", BOB)
        with smtplib.SMTP_SSL(*server.address("submissions"), context=server.client_context()) as session:
            session.login(ALICE, server.password("alice"))
            session.sendmail(ALICE, ["far@away.test"], b"From: alice@example.test\r\nSubject: waits\r\n\r\nx\r\n")
        told = kept_besides(server)
        with Traffic(server) as traffic:
            eventually_sync(lambda: len(traffic.acknowledged) > 100 and len(traffic.put) > 20)
            began = time.time()
            made = server.command_json("backup", "run")
            eventually_sync(lambda: max(traffic.acknowledged.values()) > made["at"])
        assert made["password"]
        before = {token for token, at in traffic.acknowledged.items() if at < began}
        put_before = {urlsplit(url).path for url, (_, at) in traffic.put.items() if at < began}
        original = mail_of(server, "alice")
        queued = server.command_json("queue", "list")
        assert queued
        server.stop()

        shutil.rmtree(server.data)
        server.data.mkdir()
        (server.data / "demo.json").write_text(json.dumps(demo))  # the passwords, which people know
        server.settings["MAILSTEAD_BACKUP_PASSWORD"] = made["password"]
        restored = server.command_json("backup", "restore", "--yes")
        assert restored["snapshot"] == made["id"]
        server.start()
        found = mail_of(server, "alice")
        assert before <= found.keys() <= original.keys()
        assert all(found[token] == original[token] for token in found)
        found_objects = stored(server)
        octets_put = {urlsplit(url).path: octets for url, (octets, _) in traffic.put.items()}
        assert len(put_before) > 20
        assert put_before <= found_objects.keys() <= octets_put.keys()
        assert all(octets == octets_put[path] for path, octets in found_objects.items())
        assert kept_besides(server) == told
        settings_then = Path(restored["settings"]).read_text().splitlines()
        wanted = [f"{name}={value}" for name, value in given.items() if name.startswith("MAILSTEAD_")]
        assert set(wanted) <= set(settings_then)
        assert any(line.startswith("MAILSTEAD_SECRET=") for line in settings_then)
        assert [one["id"] for one in server.command_json("queue", "list")] == [one["id"] for one in queued]
        assert "for bob" in mail_of(server, "bob")  # only he opens it
        deliver(server, "after")
        assert "after" in mail_of(server, "alice")
        verified = server.command_json("backup", "verify")
        assert (verified["mailboxes"], verified["sealed"]) == (2, 1)
        if engine == "embedded":
            assert server.command_json("backup", "run")["password"] is None
            assert len(server.command_json("backup", "list")) == 2
        else:  # an object of the repository on S3 is torn; on a folder it is below
            torn = max((tmp_path / "swift").rglob("*.data"), key=lambda path: path.stat().st_size)
            torn.write_bytes(torn.read_bytes()[:-100])
            found_damaged = server.command("backup", "verify", check=False)
            assert found_damaged.returncode == 1
            assert found_damaged.stderr.startswith(b"The backup is damaged: ")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailsteadServer]:
    require_program("restic")
    folder = tmp_path_factory.mktemp("house")
    given = {"MAILSTEAD_BACKUP_REPOSITORY": str(folder / "repository"), "MAILSTEAD_BACKUP_READ_SHARE": "100"} | BY_HAND
    with mailstead_server(folder, given) as server:
        server.command("backup", "run")
        yield server


def test_lost_messages_come_back_and_nothing_else_changes(house: MailsteadServer) -> None:
    for token in ("one", "two", "three"):
        deliver(house, token)
    house.command("backup", "run")
    kept = mail_of(house, "alice")
    with imaplib.IMAP4_SSL(*house.address("imaps"), ssl_context=house.client_context()) as session:
        session.login(ALICE, house.password("alice"))
        session.select("INBOX")
        _, numbers = session.search(None, "SUBJECT", "one")
        _, row = session.fetch(numbers[0].decode(), "(EMAILID)")
        identifier = row[0].decode().partition("EMAILID (")[2].partition(")")[0]  # type: ignore[union-attr]
        session.store("1:*", "+FLAGS", r"\Deleted")
        session.expunge()
    deliver(house, "four")
    lost = house.command_json("backup", "show", ALICE, "--folder", "inbox", "--text", "ONE")
    assert [(one["id"], one["subject"]) for one in lost["messages"]] == [(identifier, "one")]
    restore = ("backup", "restore", "--mailbox", ALICE)
    assert house.command_json(*restore, "--message", identifier)["taken"] == 1
    assert mail_of(house, "alice").keys() == {"one", "four"}
    assert house.command_json(*restore, "--into", "Back")["taken"] == len(kept) - 1
    lost = {token: raw for token, raw in kept.items() if token != "one"}
    assert mail_of(house, "alice", "Back/INBOX") == lost
    again = house.command_json(*restore, "--folder", "inbox")
    assert (again["taken"], again["there"]) == (0, len(kept))
    none = house.command(*restore, "--message", "M999", check=False)
    assert (none.returncode, none.stderr) == (1, b"There is no such message in that backup\n")


def test_damage_is_found_and_what_serves_is_not_replaced(house: MailsteadServer, tmp_path: Path) -> None:
    running = house.command("backup", "restore", "--yes", check=False)
    assert running.returncode == 1
    assert b"already runs" in running.stderr
    repository = Path(house.settings["MAILSTEAD_BACKUP_REPOSITORY"])
    copy = tmp_path / "copy"
    for damage in ("flipped", "torn"):
        shutil.copytree(repository, copy)
        pack = max((copy / "data").glob("*/*"), key=lambda path: path.stat().st_size)
        content = bytearray(pack.read_bytes())
        pack.chmod(0o600)
        if damage == "flipped":
            content[len(content) // 2] ^= 1
            pack.write_bytes(content)
        else:
            pack.write_bytes(content[:-100])
        found = run_on(house, copy, "backup", "verify")
        assert found.returncode == 1, damage
        assert found.stderr.startswith(b"The backup is damaged: "), damage
        shutil.rmtree(copy)


def run_on(house: MailsteadServer, repository: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """A command with another repository."""
    settings = house.settings
    house.settings = settings | {"MAILSTEAD_BACKUP_REPOSITORY": str(repository)}
    try:
        return house.command(*arguments, check=False)
    finally:
        house.settings = settings


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("step", ["documents", "mailboxes", "data"])
def test_a_restoration_that_was_cut_off_is_done_again(
    house: MailsteadServer, tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = MailsteadServer(tmp_path / "data", dict(house.settings))
    other.settings["MAILSTEAD_BACKUP_PASSWORD"] = (house.data / "backup" / "password").read_text().strip()
    settings = load_settings(other.environment)
    with monkeypatch.context() as patched:
        if step == "documents":
            patched.setattr(SqliteDocuments, "load", killed)
        else:
            original = restoration._replace

            def replace(source: Path, target: Path) -> None:
                if step == "mailboxes" or target.name == "secret":
                    raise Killed
                original(source, target)

            patched.setattr(restoration, "_replace", replace)
        with pytest.raises(Killed):
            asyncio.run(restore(settings, ("storage",), COMMAND_LINE, "latest"))
    refused = other.command("user", "list", check=False)
    assert refused.returncode == 1
    assert refused.stderr.startswith(b"A restoration was cut off: run mailstead backup restore again")
    restored, before = asyncio.run(restore(settings, ("storage",), COMMAND_LINE, "latest"))
    assert before == ""
    assert restored.manifest.mailboxes == 3
    assert other.command("mailbox", "check", ALICE).returncode == 0


async def killed(*_: object) -> None:
    raise Killed
