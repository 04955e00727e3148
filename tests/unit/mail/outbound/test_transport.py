"""One attempt at a remote server: what each stage's failure means for the recipients."""

import ssl
from pathlib import Path

import pytest

from mailstead.foundation.config.sections.tls import TlsSettings
from mailstead.foundation.spool import Spool
from mailstead.foundation.tls.authority import ensure_local_authority
from mailstead.foundation.tls.contexts import TLSContexts
from mailstead.mail.envelope import Envelope, EnvelopeRecipient
from mailstead.mail.outbound.files import QueueFiles
from mailstead.mail.outbound.verdict import Attempt
from support.dns_authority import Failure
from support.installation import HOSTNAME
from support.post_office import MESSAGE, PostOffice, post_office
from support.scripted_smtp import EXTENSIONS, scripted_server

WIDE_HEADER = "From: alice@example.test\r\nSubject: größer\r\n\r\nhi\r\n".encode()


async def attempt(
    office: PostOffice,
    *addresses: str,
    message: bytes = MESSAGE,
    sender: str = "alice@example.test",
    smtputf8: bool = False,
    destination: str = "remote.test",
) -> Attempt:
    files = QueueFiles(office.made.folder / "files", bytes(32))
    files.open()
    recipients = tuple(EnvelopeRecipient(address) for address in addresses or ("dave@remote.test",))
    with Spool(100_000, office.made.folder) as spool:
        spool.append(message)
        await files.write("m", spool)
    transport = office.transport()
    try:
        with files.read("m", len(message)) as queued:
            return await transport.attempt(
                destination, Envelope(sender=sender, recipients=recipients, smtputf8=smtputf8), queued
            )
    finally:
        await transport.close()
        files.close()


def summary(found: Attempt) -> list[tuple[str, str]]:
    return [(verdict.outcome, verdict.status) for verdict in found.verdicts]


STAGES = [
    ("CONNECT", "421 4.3.2 busy", ("deferred", "4.3.2")),
    ("CONNECT", "554 5.7.1 no entry", ("deferred", "4.7.1")),  # the host, not the message: RFC 5321 §3.1
    ("CONNECT", "521 5.3.2 no mail here", ("failed", "5.3.2")),
    ("CONNECT", "", ("deferred", "4.4.2")),
    ("CONNECT", "hello there", ("deferred", "4.5.0")),
    ("EHLO", "421 4.3.2 busy", ("deferred", "4.3.2")),
    ("EHLO", "", ("deferred", "4.4.2")),
    ("MAIL", "451 4.3.0 later", ("deferred", "4.3.0")),
    ("MAIL", "550 5.7.1 not you", ("failed", "5.7.1")),
    ("MAIL", "354 what", ("deferred", "4.5.0")),
    ("MAIL", "", ("deferred", "4.4.2")),
    ("RCPT", "450 4.2.1 later", ("deferred", "4.2.1")),
    ("RCPT", "550 5.1.1 nobody", ("failed", "5.1.1")),
    ("RCPT", "550 nobody", ("failed", "5.0.0")),
    ("RCPT", "421 4.4.2 gone", ("deferred", "4.4.2")),
    ("RCPT", "", ("deferred", "4.4.2")),
    ("DATA", "451 4.3.0 later", ("deferred", "4.3.0")),
    ("DATA", "554 5.6.0 never", ("failed", "5.6.0")),
    ("DATA", "250 2.0.0 what", ("deferred", "4.5.0")),
    ("DATA", "", ("deferred", "4.4.2")),
    ("DOT", "452 4.3.1 full", ("deferred", "4.3.1")),
    ("DOT", "554 5.7.1 spam", ("failed", "5.7.1")),
    ("DOT", "354 what", ("deferred", "4.5.0")),
    ("DOT", "", ("deferred", "4.4.2")),
]


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize(("stage", "said", "expected"), STAGES)
async def test_each_stage_may_fail(
    tmp_path: Path, stage: str, said: str, expected: tuple[str, str], pipelining: bool
) -> None:
    extensions = tuple(one for one in EXTENSIONS if pipelining or one != "PIPELINING")
    async with scripted_server(extensions=extensions) as sink, post_office(tmp_path, sink.port) as office:
        sink.scripts[stage] = [said]
        assert summary(await attempt(office)) == [expected]
        assert sink.messages == [] or (stage, said) == ("DOT", "")


async def test_a_server_that_knows_no_ehlo_is_asked_with_helo(tmp_path: Path) -> None:
    async with scripted_server() as sink, post_office(tmp_path, sink.port) as office:
        sink.scripts["EHLO"] = ["502 5.5.1 what"]
        assert summary(await attempt(office)) == [("delivered", "2.0.0")]
        assert "MAIL FROM:<alice@example.test>" in sink.lines


async def test_a_server_that_leaves_between_replies_has_settled_those_before(tmp_path: Path) -> None:
    for going in ("", "421 4.3.2 going down"):
        async with scripted_server() as sink, post_office(tmp_path / f"at{going[:3]}", sink.port) as office:
            sink.scripts["RCPT"] = ["550 5.1.1 nobody", "250 ok", going]
            found = await attempt(office, "a@remote.test", "b@remote.test", "c@remote.test")
            assert [verdict.outcome for verdict in found.verdicts] == ["failed", "deferred", "deferred"]
            assert "DATA" not in sink.verbs


async def test_a_silent_server_is_left_after_the_timeout(tmp_path: Path) -> None:
    async with scripted_server() as sink, post_office(tmp_path, sink.port, command_timeout=0.05) as office:
        sink.hold_at = "EHLO"
        found = await attempt(office)
        assert summary(found) == [("deferred", "4.4.2")]
        assert found.unreachable


async def test_the_next_server_is_tried_when_one_turns_everybody_away(tmp_path: Path) -> None:
    async with scripted_server() as sink, post_office(tmp_path, sink.port) as office:
        office.authority.put("remote.test", "MX", "10 busy.remote.test.", "20 away.remote.test.", "30 mx.remote.test.")
        office.authority.put("busy.remote.test", "A", "127.0.0.1")
        office.authority.put("away.remote.test", "A", "127.0.0.9")  # nobody listens there
        sink.scripts["CONNECT"] = ["554 5.7.1 no entry"]
        found = await attempt(office)
        assert [(one.outcome, one.remote_host) for one in found.verdicts] == [("delivered", "mx.remote.test")]
        sink.scripts["CONNECT"] = [""] * 9
        found = await attempt(office)
        assert found.verdicts[0].outcome == "deferred"
        assert "127.0.0.9" in found.unreachable


async def test_a_server_that_answered_for_the_message_is_the_last(tmp_path: Path) -> None:
    async with scripted_server() as sink, post_office(tmp_path, sink.port) as office:
        office.authority.put("remote.test", "MX", "10 mx.remote.test.", "20 mx.other.test.")
        sink.scripts["RCPT"] = ["450 4.2.1 greylisted"]
        assert summary(await attempt(office)) == [("deferred", "4.2.1")]
        assert sink.connections == 1


@pytest.mark.parametrize(
    ("zone", "domain", "expected"),
    [
        ({"null.test": {"MX": "0 ."}}, "null.test", ("failed", "5.1.10")),
        ({"other.test": {"A": "127.0.0.1"}}, "nowhere.test", ("failed", "5.1.2")),
        ({"bare.test": {"TXT": "x"}}, "bare.test", ("failed", "5.1.2")),
        ({"bad.test": {"MX": "10 gone.bad.test."}}, "bad.test", ("failed", "5.1.2")),
        ({"loop.test": {"MX": [f"10 {HOSTNAME}.", "20 mx.loop.test."]}}, "loop.test", ("failed", "5.4.6")),
        ({}, HOSTNAME, ("failed", "5.4.6")),
        ({}, "a..b", ("failed", "5.1.2")),
        ({}, "[127.0.0.999]", ("failed", "5.1.3")),
        ({}, "[ipv6:zz]", ("failed", "5.1.3")),
        ({"plain.test": {"A": "127.0.0.1"}}, "plain.test", ("delivered", "2.0.0")),  # implicit MX
        ({}, "[127.0.0.1]", ("delivered", "2.0.0")),
        (
            {"alias.test": {"CNAME": "plain.test."}, "plain.test": {"A": "127.0.0.1"}},
            "alias.test",
            ("delivered", "2.0.0"),
        ),
    ],
)
async def test_what_dns_says(tmp_path: Path, zone: object, domain: str, expected: tuple[str, str]) -> None:
    async with scripted_server() as sink, post_office(tmp_path, sink.port, zone=zone) as office:
        assert summary(await attempt(office, f"dave@{domain}", destination=domain)) == [expected]
        assert bool(sink.messages) == (expected[0] == "delivered")


async def test_dns_that_does_not_answer_says_nothing_for_good(tmp_path: Path) -> None:
    async with scripted_server() as sink, post_office(tmp_path, sink.port) as office:
        office.authority.fail("remote.test", Failure.SERVFAIL)
        assert summary(await attempt(office)) == [("deferred", "4.4.3")]
        office.authority.put("half.test", "MX", "10 broken.test.", "20 mx.remote.test.")
        office.authority.fail("broken.test", Failure.SERVFAIL)
        assert summary(await attempt(office, "dave@half.test", destination="half.test")) == [("delivered", "2.0.0")]
        office.authority.put("half.test", "MX", "10 broken.test.")
        assert summary(await attempt(office, "dave@half.test", destination="half.test")) == [("deferred", "4.4.3")]


async def test_better_servers_than_this_one_are_used_and_worse_ones_never(tmp_path: Path) -> None:
    async with scripted_server() as sink, post_office(tmp_path, sink.port) as office:
        office.authority.put("remote.test", "MX", "10 mx.remote.test.", f"20 {HOSTNAME}.", "30 mx.other.test.")
        sink.scripts["CONNECT"] = [""]
        assert [one.remote_host for one in (await attempt(office)).verdicts] == ["mx.remote.test"]
        assert sink.connections == 1


async def test_a_server_that_calls_itself_by_our_name_is_us(tmp_path: Path) -> None:
    async with scripted_server(name=HOSTNAME.upper()) as sink, post_office(tmp_path, sink.port) as office:
        assert summary(await attempt(office)) == [("failed", "5.4.6")]


@pytest.mark.parametrize(
    ("lacks", "message", "addresses", "smtputf8", "expected"),
    [
        (
            "SMTPUTF8",
            MESSAGE,
            ["dävid@remote.test", "dave@remote.test"],
            True,
            [("delivered", "2.0.0"), ("failed", "5.6.7")],
        ),
        ("SMTPUTF8", WIDE_HEADER, ["dave@remote.test"], True, [("failed", "5.6.9")]),
        ("SMTPUTF8", MESSAGE, ["dave@remote.test"], True, [("delivered", "2.0.0")]),  # declared, not needed
        ("8BITMIME", WIDE_HEADER, ["dave@remote.test"], False, [("failed", "5.6.3")]),
        ("8BITMIME", MESSAGE, ["dave@remote.test"], False, [("delivered", "2.0.0")]),
        ("SIZE", MESSAGE, ["dave@remote.test"], False, [("failed", "5.3.4")]),
        ("", WIDE_HEADER, ["dävid@remote.test"], True, [("delivered", "2.0.0")]),
    ],
)
async def test_what_a_server_cannot_carry_goes_back_with_the_right_code(
    tmp_path: Path,
    lacks: str,
    message: bytes,
    addresses: list[str],
    smtputf8: bool,
    expected: list[tuple[str, str]],
) -> None:
    extensions = tuple(one for one in EXTENSIONS if not lacks or not one.startswith(lacks))
    if lacks == "SIZE":
        extensions += ("SIZE 20",)
    async with scripted_server(extensions=extensions) as sink, post_office(tmp_path, sink.port) as office:
        found = await attempt(office, *addresses, message=message, smtputf8=smtputf8)
        assert sorted(summary(found)) == sorted(expected)
        assert [body for _, _, body in sink.messages] == [message] * any(one == "delivered" for one, _ in expected)


async def test_an_internationalised_domain_needs_no_smtputf8(tmp_path: Path) -> None:
    extensions = tuple(one for one in EXTENSIONS if one != "SMTPUTF8")
    zone = {"xn--grn-ioa.test": {"A": "127.0.0.1"}}
    async with scripted_server(extensions=extensions) as sink, post_office(tmp_path, sink.port, zone=zone) as office:
        found = await attempt(office, "dave@grün.test", destination="xn--grn-ioa.test")
        assert summary(found) == [("delivered", "2.0.0")]
        assert sink.recipients() == ["dave@xn--grn-ioa.test"]


async def test_a_bare_line_break_is_never_sent(tmp_path: Path) -> None:
    for message in (b"Subject: x\r\n\r\na\nb\r\n", b"Subject: x\r\n\r\na\r\n.\rb\r\n", b"Subject: x\r\n\r\nend\r"):
        async with scripted_server() as sink, post_office(tmp_path / str(len(message)), sink.port) as office:
            assert summary(await attempt(office, message=message)) == [("failed", "5.6.3")]
            assert sink.messages == []


def server_context(folder: Path) -> ssl.SSLContext:
    ensure_local_authority(folder, ("mx.remote.test",))
    return TLSContexts(folder, TlsSettings()).server()


async def test_tls_is_used_where_it_is_offered(tmp_path: Path) -> None:
    extensions = (*EXTENSIONS, "STARTTLS")
    tls = server_context(tmp_path / "sink")
    async with scripted_server(extensions=extensions, tls=tls) as sink, post_office(tmp_path, sink.port) as office:
        found = await attempt(office)
        assert summary(found) == [("delivered", "2.0.0")]
        assert found.verdicts[0].encrypted
        assert sink.encrypted == [True]


class NoTls(ssl.SSLContext):
    """A context whose handshakes fail: it has no certificate."""


@pytest.mark.parametrize(("may_fall_back", "refusal"), [(True, ""), (False, ""), (True, "454 no"), (False, "454 no")])
async def test_only_where_it_is_permitted_mail_goes_in_the_clear_after_tls_failed(
    tmp_path: Path, may_fall_back: bool, refusal: str
) -> None:
    broken = NoTls(ssl.PROTOCOL_TLS_SERVER)
    extensions = (*EXTENSIONS, "STARTTLS")
    async with (
        scripted_server(extensions=extensions, tls=broken) as sink,
        post_office(tmp_path, sink.port, tls_fallback=may_fall_back) as office,
    ):
        if refusal:
            sink.scripts["STARTTLS"] = [refusal]
        found = await attempt(office)
        assert summary(found) == ([("delivered", "2.0.0")] if may_fall_back else [("deferred", "4.7.0")])
        assert sink.encrypted == [False] * may_fall_back


async def test_the_relay_gets_the_password_over_tls_or_on_this_host_only(tmp_path: Path) -> None:
    async with scripted_server() as sink:
        relay = f"smtp://me:secret@127.0.0.1:{sink.port}"
        async with post_office(tmp_path, 1, relay_url=relay) as office:
            sink.scripts["AUTH"] = ["535 5.7.8 wrong"]
            found = await attempt(office)
            assert [one.outcome for one in found.verdicts] == ["deferred"]
            assert "refused the login" in found.verdicts[0].text
            assert summary(await attempt(office)) == [("delivered", "2.0.0")]
            assert sink.verbs["AUTH"] == 2
