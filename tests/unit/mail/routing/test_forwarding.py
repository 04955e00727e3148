"""Mail that aliases pass on: from the mail exchanger's session through the queue to other servers, and back."""

import email
import email.message
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.aliases import add_alias
from mailstead.foundation.config.sections.authentication import AuthenticationSettings
from mailstead.foundation.config.sections.dkim import DkimSettings
from mailstead.foundation.config.sections.forward import ForwardSettings
from mailstead.foundation.config.sections.webhook import WebhookSettings
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.crypto.at_rest import encrypt
from mailstead.mail.authentication.arc.verify import verify_arc
from mailstead.mail.authentication.dkim.sign import sign
from mailstead.mail.authentication.dkim.verify import verify_dkim
from mailstead.mail.authentication.inbound import InboundAuthentication
from mailstead.mail.authentication.message import CheckedMessage
from mailstead.mail.outbound.records import HOOK
from mailstead.protocols.smtp.roles.mx import MxRole
from mailstead.stores.directory.records import DkimKey, User
from support.dkim_keys import ed25519_key, rsa_key, signing_key
from support.eventually import eventually
from support.hook_receiver import hook_receiver
from support.installation import HOSTNAME
from support.post_office import ZONE, PostOffice, post_office
from support.scripted_resolver import ScriptedResolver
from support.scripted_smtp import ScriptedServer, scripted_server
from support.smtp_dialogue import Dialogue, dialogue, smtp

DAY = 86400.0
AUTHENTIC = {
    "good.test": {"TXT": "v=spf1 ip4:192.0.2.1 -all"},
    "strict.test": {"TXT": "v=spf1 ip4:192.0.2.1 -all"},
    "_dmarc.strict.test": {"TXT": "v=DMARC1; p=reject"},
    "signed.test": {"TXT": "v=spf1 ip4:192.0.2.1 -all"},
    "_dmarc.signed.test": {"TXT": "v=DMARC1; p=reject"},
    "s1._domainkey.signed.test": {"TXT": ed25519_key().public_record},
    "loose.test": {"TXT": "v=spf1 ~all"},
    "_dmarc.listed.test": {"TXT": "v=DMARC1; p=none"},
    "k1._domainkey.example.test": {"TXT": rsa_key().public_record},
}
LOOPBACK = ("127.0.0.0/8",)
SETTINGS = Settings(
    forward=ForwardSettings(private_networks=LOOPBACK),
    webhook=WebhookSettings(private_networks=LOOPBACK, plain_http=True),
)


class Exchange:
    """A mail exchanger and the worker of its queue."""

    def __init__(self, office: PostOffice, saying: Dialogue, sink: ScriptedServer) -> None:
        self.office = office
        self.saying = saying
        self.sink = sink

    async def alias(self, address: str, *targets: str, mailbox: bool = False) -> None:
        await add_alias(
            self.office.made.administration,
            COMMAND_LINE,
            address,
            user_id="owner",
            forward_to=targets,
            with_mailbox=mailbox,
        )

    async def comes(self, sender: str, recipient: str, message: bytes) -> bytes:
        """The reply to a message, or the one before that ended it."""
        await self.saying.say(b"RSET\r\n")
        for command in (f"MAIL FROM:<{sender}>", f"RCPT TO:<{recipient}>", "DATA"):
            answer = await self.saying.say(command.encode() + b"\r\n")
            if answer[:1] not in (b"2", b"3"):
                return answer
        return await self.saying.say(message + b".\r\n")

    async def sent(self, count: int = 1) -> list[tuple[str, list[str], bytes]]:
        await eventually(lambda: len(self.sink.messages) >= count)
        await self.office.emptied()
        assert len(self.sink.messages) == count
        return self.sink.messages

    async def in_mailbox(self, address: str, count: int = 1) -> list[email.message.Message]:
        async def are_there() -> bool:
            return len(await self.office.made.messages(address)) >= count

        await eventually(are_there)
        return [email.message_from_bytes(one) for one in await self.office.made.messages(address)]


def written(author: str = "a@good.test", number: int = 1) -> bytes:
    return f"From: {author}\r\nTo: x@example.test\r\nSubject: s\r\nMessage-ID: <{number}@x>\r\n\r\nbody\r\n".encode()


def signed(author: str) -> bytes:
    message = written(author)
    end = message.index(b"\r\n\r\n") + 4
    domain = author.partition("@")[2]
    return sign(message[:end], [message[end:]], [signing_key(ed25519_key(), domain)], 1_700_000_000) + message


@asynccontextmanager
async def exchange(
    folder: Path, settings: Settings = SETTINGS, *, address: str = "192.0.2.1", zone: Any = None, **queue: Any
) -> AsyncIterator[Exchange]:
    async with (
        scripted_server() as sink,
        post_office(folder, sink.port, whole=settings, zone=zone, **queue) as office,
        smtp(office.made) as opened,
    ):
        made = office.made
        await made.directory.add(User(id="owner", address="alice@example.test", version=1))
        domain = await made.directory.domain("example.test")
        assert domain is not None
        key = DkimKey(
            selector="k1",
            algorithm="rsa-sha256",
            private_key=encrypt(made.directory.dkim_secret, rsa_key().private_key, b"k1"),
            public_record=rsa_key().public_record,
            created_at=0.0,
        )
        await made.directory.replace(msgspec.structs.replace(domain, dkim_keys=(key,)))
        authentication = InboundAuthentication(
            ScriptedResolver(AUTHENTIC), AuthenticationSettings(), DkimSettings(), HOSTNAME, made.clock
        )
        services = msgspec.structs.replace(opened.services, authentication=authentication)
        async with dialogue(MxRole(services), address=address) as saying:
            await saying.say(b"EHLO mail.client.test\r\n")
            office.start_worker()
            yield Exchange(office, saying, sink)


async def test_a_forwarded_message_is_what_it_was_with_a_seal_and_a_return_path_of_ours(tmp_path: Path) -> None:
    async with exchange(tmp_path) as at:
        await at.alias("team@example.test", "far@remote.test", "further@other.test")
        assert (await at.comes("a@signed.test", "team@example.test", signed("a@signed.test"))).startswith(b"250")
        sent = await at.sent(2)
        assert sorted(recipient for _, [recipient], _ in sent) == ["far@remote.test", "further@other.test"]
        for sender, _, message in sent:
            assert sender.startswith("SRS0=")
            assert sender.endswith("=signed.test=a@example.test")
            assert message.endswith(signed("a@signed.test"))
            assert message.count(b"Delivered-To: team@example.test\r\n") == 1
            checked = CheckedMessage.of_bytes(message)
            resolver = ScriptedResolver(AUTHENTIC)
            arc = await verify_arc(checked, resolver, now=at.office.clock.now(), settings=DkimSettings())
            assert (arc.result, arc.instances, arc.sealers) == ("pass", 1, ("example.test",))
            assert b"dmarc=pass" in arc.first_results
            [dkim] = await verify_dkim(checked, resolver, now=at.office.clock.now(), settings=DkimSettings())
            assert dkim.result == "pass"


async def test_a_chain_that_came_is_gone_on_with(tmp_path: Path) -> None:
    async with exchange(tmp_path / "one") as first, exchange(tmp_path / "two") as second:
        for at in (first, second):
            await at.alias("team@example.test", "far@remote.test")
        await first.comes("a@signed.test", "team@example.test", signed("a@signed.test"))
        [(sender, _, message)] = await first.sent()
        await second.alias("next@example.test", "far@remote.test")
        assert (await second.comes(sender, "next@example.test", message)).startswith(b"250")
        [(sender, _, message)] = await second.sent()
        assert sender.startswith("SRS0="), "our own return path is local, and stays"
        arc = await verify_arc(
            CheckedMessage.of_bytes(message),
            ScriptedResolver(AUTHENTIC),
            now=second.office.clock.now(),
            settings=DkimSettings(),
        )
        assert (arc.result, arc.instances) == ("pass", 2)


async def test_the_author_changes_only_where_dmarc_would_refuse_the_copy(tmp_path: Path) -> None:
    async with exchange(tmp_path) as at:
        await at.alias("team@example.test", "far@remote.test")
        await at.comes("a@strict.test", "team@example.test", written('"Ann, \\"A\\"" <a@strict.test>'))
        [(_, _, message)] = await at.sent()
        read = email.message_from_bytes(message)
        assert email.utils.parseaddr(read["from"]) == ('Ann, "A" via team@example.test', "team@example.test")
        assert read["x-original-from"] == read["reply-to"] == '"Ann, \\"A\\"" <a@strict.test>'
        assert len(read.get_all("from", [])) == 1
        checked = CheckedMessage.of_bytes(message)
        [dkim] = await verify_dkim(
            checked, ScriptedResolver(AUTHENTIC), now=at.office.clock.now(), settings=DkimSettings()
        )
        assert (dkim.result, dkim.domain) == ("pass", "example.test")
        await at.comes("a@good.test", "team@example.test", written())
        assert email.message_from_bytes((await at.sent(2))[1][2])["from"] == "a@good.test"


async def test_the_author_stays_by_setting(tmp_path: Path) -> None:
    settings = msgspec.structs.replace(SETTINGS, forward=ForwardSettings(rewrite_from="never", srs=False, seal=False))
    async with exchange(tmp_path, settings) as at:
        await at.alias("team@example.test", "far@remote.test")
        await at.comes("a@strict.test", "team@example.test", written("a@strict.test"))
        [(sender, _, message)] = await at.sent()
        assert sender == "a@strict.test"
        assert message.startswith(b"Delivered-To: team@example.test\r\nAuthentication-Results:")


async def test_three_targets_have_three_fates_and_the_sender_learns_of_the_dead_one(tmp_path: Path) -> None:
    async with hook_receiver(None) as receiver, exchange(tmp_path) as at:
        receiver.says("503 Busy", "200 OK")
        hook = f"http://127.0.0.1:{receiver.port}/in"
        await at.alias("team@example.test", "far@remote.test", "gone@nowhere.test", hook)
        await at.comes("a@good.test", "team@example.test", written())
        await receiver.wait_for(1)
        waiting = await at.office.deferred()
        assert waiting.destination == f"{HOOK}127.0.0.1:{receiver.port}"
        assert waiting.last_error == "451 4.4.1 HTTP 503"
        await at.office.pass_time(400)
        [(forward, [far], _), (bounce, [back], notice)] = await at.sent(2)
        assert (far, bounce, back) == ("far@remote.test", "", "a@good.test")
        assert forward.startswith("SRS0=")
        text = notice.decode()
        assert "Final-Recipient: rfc822; team@example.test\r\nAction: failed\r\nStatus: 5.1.2" in text
        assert "nowhere" not in text.partition("Delivered-To")[0], "where the alias leads to is its owner's affair"
        await receiver.wait_for(2)
        assert len({one.headers["webhook-id"] for one in receiver.received}) == 1


@pytest.fixture(autouse=True)
def _good_domain_takes_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    for domain in ("good.test", "signed.test", "loose.test"):
        monkeypatch.setitem(ZONE, domain, {"MX": "10 mx.remote.test."})
    monkeypatch.setitem(ZONE, "nowhere.test", {"TXT": "no mail"})


@pytest.mark.parametrize(
    ("sender", "address"),
    [("a@good.test", "198.51.100.7"), ("a@loose.test", "198.51.100.7"), ("a@strict.test", "198.51.100.7")],
)
async def test_a_sender_who_may_be_forged_is_told_nothing_and_the_owner_is(
    tmp_path: Path, sender: str, address: str
) -> None:
    async with exchange(tmp_path, address=address) as at:
        await at.alias("team@example.test", "gone@nowhere.test")
        author = "b@unknown.test" if sender == "a@strict.test" else sender
        assert (await at.comes(sender, "team@example.test", written(author))).startswith(b"250")
        [notice] = await at.in_mailbox("alice@example.test")
        await at.office.emptied()
        assert at.sink.messages == [], "no backscatter"
        assert notice["to"].endswith("=example.test=alice@example.test")
        assert "team@example.test" in str(notice)


async def test_a_list_is_told_whoever_wrote_to_it(tmp_path: Path) -> None:
    async with exchange(tmp_path) as at:
        await at.alias("team@example.test", "gone@nowhere.test")
        await at.comes("list-bounces@good.test", "team@example.test", written("a@listed.test"))
        [(sender, recipients, _)] = await at.sent()
        assert (sender, recipients) == ("", ["list-bounces@good.test"]), "SPF proves the return path"


async def test_a_forged_sender_is_told_nothing_without_srs_either(tmp_path: Path) -> None:
    settings = msgspec.structs.replace(SETTINGS, forward=ForwardSettings(srs=False))
    async with exchange(tmp_path, settings, address="198.51.100.7") as at:
        await at.alias("team@example.test", "gone@nowhere.test")
        await at.comes("a@good.test", "team@example.test", written())
        await at.in_mailbox("alice@example.test")
        await at.office.emptied()
        assert at.sink.messages == []


async def test_a_notice_that_cannot_be_passed_on_is_not_lost_and_makes_no_other(tmp_path: Path) -> None:
    async with exchange(tmp_path) as at:
        await at.alias("team@example.test", "gone@nowhere.test")
        assert (await at.comes("", "team@example.test", written("mailer-daemon@good.test"))).startswith(b"250")
        [notice] = await at.in_mailbox("alice@example.test")
        await at.office.emptied()
        assert at.sink.messages == []
        assert notice.get_content_type() == "multipart/report"
        text = str(notice)
        assert "gone@nowhere.test" in text, "the owner may know"
        assert "body" in text, "the owner has it from nowhere else"


async def test_bounces_come_back_to_the_sender_and_nothing_else_does(tmp_path: Path) -> None:
    async with exchange(tmp_path) as at:
        await at.alias("team@example.test", "far@remote.test")
        await at.comes("a@good.test", "team@example.test", written())
        [(path, _, _)] = await at.sent()
        assert (await at.comes("", path, written("mailer-daemon@remote.test", 2))).startswith(b"250")
        (_, back) = await at.sent(2)
        assert back[:2] == ("", ["a@good.test"])
        assert (await at.comes("spam@good.test", path, written(number=3))).startswith(b"550 5.7.1")
        forged = path.replace("=a@", "=b@")
        assert (await at.comes("", forged, written(number=4))).startswith(b"550 5.7.1 Not a return path")
        assert (await at.comes(forged, "alice@example.test", written(number=5))).startswith(b"550 5.7.1")
        at.office.clock.advance(22 * DAY)
        assert (await at.comes("", path, written(number=6))).startswith(b"550 5.1.1 The return path has expired")
        await at.sent(2)


async def test_what_comes_back_to_its_alias_is_not_sent_round_again(tmp_path: Path) -> None:
    async with exchange(tmp_path) as at:
        await at.alias("team@example.test", "far@remote.test")
        await at.alias("both@example.test", "far@remote.test", mailbox=True)
        for alias, answer in (("team", b"554 5.4.6"), ("both", b"250")):
            at.sink.messages.clear()
            await at.comes("a@good.test", f"{alias}@example.test", written())
            [(sender, _, message)] = await at.sent()
            assert (await at.comes(sender, f"{alias}@example.test", message)).startswith(answer)
            await at.office.emptied()
            assert len(at.sink.messages) == 1
        assert len(await at.office.made.messages("both@example.test")) == 2


async def test_the_same_message_sent_again_is_not_passed_on_again(tmp_path: Path) -> None:
    async with exchange(tmp_path) as at:
        await at.alias("team@example.test", "far@remote.test")
        for _ in range(3):
            assert (await at.comes("a@good.test", "team@example.test", written())).startswith(b"250")
        await at.sent(1)
        await at.comes("a@good.test", "team@example.test", written(number=2))
        await at.sent(2)
        nameless = b"From: a@good.test\r\nSubject: disk full\r\n\r\nbody\r\n"
        for _ in range(2):
            await at.comes("a@good.test", "team@example.test", nameless)
        await at.sent(4)


async def test_a_host_that_an_alias_names_gets_the_mail_for_the_alias(tmp_path: Path) -> None:
    async with scripted_server() as inner, exchange(tmp_path) as at:
        await at.alias("*@example.test", f"127.0.0.1:{inner.port}")
        await at.comes("a@good.test", "Any.One+tag@example.test", written())
        await at.office.emptied()
        [(sender, recipients, _)] = inner.messages
        assert recipients == ["Any.One+tag@example.test"]
        assert sender.startswith("SRS0=")
        inner.scripts["RCPT"] = ["550 5.1.1 unknown here"]
        await at.comes("a@good.test", "no.one@example.test", written(number=2))
        [(_, back, notice)] = await at.sent()
        assert back == ["a@good.test"]
        assert b"127.0.0.1" not in notice.partition(b"message/delivery-status")[2].partition(b"Received")[0]


async def test_a_host_in_this_network_is_not_reached(tmp_path: Path) -> None:
    async with scripted_server() as inner, exchange(tmp_path, Settings()) as at:
        await at.alias("team@example.test", f"127.0.0.1:{inner.port}")
        await at.comes("a@good.test", "team@example.test", written())
        [(_, back, notice)] = await at.sent()
        assert back == ["a@good.test"]
        assert b"Status: 5.7.1" in notice
        assert inner.connections == 0


async def test_a_dead_webhook_is_tried_until_the_end_and_then_told(tmp_path: Path) -> None:
    async with hook_receiver(None) as receiver, exchange(tmp_path, lifetime=3600.0) as at:
        receiver.says("500 Oops")
        await at.alias("team@example.test", f"http://127.0.0.1:{receiver.port}/")
        await at.comes("a@good.test", "team@example.test", written())
        await at.office.deferred(1)
        await at.office.pass_time(3700)
        [(_, back, notice)] = await at.sent()
        assert back == ["a@good.test"]
        assert b"the system behind this address did not take the message" in notice
        assert b"127.0.0.1" not in notice.partition(b"message/delivery-status")[2].partition(b"Received")[0]


async def test_a_webhook_gets_the_message_with_what_was_found_out(tmp_path: Path) -> None:
    async with hook_receiver(None) as receiver, exchange(tmp_path) as at:
        await at.alias("team@example.test", f"http://127.0.0.1:{receiver.port}/in?a=b")
        await at.comes("a@strict.test", "team+x@example.test", written("Ann <a@strict.test>"))
        await at.office.emptied()
        [request] = receiver.received
        said = msgspec.json.decode(request.body)
        assert said["from"] == {"text": "Ann <a@strict.test>", "value": [{"name": "Ann", "address": "a@strict.test"}]}
        assert (said["subject"], said["text"], said["html"], said["attachments"]) == ("s", "body\r\n", None, [])
        assert said["raw"].endswith(written("Ann <a@strict.test>").decode())
        assert (said["spf"]["result"], said["dmarc"]["result"], said["dkim"]) == (
            "pass",
            "pass",
            {"results": [{"result": "none", "reason": None, "properties": {}}]},
        )
        assert said["recipients"] == ["team+x@example.test"]
        session = said["session"]
        assert (session["recipient"], session["sender"], session["remoteAddress"], session["hostNameAppearsAs"]) == (
            "team+x@example.test",
            "a@strict.test",
            "192.0.2.1",
            "mail.client.test",
        )


async def test_a_worker_that_is_killed_in_the_middle_loses_and_repeats_nothing(tmp_path: Path) -> None:
    async with exchange(tmp_path) as at:
        await at.alias("team@example.test", "far@remote.test", "further@other.test")
        at.sink.hold_at = "RCPT"
        await at.comes("a@good.test", "team@example.test", written())
        await eventually(lambda: at.sink.waiting == 2)
        await at.office.kill_worker()
        at.sink.hold_at = ""
        at.sink.hang_up()
        at.office.start_worker()
        sent = await at.sent(2)
        assert sorted(recipient for _, [recipient], _ in sent) == ["far@remote.test", "further@other.test"]


async def test_what_waits_for_a_mailbox_is_passed_on_when_its_alias_changed_meanwhile(tmp_path: Path) -> None:
    async with exchange(tmp_path) as at:
        await at.alias("team@example.test", "far@remote.test")
        await at.office.send("team@example.test", sender="a@good.test")
        [(sender, [recipient], message)] = await at.sent()
        assert recipient == "far@remote.test"
        assert sender.startswith("SRS0=")
        assert message.startswith(b"Delivered-To: team@example.test\r\n")
