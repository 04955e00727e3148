"""`mailstead check`."""

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailstead.mail.authentication.dkim.sign import sign
from support.command_line import CommandLine
from support.dkim_keys import ed25519_key, signing_key
from support.dns_authority import Authority, Failure, dns_authority

HEADER = b"From: a@example.test\r\nSubject: s\r\n\r\n"
BODY = b"body\r\n"


@pytest.fixture
def authority(line: CommandLine) -> Iterator[Authority]:
    zone = {
        "example.test": {"TXT": "v=spf1 ip4:192.0.2.1 -all exp=why.example.test"},
        "why.example.test": {"TXT": "%{i} may not send for %{d}"},
        "_dmarc.example.test": {"TXT": "v=DMARC1; p=reject"},
        "s1._domainkey.example.test": {"TXT": ed25519_key().public_record},
    }
    with dns_authority(zone) as serving:
        line.settings["MAILSTEAD_DNS_SERVERS"] = serving.address
        yield serving


def signed() -> bytes:
    return sign(HEADER, (BODY,), [signing_key(ed25519_key())], int(time.time())) + HEADER + BODY


CLIENT = ("--ip", "192.0.2.1", "--helo", "mail.example.test", "--from", "a@example.test")


def test_spf(line: CommandLine, authority: Authority) -> None:
    assert line.json("check", "spf", *CLIENT) == {
        "spf": {"result": "pass", "domain": "example.test", "explanation": None},
        "dkim": None,
        "dmarc": None,
        "arc": None,
    }
    found = line.json("check", "spf", "--ip", "192.0.2.9", "--helo", "h.test", "--from", "a@example.test")
    assert found["spf"] == {
        "result": "fail",
        "domain": "example.test",
        "explanation": "192.0.2.9 may not send for example.test",
    }


def test_a_message_with_its_client(line: CommandLine, authority: Authority, tmp_path: Path) -> None:
    file = tmp_path / "message.eml"
    file.write_bytes(signed())
    assert line.json("check", "message", str(file), *CLIENT) == {
        "spf": {"result": "pass", "domain": "example.test", "explanation": None},
        "dkim": [{"result": "pass", "domain": "example.test", "selector": "s1", "reason": None}],
        "dmarc": {"result": "pass", "policy": "reject", "domain": "example.test", "disposition": "none"},
        "arc": {"result": "none", "instances": 0, "reason": None},
    }


def test_a_message_alone_in_a_file_with_bare_line_feeds(
    line: CommandLine, authority: Authority, tmp_path: Path
) -> None:
    file = tmp_path / "message.eml"
    file.write_bytes(signed().replace(b"\r\n", b"\n").replace(b"body", b"forged"))
    found = line.json("check", "message", str(file))
    assert found["spf"] is None
    assert found["dkim"][0] == {
        "result": "fail",
        "domain": "example.test",
        "selector": "s1",
        "reason": "the body was changed",
    }
    assert found["dmarc"] == {
        "result": "fail",
        "policy": "reject",
        "domain": "example.test",
        "disposition": "reject",
    }
    file.write_bytes(signed().replace(b"\r\n", b"\n"))
    assert line.json("check", "message", str(file))["dkim"][0]["result"] == "pass"
    shown = line.run("check", "message", str(file), *CLIENT).out
    assert [row.split("\t")[:2] for row in shown.splitlines()] == [
        ["SPF", "pass"],
        ["DKIM", "pass"],
        ["DMARC", "pass"],
        ["ARC", "none"],
    ]


def test_a_batch_is_answered_line_by_line_in_order(line: CommandLine, authority: Authority) -> None:
    authority.fail("slow.test", Failure.SERVFAIL)
    raw = base64.b64encode(signed()).decode()
    questions = [
        {"ip": "192.0.2.1", "helo": "h.test", "from": "a@example.test", "message": raw},
        {"ip": "192.0.2.2", "helo": "h.test", "from": "a@example.test"},
        {"ip": "192.0.2.1", "helo": "slow.test", "from": ""},
        {"message": raw},
        {"ip": "nonsense", "helo": "h.test", "from": ""},
        {"ip": "192.0.2.1", "message": "?"},
        {},
        {"ip": 5},
        *[{"ip": f"192.0.2.{number}", "helo": "h.test", "from": "a@example.test"} for number in range(200)],
    ]
    text = "\n".join([*(json.dumps(question) for question in questions), "not json", "\x00"])
    out = line.run("check", "message", "--batch", "--json", given=text).out
    answers = [json.loads(answer) for answer in out.splitlines()]
    assert len(answers) == len(questions) + 2
    assert [answer["spf"] and answer["spf"]["result"] for answer in answers[:4]] == ["pass", "fail", "temperror", None]
    assert answers[0]["dkim"][0]["result"] == answers[3]["dkim"][0]["result"] == "pass"
    assert answers[1]["dkim"] is None
    assert answers[4] == {"error": "'nonsense' is no IP address"}
    assert all(list(answer) == ["error"] for answer in [*answers[4:8], *answers[-2:]])
    results = [answer["spf"]["result"] for answer in answers[8:-2]]
    assert results == ["pass" if number == 1 else "fail" for number in range(200)]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("check", "spf"), 2),
        (("check", "spf", "--ip", "x"), 2),
        (("check", "message", "/nonexistent"), 1),
        (("check", "message", "/nonexistent", "--batch"), 1),
    ],
)
def test_what_cannot_be_checked_is_one_line(line: CommandLine, arguments: tuple[str, ...], code: int) -> None:
    line.refused(*arguments, code=code)
