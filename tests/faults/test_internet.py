"""The whole server on an internet of the test's own; docs/test-internet.md is the table of its cases and their ends."""

import re
import smtplib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.eventually import eventually_sync
from support.internet_world import (
    Case,
    World,
    address,
    bring,
    by_a_list,
    open_world,
    recipient_of,
    sealed,
    signed,
    written,
)

TABLE = Path(__file__).parents[2] / "docs/test-internet.md"

SENT = (
    Case("plain", "The host offers no TLS, and no policy asks for it", "delivered in the clear"),
    Case("self-signed", "The host's certificate is its own, and no policy asks for more", "delivered over TLS"),
    Case("broken-tls", "The handshake with the host fails, and no policy asks for TLS", "delivered in the clear"),
    Case("sts", "MTA-STS in mode enforce, and the certificate is right", "delivered over TLS"),
    Case("sts-stripped", "MTA-STS in mode enforce, and somebody on the way strips STARTTLS", "waits: offers no TLS"),
    Case("sts-wrong", "MTA-STS in mode enforce, and the certificate is for another name", "waits: Hostname mismatch"),
    Case(
        "sts-other-mx", "MTA-STS in mode enforce, and the policy does not name the host", "waits: not among the servers"
    ),
    Case("sts-testing", "MTA-STS in mode testing, and the certificate is for another name", "delivered over TLS"),
    Case("dane", "TLSA records under DNSSEC, and the certificate matches", "delivered over TLS"),
    Case("dane-wrong", "TLSA records under DNSSEC, and the certificate is another", "waits: TLS policy"),
    Case("dane-stripped", "TLSA records under DNSSEC, and somebody on the way strips STARTTLS", "waits: offers no TLS"),
    Case("bogus", "The domain's DNSSEC signatures are forged", "waits: DNS"),
    Case("blackhole", "The only host neither takes nor refuses connections", "waits: timed out"),
    Case("blackhole-first", "The first of two hosts is a black hole", "delivered in the clear"),
    Case("refused-first", "The first of two hosts refuses connections", "delivered in the clear"),
    Case("later", "The host says 451 first and takes the message at the next try", "waits: 451, then delivered once"),
    Case("never", "The host says 550 5.1.1", "returned: 5.1.1"),
    Case("null-mx", "The domain says that it takes no mail", "returned: 5.1.10"),
    Case("no-domain", "There is no such domain", "returned: 5.1.2"),
    Case("postfix", "A Postfix takes the message for a mailbox that it has", "delivered over TLS"),
    Case("postfix-unknown", "A Postfix has no such mailbox", "returned: 5.1.1"),
)
ARRIVING = (
    Case("authorised", "The author's domain publishes p=reject, and SPF passes for it", "taken"),
    Case("forged", "Somebody else writes in that domain's name", "refused: 550 5.7.1"),
    Case("broken-signature", "A list changes a signed message of that domain", "refused: 550 5.7.1"),
    Case("sealed-by-trusted", "The same, sealed with ARC by a list that the setting trusts", "taken"),
    Case("sealed-by-stranger", "The same, sealed by a list that nobody trusts", "refused: 550 5.7.1"),
    Case("from-postfix", "A Postfix brings a message over TLS, its SPF passes", "taken"),
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_world(tmp_path_factory.mktemp("internet"), SENT) as opened:
        yield opened


@pytest.mark.parametrize("case", SENT, ids=[case.name for case in SENT])
def test_mail_that_is_sent(world: World, case: Case) -> None:
    recipient = recipient_of(case.name)
    arrived = world.delivered_to(case.name)
    row = world.waiting.get(recipient)
    if case.end.startswith("delivered"):
        if case.name == "postfix":  # the Postfix passes it on by itself, in the clear
            eventually_sync(lambda: world.delivered_to("postfix"), pause=0.05)
            steps = str(world.server.command_json("trace", recipient))
            assert "handed to mx.postfix.plain.test over TLS" in steps
            return
        assert row is None
        assert arrived == [(case.end.endswith("over TLS"), case.name)]
    elif case.end.startswith("waits"):
        assert arrived == []
        assert row is not None, "it was given up or delivered"
        why = case.end.partition(": ")[2].partition(",")[0]
        assert why.lower() in row["last_error"].lower()
        if "then delivered" in case.end:
            world.server.command("queue", "retry", row["queue_id"])
            eventually_sync(lambda: world.delivered_to(case.name), pause=0.05)
            assert world.delivered_to(case.name) == [(False, case.name)]
    else:
        assert (arrived, row) == ([], None)
        status = case.end.partition(": ")[2]

        def notice() -> list[str]:
            return [text for text in world.mailbox("alice") if f"Final-Recipient: rfc822; {recipient}" in text]

        eventually_sync(notice, pause=0.2)
        (found,) = notice()
        assert f"\nStatus: {status}\r" in found


def test_what_failed_in_testing_is_collected_for_the_domains_report(world: World) -> None:
    assert "STARTTLS" in world.made["sts-testing"].verbs
    assert world.made["sts-testing"].connections == 2  # as the policy would have it, and then as it is


ACTIONS: dict[str, Callable[[World], str]] = {
    "authorised": lambda world: bring(world, address("author"), "writer@author.plain.test", written("authorised")),
    "forged": lambda world: bring(world, address("forger"), "writer@author.plain.test", written("forged")),
    "broken-signature": lambda world: bring(
        world, address("list"), "bounce@list.plain.test", by_a_list(signed(world, written("broken-signature")))
    ),
    "sealed-by-trusted": lambda world: bring(
        world,
        address("list"),
        "bounce@list.plain.test",
        sealed(world, signed(world, written("sealed-by-trusted")), "list.plain.test"),
    ),
    "sealed-by-stranger": lambda world: bring(
        world,
        address("list"),
        "bounce@stranger.plain.test",
        sealed(world, signed(world, written("sealed-by-stranger")), "stranger.plain.test"),
    ),
}


def by_postfix(world: World) -> str:
    message = b"From: dave@postfix.plain.test\r\nTo: alice@example.test\r\nSubject: from-postfix\r\n\r\nHello.\r\n"
    with smtplib.SMTP(address("postfix"), world.postfix_port) as smtp:
        smtp.sendmail("dave@postfix.plain.test", ["alice@example.test"], message)

    def is_there() -> bool:
        return any("Subject: from-postfix" in text for text in world.mailbox("alice"))

    eventually_sync(is_there, pause=0.2)
    return "250 passed on"


ACTIONS["from-postfix"] = by_postfix


@pytest.mark.parametrize("case", ARRIVING, ids=[case.name for case in ARRIVING])
def test_mail_that_arrives(world: World, case: Case) -> None:
    said = ACTIONS[case.name](world)
    there = [text for text in world.mailbox("alice") if case.name in text and "Subject: " in text]
    arrived = [text for text in there if re.search(rf"^Subject: (\[list\] )?{case.name}\r?$", text, re.MULTILINE)]
    if case.end == "taken":
        assert said.startswith("250")
        (message,) = arrived
        found = re.search(
            r"^Authentication-Results: mail\.example\.test;.*?(?=\r\n\S)", message, re.DOTALL | re.MULTILINE
        )
        assert found is not None
        results = found[0]
        assert ("dmarc=pass" in results) is (case.name == "authorised")
        if case.name == "from-postfix":
            assert "spf=pass" in results
            assert "ESMTPS" in message
        if case.name.startswith("sealed"):
            assert "arc=pass" in results
    else:
        assert said.startswith(case.end.partition(": ")[2])
        assert arrived == []


def table() -> str:
    """The cases as they stand in the documentation."""
    lines = []
    for title, cases in (("Mail that is sent", SENT), ("Mail that arrives", ARRIVING)):
        lines += [f"## {title}", "", "| case | what happens | how it ends |", "|---|---|---|"]
        lines += [f"| {case.name} | {case.happens} | {case.end} |" for case in cases]
        lines.append("")
    return "\n".join(lines)


def test_the_table_in_the_documentation_is_this_one() -> None:
    assert table() in TABLE.read_text("utf-8")
