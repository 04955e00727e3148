"""Forwarding of the whole server, with Postfix as the other side: bounces, loops, a dead target, kill -9."""

import contextlib
import http.client
import http.server
import imaplib
import json
import smtplib
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path

import pysequoia
import pytest

from benchmarks.peers.postfix import Postfix, postfix
from mailstead.mail.encryption.wkd import directory_hash
from mailstead.mail.webhooks.signature import verify_signature
from support.dns_authority import dns_authority
from support.eventually import eventually_sync
from support.mailstead_server import MailsteadServer, mailstead_server
from support.ports import free_port
from support.smtp_sink import Sink, smtp_sink

pytestmark = pytest.mark.needs("postfix")
AUTHOR = "writer@origin.test"


@dataclass
class World:
    """Our server, Postfix as everybody else's, and what reaches the mailboxes behind that."""

    server: MailsteadServer
    postfix: Postfix
    origin: Sink
    far: Sink

    def send(self, recipient: str, token: str, sender: str = AUTHOR) -> None:
        message = f"From: {AUTHOR}\r\nTo: {recipient}\r\nSubject: {token}\r\nMessage-ID: <{token}@origin.test>\r\n\r\nhello\r\n"
        with smtplib.SMTP(*self.server.address("mx"), timeout=30) as client:
            client.sendmail(sender, [recipient], message)

    def alias(self, name: str, *targets: str) -> None:
        options = [word for target in targets for word in ("--forward-to", target)]
        self.server.command("alias", "add", f"{name}@example.test", "--no-mailbox", *options)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with tempfile.TemporaryDirectory(prefix="forwarding") as name:
        folder = Path(name)
        folder.chmod(0o755)  # Postfix gives up root
        yield from running(folder)


def running(folder: Path) -> Iterator[World]:
    spf = {"A": "127.0.0.1", "TXT": "v=spf1 ip4:127.0.0.1 -all"}
    zone = {"foreign.test": spf, "origin.test": spf}
    zone["guarded.origin.test"] = {"A": "127.0.0.1", "TXT": "v=spf1 -all"}
    mx_port = free_port()
    with smtp_sink() as origin, smtp_sink() as far, dns_authority(zone) as authority:
        routes = (
            f"{{foreign.test = smtp:[127.0.0.1]:{far.port}}}, {{origin.test = smtp:[127.0.0.1]:{origin.port}}},"
            f" {{example.test = smtp:[127.0.0.1]:{mx_port}}}"
        )
        other = {
            "transport_maps": f"inline:{{ {routes} }}",
            "virtual_alias_maps": "inline:{ {back@foreign.test = loop@example.test} }",
            "minimal_backoff_time": "1s",
            "maximal_backoff_time": "1s",
            "queue_run_delay": "1s",
        }
        with postfix(folder / "postfix", other, hostname="mx.foreign.test") as foreign:
            settings = {
                "MAILSTEAD_PORT_MX": str(mx_port),
                "MAILSTEAD_DNS_SERVERS": authority.address,
                "MAILSTEAD_QUEUE_REMOTE_PORT": str(foreign.port),
                "MAILSTEAD_QUEUE_FIRST_RETRY": "1s",
                "MAILSTEAD_QUEUE_LONGEST_RETRY": "1s",
                "MAILSTEAD_QUEUE_POLL": "500ms",
                "MAILSTEAD_WEBHOOK_PRIVATE_NETWORKS": "127.0.0.0/8",
                "MAILSTEAD_WEBHOOK_PLAIN_HTTP": "true",
            }
            with mailstead_server(folder, settings) as server:
                yield World(server, foreign, origin, far)


@pytest.fixture(autouse=True)
def _emptied(world: World) -> None:
    world.origin.messages.clear()
    world.far.messages.clear()


def test_a_bounce_of_the_target_reaches_the_sender_and_names_the_alias(world: World) -> None:
    world.alias("gone", "nobody@foreign.test")
    world.far.answers["RCPT"] = ["550 5.1.1 no such user"]
    world.send("gone@example.test", "bounced")
    world.origin.wait_for(1)
    [(sender, recipients, octets)] = world.origin.messages
    assert (sender, recipients) == ("", [AUTHOR])
    assert message_from_bytes(octets).get_content_type() == "multipart/report"
    assert [one for one in world.far.messages if one[1]] == []


def test_a_circle_of_two_servers_ends_and_the_sender_is_told_once(world: World) -> None:
    world.alias("loop", "back@foreign.test")
    world.send("loop@example.test", "circle")
    world.origin.wait_for(1)
    [(sender, recipients, octets)] = world.origin.messages
    assert (sender, recipients) == ("", [AUTHOR])
    assert b"5.4.6" in octets
    assert world.server.command_json("queue", "list") == []


def test_a_target_that_is_away_gets_everything_once_when_it_is_back(world: World) -> None:
    world.alias("team", "far@foreign.test", "further@foreign.test")
    world.postfix.run("stop")
    tokens = {f"away-{number}" for number in range(10)}
    for token in sorted(tokens):
        world.send("team@example.test", token)
    world.server.kill()
    world.server.start()
    world.postfix.start()
    world.far.wait_for(len(tokens), 60)
    arrived = [
        (str(message_from_bytes(octets)["subject"]), sorted(recipients)) for _, recipients, octets in world.far.messages
    ]
    both = ["far@foreign.test", "further@foreign.test"]
    assert sorted(arrived) == [(token, both) for token in sorted(tokens)]
    for sender, _, octets in world.far.messages:
        assert sender.startswith("SRS0=")
        assert sender.endswith("=origin.test=writer@example.test")
        assert octets.count(b"ARC-Seal: i=1") == 1


def test_a_sender_who_may_be_forged_hears_nothing(world: World) -> None:
    world.alias("quiet", "nobody@foreign.test")
    world.far.answers["RCPT"] = ["550 5.1.1 no such user"]
    world.send("quiet@example.test", "forged", sender="victim@guarded.origin.test")
    with imaplib.IMAP4_SSL(*world.server.address("imaps"), ssl_context=world.server.client_context()) as client:
        client.login("admin@example.test", world.server.password("admin"))
        client.select()

        def is_told() -> bool:
            client.noop()
            return client.search(None, "SUBJECT", "Undelivered")[1] != [b""]

        eventually_sync(is_told, pause=0.1)
    assert world.origin.messages == []


@dataclass
class Received:
    """What webhooks got."""

    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    came: threading.Event = field(default_factory=threading.Event)


@contextlib.contextmanager
def webhook() -> Iterator[tuple[str, Received]]:
    received = Received()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()
            received.came.set()

        log_message: Callable[..., None] = lambda *_: None

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as served:
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{served.server_address[1]}/in", received
        finally:
            served.shutdown()
            thread.join()


def test_a_webhook_is_posted_to(world: World) -> None:
    with webhook() as (url, received):
        world.alias("hook", url)
        world.send("hook@example.test", "posted")
        assert received.came.wait(30)
    [(headers, body)] = received.requests
    said = json.loads(body)
    assert (said["subject"], said["session"]["sender"], said["recipients"]) == ("posted", AUTHOR, ["hook@example.test"])
    key = world.server.command_json("domain", "webhook-key", "example.test")["webhook_key"]
    assert verify_signature(headers, body, key.encode(), float(headers["webhook-timestamp"]))


def test_who_is_away_answers(world: World) -> None:
    world.server.command("alias", "vacation", "bob@example.test", "--on", "--message", "Away until Monday.")
    world.send("bob@example.test", "hello")
    world.origin.wait_for(1)
    [(sender, recipients, octets)] = world.origin.messages
    assert (sender, recipients) == ("", [AUTHOR])
    assert b"Auto-Submitted: auto-replied (vacation)" in octets
    assert b"Away until Monday." in octets


def test_the_key_of_an_address_is_published(world: World, tmp_path: Path) -> None:
    file = tmp_path / "key"
    public = bytes(pysequoia.Tsk.generate("Alice <alice@example.test>").extract_certificate())
    file.write_bytes(public)
    world.server.command("alias", "encryption", "alice@example.test", "--key", str(file))
    digest = directory_hash("alice")
    asked = {
        ("example.test", f"/.well-known/openpgpkey/hu/{digest}?l=alice"): (200, public),
        ("openpgpkey.example.test", f"/.well-known/openpgpkey/example.test/hu/{digest}?l=alice"): (200, public),
        ("openpgpkey.example.test", "/.well-known/openpgpkey/example.test/policy"): (200, b""),
        ("example.test", "/.well-known/openpgpkey/policy"): (200, b""),
        ("other.test", f"/.well-known/openpgpkey/hu/{digest}?l=alice"): (404, None),
        ("example.test", f"/.well-known/openpgpkey/hu/{directory_hash('bob')}?l=bob"): (404, None),
    }
    for (host, path), (status, body) in asked.items():
        connection = http.client.HTTPSConnection(*world.server.address("https"), context=world.server.client_context())
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        found = answer.read()
        connection.close()
        assert answer.status == status, (host, path)
        if body is not None:
            assert found == body
