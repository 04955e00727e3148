"""Reports and our MTA-STS policy on the whole server."""

import email
import http.client
import json
import poplib
import smtplib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from mailstead.mail.authentication.mtasts.policy import new_policy_id, parse_policy
from support.dns_authority import dns_authority
from support.mailstead_server import MailsteadServer, mailstead_server
from support.reporting import arf

REPORTS = "mail-reports@example.test"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailsteadServer]:
    folder: Path = tmp_path_factory.mktemp("reports")
    with (
        dns_authority({"provider.test": {"TXT": "v=spf1 ip4:127.0.0.1 -all"}}) as authority,
        mailstead_server(
            folder, {"MAILSTEAD_DNS_SERVERS": authority.address, "MAILSTEAD_SENDING_LIST_UNSUBSCRIBE": "true"}
        ) as running,
    ):
        yield running


def send(server: MailsteadServer, message: bytes, *recipients: str) -> tuple[int, bytes]:
    host, port = server.address("mx")
    with smtplib.SMTP(host, port) as smtp:
        smtp.ehlo("provider.test")
        smtp.mail("fbl@provider.test")
        for recipient in recipients:
            assert smtp.rcpt(recipient)[0] == 250
        return smtp.data(message)


def test_a_report_is_taken_and_shown_and_other_mail_refused(server: MailsteadServer) -> None:
    assert send(server, arf("<nothing@example.test>"), REPORTS)[0] == 250
    (listed,) = server.command_json("reports", "list")
    assert (listed["kind"], listed["domain"], listed["text"]) == ("feedback", "example.test", "abuse")
    shown = server.command_json("reports", "show", listed["id"])
    assert "Message-ID: <nothing@example.test>" in shown["report"]["original_header"]
    assert server.command_json("reports", "summary", "example.test")["complaints"] == 1
    code, text = send(server, b"Subject: hi\r\n\r\nhello\r\n", REPORTS)
    assert (code, text[:5]) == (550, b"5.6.0")


def test_other_recipients_of_such_mail_get_it(server: MailsteadServer) -> None:
    assert send(server, b"Subject: both\r\n\r\nhello\r\n", REPORTS, "alice@example.test")[0] == 250
    steps = server.command_json("trace", REPORTS)
    assert any("takes DMARC, TLS and abuse reports only" in str(way) for way in steps)


@pytest.mark.parametrize(
    ("host", "status"), [("mta-sts.example.test", 200), ("mta-sts.other.test", 404), ("example.test", 404)]
)
def test_the_policy_is_served_at_the_domains_policy_host(server: MailsteadServer, host: str, status: int) -> None:
    connection = http.client.HTTPSConnection(*server.address("https"), context=server.client_context())
    connection.request("GET", "/.well-known/mta-sts.txt", headers={"Host": host})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.status == status
    if status == 200:
        assert (answer.headers["Content-Type"] or "").startswith("text/plain")
        policy = parse_policy(body.decode())
        assert (policy.mode, policy.mx) == ("testing", ("mail.example.test",))
        records = server.command_json("dns", "records", "example.test")
        (announced,) = [one["value"] for one in records if one["name"] == "_mta-sts.example.test"]
        assert announced == f"v=STSv1; id={new_policy_id(policy)}"


def test_the_doctor_says_what_is_wrong_and_what_helps(server: MailsteadServer) -> None:
    done = server.command("doctor", "tls", "disk", "documents", "bus", "queue", "--json")
    found = json.loads(done.stdout)
    by_subject = {one["subject"].partition(":")[0]: one for one in found["findings"] if one["check"] == "tls"}
    assert {"mx", "submission", "submissions", "imap", "imaps", "pop3", "pop3s", "https"} <= set(by_subject)
    assert all(one["text"].startswith("Grade D: TLSv1.3") for one in by_subject.values()), by_subject
    assert found["status"] in ("ok", "warning")
    assert sum(found["counts"].values()) == len(found["findings"])
    failed = server.command("doctor", "tls", "no-such-check", check=False)
    assert failed.returncode == 1
    assert b"No such check" in failed.stderr


def test_one_click_takes_a_recipient_off_bulk_mail(server: MailsteadServer) -> None:
    host, port = server.address("submission")
    bulk = b"From: alice@example.test\r\nTo: bob@example.test\r\nSubject: news\r\nPrecedence: bulk\r\n\r\nnews\r\n"
    with smtplib.SMTP(host, port) as smtp:
        smtp.starttls(context=server.client_context())
        smtp.login("alice@example.test", server.password("alice"))
        smtp.sendmail("alice@example.test", ["bob@example.test"], bulk)
    host, port = server.address("pop3s")
    pop = poplib.POP3_SSL(host, port, context=server.client_context())
    pop.user("bob@example.test")
    pop.pass_(server.password("bob"))
    message = email.message_from_bytes(b"\r\n".join(pop.retr(pop.stat()[0])[1]))
    pop.quit()
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    path = urlsplit(str(message["List-Unsubscribe"]).strip("<>")).path

    def ask(method: str, where: str) -> int:
        connection = http.client.HTTPSConnection(*server.address("https"), context=server.client_context())
        form = {"Content-Type": "application/x-www-form-urlencoded"} if method == "POST" else {}
        connection.request(method, where, "List-Unsubscribe=One-Click" if form else None, form)
        status = connection.getresponse().status
        connection.close()
        return status

    assert ask("GET", path) == 200
    assert server.command_json("suppression", "list") == []  # programs that look at links do no harm
    assert ask("POST", f"{path}x") == 404
    assert ask("POST", path) == 200
    (listed,) = server.command_json("suppression", "list")
    assert (listed["address"], listed["domain"], listed["reason"]) == (
        "bob@example.test",
        "example.test",
        "unsubscribe",
    )
    server.command("suppression", "remove", "bob@example.test", "--domain", "example.test")
