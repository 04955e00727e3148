"""Mail through the whole server: in by the mx, read by POP3, answered by submission, out to a remote domain."""

import email
import poplib
import smtplib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import dkim
import pytest

from support.dns_authority import dns_authority
from support.mailstead_server import MailsteadServer, mailstead_server
from support.programs import require_program
from support.smtp_sink import Sink, smtp_sink


@pytest.fixture
def sink() -> Iterator[Sink]:
    with smtp_sink() as running:
        yield running


@pytest.fixture
def server(tmp_path: Path, sink: Sink) -> Iterator[MailsteadServer]:
    zone = {
        "remote.test": {"MX": "10 mx.remote.test."},
        "mx.remote.test": {"A": "127.0.0.1"},
        "_dmarc.bank.test": {"TXT": "v=DMARC1; p=reject"},
        "lazy.test": {"TXT": "v=spf1 ip4:127.0.0.1 -all"},
        "_dmarc.lazy.test": {"TXT": "v=DMARC1; p=reject"},
    }
    with dns_authority(zone) as authority:
        settings = {
            "MAILSTEAD_DNS_SERVERS": authority.address,
            "MAILSTEAD_QUEUE_REMOTE_PORT": str(sink.port),
            "MAILSTEAD_INSECURE_AUTH": "true",
        }
        with mailstead_server(tmp_path, settings) as running:
            yield running


def fetch_all(server: MailsteadServer, who: str) -> list[bytes]:
    host, port = server.address("pop3s")
    pop = poplib.POP3_SSL(host, port, context=server.client_context())
    try:
        pop.user(f"{who}@example.test")
        pop.pass_(server.password(who))
        count, _ = pop.stat()
        return [b"\r\n".join(pop.retr(number + 1)[1]) + b"\r\n" for number in range(count)]
    finally:
        pop.quit()


def submit(server: MailsteadServer, who: str, recipient: str, message: bytes) -> None:
    host, port = server.address("submission")
    with smtplib.SMTP(host, port) as smtp:
        smtp.starttls(context=server.client_context())
        smtp.login(f"{who}@example.test", server.password(who))
        smtp.sendmail(f"{who}@example.test", [recipient], message)


def test_everybody_was_welcomed(server: MailsteadServer) -> None:
    for who in ("admin", "alice", "bob"):
        (message,) = fetch_all(server, who)
        assert email.message_from_bytes(message)["Subject"] == "Welcome to Mailstead"


def test_swaks_in_pop3_out_and_an_answer(server: MailsteadServer) -> None:
    host, port = server.address("mx")
    command = [str(require_program("swaks")), "--server", host, "--port", str(port), "--to", "alice@example.test"]
    command += ["--from", "carol@remote.test", "--header", "Subject: from outside", "--body", "hello alice"]
    subprocess.run(command, check=True, capture_output=True)
    unknown = subprocess.run([*command, "--to", "nobody@example.test"], capture_output=True, check=False)
    assert b"550 5.1.1" in unknown.stdout
    _, message = fetch_all(server, "alice")
    assert b"hello alice" in message
    submit(
        server,
        "alice",
        "bob@example.test",
        b"From: alice@example.test\r\nSubject: re\r\nBcc: x@y.test\r\n\r\nhi bob\r\n",
    )
    _, answer = fetch_all(server, "bob")
    parsed = email.message_from_bytes(answer)
    assert parsed["Bcc"] is None
    assert parsed["Message-ID"]
    assert parsed["Date"]
    assert answer.endswith(b"\r\n\r\nhi bob\r\n")


def test_mail_to_a_remote_domain_is_signed_twice(server: MailsteadServer, sink: Sink) -> None:
    text = b"From: Alice <alice@example.test>\r\nTo: dave@remote.test\r\nSubject: out\r\n\r\n"
    text += b".dots and  spaces \r\n\r\nend\r\n\r\n\r\n"
    submit(server, "alice", "dave@remote.test", text)
    sink.wait_for(1)
    sender, recipients, message = sink.messages[0]
    assert (sender, recipients) == ("alice@example.test", ["dave@remote.test"])
    records = {
        f"{row['name']}.".encode(): row["record"].encode()
        for row in server.command_json("dkim", "show", "example.test")
    }
    assert message.count(b"DKIM-Signature:") == 2
    for number in range(2):
        verifier = dkim.DKIM(message)
        assert verifier.verify(idx=number, dnsfunc=lambda name, **_: records[name])
    trace = server.command_json("trace", "dave@remote.test")
    assert "taken" in str(trace)
    assert server.command_json("queue", "list") == []


def test_what_a_remote_server_refuses_comes_back_as_a_notice(server: MailsteadServer, sink: Sink) -> None:
    sink.answers["RCPT"] = ["550 5.1.1 no dave here"]
    submit(server, "alice", "dave@remote.test", b"From: alice@example.test\r\nSubject: out\r\n\r\nx\r\n")
    for _ in range(300):
        found = fetch_all(server, "alice")
        if len(found) > 1:
            break
    report = email.message_from_bytes(found[1])
    assert report.get_content_type() == "multipart/report"
    status = report.get_payload(1)
    assert "no dave here" in str(status)
    assert "Action: failed" in str(status)


def test_a_restart_loses_nothing(server: MailsteadServer) -> None:
    before = fetch_all(server, "alice")
    assert server.stop() == 0
    assert not server.ready_file.exists()
    server.start()
    assert fetch_all(server, "alice") == before
    assert server.command_json("status")["running"] is True


def test_services_in_processes_of_their_own_pass_mail_on(tmp_path: Path, server: MailsteadServer) -> None:
    assert server.stop() == 0
    settings = {**server.settings, "MAILSTEAD_BUS_URL": "unix:"}
    parts = [MailsteadServer(server.data, settings, (), (name,)) for name in ("storage", "mx", "smtp", "pop3")]
    try:
        for part in parts:
            part.start()
        host, port = parts[1].address("mx")
        with smtplib.SMTP(host, port) as smtp:
            smtp.sendmail("carol@remote.test", ["bob@example.test"], b"Subject: apart\r\n\r\nover LMTP\r\n")
        host, port = parts[3].address("pop3s")
        pop = poplib.POP3_SSL(host, port, context=parts[3].client_context())
        pop.user("bob@example.test")
        pop.pass_(server.password("bob"))
        assert pop.stat()[0] == 2
        pop.quit()
    finally:
        for part in parts:
            part.kill()


def test_a_forged_author_is_refused_and_a_true_one_is_not(server: MailsteadServer) -> None:
    with smtplib.SMTP(*server.address("mx")) as smtp:
        with pytest.raises(smtplib.SMTPDataError) as refused:
            smtp.sendmail("a@lazy.test", ["alice@example.test"], b"From: boss@bank.test\r\nSubject: pay\r\n\r\nnow\r\n")
        assert refused.value.smtp_code == 550
        assert b"5.7.1 bank.test asks to refuse" in refused.value.smtp_error
        smtp.sendmail("a@lazy.test", ["alice@example.test"], b"From: a@lazy.test\r\nSubject: hi\r\n\r\nyou\r\n")
    _, message = fetch_all(server, "alice")
    parsed = email.message_from_bytes(message)
    assert "dmarc=pass" in parsed["Authentication-Results"]
    assert parsed["Authentication-Results"].startswith("mail.example.test;")
