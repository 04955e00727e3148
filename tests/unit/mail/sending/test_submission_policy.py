"""Sending policy where mail is submitted, over SMTP and by the web's agent."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from mailstead.administration.actor import COMMAND_LINE, Actor
from mailstead.administration.sending import set_undo, show_waiting, take_back
from mailstead.foundation.clock import ManualClock
from mailstead.foundation.config.sections.dns import DnsSettings
from mailstead.foundation.config.sections.sending import SendingSettings
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.dns.resolver import Resolver
from mailstead.foundation.errors import LimitExceededError, NotFoundError
from mailstead.mail.outbound.agent import SubmissionAgent
from mailstead.mail.sending.policy import SendingPolicy, TooFarAheadError
from mailstead.mail.sending.suppression import SuppressedError
from mailstead.mail.sending.undo import TooLateError
from mailstead.protocols.smtp.roles.submission import SubmissionRole
from support.dns_authority import dns_authority
from support.installation import HOSTNAME, Installation, installation
from support.smtp_dialogue import Dialogue, Smtp, smtp

ALICE = "alice@example.test"
NOW = 1_800_000_000.0
MESSAGE = b"From: alice@example.test\r\nSubject: x\r\n\r\nhello\r\n"


@asynccontextmanager
async def submission(folder: Path, **options: float) -> AsyncIterator[tuple[Installation, Smtp, Dialogue]]:
    settings = Settings(sending=msgspec.convert(options, SendingSettings))
    async with installation(folder, settings, ManualClock(NOW)) as made, smtp(made) as opened:
        with dns_authority() as authority:
            resolver = Resolver((authority.address,), DnsSettings(), made.clock)
            policy = SendingPolicy(
                made.directory, made.documents, made.bus, resolver, settings.sending, HOSTNAME, made.clock
            )
            opened.services = msgspec.structs.replace(opened.services, sending=policy)
            talk = Dialogue(SubmissionRole(opened.services), tls=True)
            login = base64.b64encode(f"\0{ALICE}\0{made.passwords[ALICE]}".encode()).decode()
            talk.ehlo = (await talk.say(b"EHLO laptop\r\n")).decode()
            assert (await talk.say(f"AUTH PLAIN {login}\r\n".encode())).startswith(b"235")
            yield made, opened, talk
            talk.session.end()


async def submit(talk: Dialogue, *recipients: str, parameters: str = "") -> list[str]:
    """The codes of MAIL, each RCPT, and the end of the message."""
    said = [await talk.say(f"MAIL FROM:<{ALICE}>{parameters}\r\n".encode())]
    for recipient in recipients:
        said.append(await talk.say(f"RCPT TO:<{recipient}>\r\n".encode()))
    if (await talk.say(b"DATA\r\n")).startswith(b"354"):
        said.append(await talk.say(MESSAGE + b".\r\n"))
    await talk.say(b"RSET\r\n")
    return [" ".join(line.decode().split()[:2]) for line in said]


async def test_the_days_limit_is_a_temporary_reply_that_says_so(tmp_path: Path) -> None:
    async with submission(tmp_path, account_daily=2) as (_, opened, talk):
        assert await submit(talk, "a@remote.test", "b@remote.test") == [
            "250 2.1.0",
            "250 2.1.5",
            "250 2.1.5",
            "250 2.0.0",
        ]
        assert await submit(talk, "bob@example.test") == ["250 2.1.0", "250 2.1.5", "250 2.0.0"]  # here costs nothing
        assert await submit(talk, "c@remote.test") == ["250 2.1.0", "250 2.1.5", "450 4.7.1"]
        assert await opened.queue.count() == 1


async def test_suppressed_recipients_are_refused_one_by_one(tmp_path: Path) -> None:
    async with submission(tmp_path) as (_, opened, talk):
        assert opened.services.sending is not None
        await opened.services.sending.suppressions.add("example.test", "a@remote.test", "complaint", "spam")
        said = await submit(talk, "a@remote.test", "b@remote.test")
        assert said == ["250 2.1.0", "550 5.7.1", "250 2.1.5", "250 2.0.0"]
        (waiting,) = await opened.queue.list_all()
        assert [one.address for one in waiting.recipients] == ["b@remote.test"]


def until(seconds: float) -> str:
    return datetime.fromtimestamp(NOW + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_future_release_waits_for_those_here_too(tmp_path: Path) -> None:
    async with submission(tmp_path, future_release=3600.0) as (made, opened, talk):
        assert f"250-FUTURERELEASE 3600 {until(3600)}\r\n" in talk.ehlo
        said = await submit(talk, "bob@example.test", "a@remote.test", parameters=" HOLDFOR=600")
        assert said == ["250 2.1.0", "250 2.1.5", "250 2.1.5", "250 2.0.0"]
        assert await made.messages("bob@example.test") == []
        assert {one.due_at for one in await opened.queue.list_all()} == {NOW + 600}
        assert (await submit(talk, "a@remote.test", parameters=f" HOLDUNTIL={until(60)}"))[0] == "250 2.1.0"
        asked = {one.envelope.hold_request for one in await opened.queue.list_all()}
        assert asked == {"for;600", f"until;{until(60)}"}
        assert (await submit(talk, "bob@example.test", parameters=f" HOLDUNTIL={until(-60)}"))[-1] == "250 2.0.0"
        assert len(await made.messages("bob@example.test")) == 1


@pytest.mark.parametrize(
    "parameters",
    ["HOLDFOR=3601", "HOLDFOR=0", "HOLDFOR=x", f"HOLDUNTIL={until(3601)}", "HOLDUNTIL=tomorrow", "HOLDUNTIL=2027-01-15",
     f"HOLDFOR=60 HOLDUNTIL={until(60)}", f"HOLDUNTIL={until(60)} HOLDFOR=60", "HOLDFOR=60 HOLDFOR=60"],
)  # fmt: skip
async def test_a_bad_hold_is_a_syntax_error(tmp_path: Path, parameters: str) -> None:
    async with submission(tmp_path, future_release=3600.0) as (_, _, talk):
        assert (await talk.say(f"MAIL FROM:<{ALICE}> {parameters}\r\n".encode())).startswith(b"501 5.5.4")


async def test_without_the_setting_it_is_not_offered(tmp_path: Path) -> None:
    async with submission(tmp_path, future_release=0.0) as (_, _, talk):
        assert "FUTURERELEASE" not in talk.ehlo
        assert (await talk.say(f"MAIL FROM:<{ALICE}> HOLDFOR=1\r\n".encode())).startswith(b"501")


def agent_of(made: Installation, opened: Smtp) -> SubmissionAgent:
    return SubmissionAgent(
        made.directory, opened.services.router, made.trace, made.settings, HOSTNAME, made.folder, made.clock,
        opened.services.sending,
    )  # fmt: skip


async def send(agent: SubmissionAgent, *recipients: str, send_at: float = 0.0) -> str:
    submitted = await agent.submit(
        user_id=f"user-{ALICE}", sender=ALICE, recipients=recipients, message=MESSAGE, service="web", send_at=send_at
    )
    return submitted.trace_id


async def test_what_waits_can_be_taken_back_by_its_sender_until_its_time(tmp_path: Path) -> None:
    alice, bob = Actor(ALICE, "user", f"user-{ALICE}"), Actor("bob", "user", "user-bob@example.test")
    async with submission(tmp_path) as (made, opened, _):
        administration, agent = made.administration, agent_of(made, opened)
        await set_undo(administration, alice, ALICE, 30)
        trace_id = await send(agent, "bob@example.test", "a@remote.test")
        waiting = await show_waiting(administration, alice, opened.queue, trace_id)
        assert (waiting.release_at, sorted(waiting.recipients)) == (NOW + 30, ["a@remote.test", "bob@example.test"])
        with pytest.raises(NotFoundError):
            await take_back(administration, bob, opened.queue, trace_id)
        taken = await take_back(administration, alice, opened.queue, trace_id)
        assert taken.message.endswith(MESSAGE)
        assert await opened.queue.count() == 0
        assert list(opened.queue.files.folder.glob("*.eml")) == []
        with pytest.raises(NotFoundError):
            await take_back(administration, alice, opened.queue, trace_id)
        late = await send(agent, "bob@example.test", "a@remote.test")
        assert isinstance(made.clock, ManualClock)
        made.clock.advance(30)
        with pytest.raises(TooLateError):
            await take_back(administration, alice, opened.queue, late)
        assert {one.state for one in await opened.queue.list_all()} == {"ready"}


async def test_nothing_is_taken_back_when_a_part_is_on_its_way(tmp_path: Path) -> None:
    async with submission(tmp_path, undo=30.0) as (made, opened, _):
        trace_id = await send(agent_of(made, opened), "bob@example.test", "a@remote.test")
        one = next(one for one in await opened.queue.list_all() if one.destination == "remote.test")
        assert await opened.queue.claim("remote.test", "worker", NOW + 31, 60) is not None
        with pytest.raises(TooLateError):
            await take_back(made.administration, COMMAND_LINE, opened.queue, trace_id)
        states = {other.id: other.state for other in await opened.queue.list_all()}
        assert states.pop(one.id) == "claimed"
        assert set(states.values()) == {"ready"}


async def test_the_agent_keeps_to_the_same_policy(tmp_path: Path) -> None:
    async with submission(tmp_path, account_daily=1, future_release=60.0) as (made, opened, _):
        agent = agent_of(made, opened)
        with pytest.raises(TooFarAheadError):
            await send(agent, "a@remote.test", send_at=NOW + 61)
        assert opened.services.sending is not None
        await opened.services.sending.suppressions.add("example.test", "x@remote.test", "manual", "no")
        with pytest.raises(SuppressedError):
            await send(agent, "x@remote.test")
        await send(agent, "a@remote.test", send_at=NOW + 60)
        with pytest.raises(LimitExceededError):
            await send(agent, "a@remote.test")
