"""Real programs send mail: swaks, curl, msmtp and Python's smtplib."""

import asyncio
import smtplib
import ssl
from pathlib import Path

import pytest

from support.client_program import run_program
from support.installation import installation
from support.smtp_dialogue import smtp, smtp_server

ALICE, BOB = "alice@example.test", "bob@example.test"
MESSAGE = b"From: alice@example.test\r\nTo: bob@example.test\r\nSubject: interop\r\n\r\n.a dot\r\n..\r\n.\r\nend\r\n"


@pytest.mark.parametrize("options", [[], ["--pipeline"]], ids=["plain", "pipelined"])
async def test_swaks_to_the_mail_exchanger(options: list[str], tmp_path: Path) -> None:
    async with installation(tmp_path) as made, smtp(made) as opened, smtp_server(opened, "mx") as (port, _):
        output = await run_program(
            "swaks", "--server", f"127.0.0.1:{port}", "--from", "a@b.example", "--to", BOB,
            "--header", "Subject: interop", "--body", "one\n.two\n..\nthree", *options,
        )  # fmt: skip
        assert b"250 2.0.0 Accepted" in output
        [stored] = await made.messages(BOB)
        assert b"\r\nSubject: interop\r\n" in stored
        assert b"\r\n\r\none\r\n.two\r\n..\r\nthree\r\n" in stored


async def test_swaks_over_lmtp_on_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "lmtp.sock"
    async with installation(tmp_path) as made, smtp(made) as opened:
        async with smtp_server(opened, "lmtp", "none", f"unix:{path}"):
            output = await run_program(
                "swaks", "--protocol", "LMTP", "--socket", path, "--from", "a@b.example", "--to", f"{ALICE},{BOB}"
            )
        assert output.count(b"250 2.1.5 <") == 2
        assert len(await made.messages(ALICE)) == len(await made.messages(BOB)) == 1


async def test_curl_to_the_mail_exchanger_under_tls(tmp_path: Path) -> None:
    file = tmp_path / "message.eml"
    file.write_bytes(MESSAGE)
    async with installation(tmp_path) as made, smtp(made) as opened, smtp_server(opened, "mx") as (port, ca):
        await run_program(
            "curl", "--silent", "--show-error", "--ssl-reqd", "--cacert", ca, f"smtp://localhost:{port}/client.example",
            "--mail-from", "a@b.example", "--mail-rcpt", BOB, "--mail-rcpt", ALICE, "--upload-file", file,
        )  # fmt: skip
        [stored] = await made.messages(BOB)
        assert stored.endswith(MESSAGE)
        assert b"from client.example ([127.0.0.1])" in stored
        assert b"with ESMTPS id " in stored
        assert len(await made.messages(ALICE)) == 1


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_curl_submits(tls: str, tmp_path: Path) -> None:
    file = tmp_path / "message.eml"
    file.write_bytes(MESSAGE)
    async with installation(tmp_path) as made, smtp(made) as opened:
        async with smtp_server(opened, "submission", "implicit" if tls == "implicit" else "starttls") as (port, ca):
            await run_program(
                "curl", "--silent", "--show-error", "--ssl-reqd", "--cacert", ca,
                f"{'smtps' if tls == 'implicit' else 'smtp'}://localhost:{port}/client.example",
                "--user", f"{ALICE}:{made.passwords[ALICE]}",
                "--mail-from", ALICE, "--mail-rcpt", BOB, "--upload-file", file,
            )  # fmt: skip
        [stored] = await made.messages(BOB)
        assert stored.endswith(MESSAGE)
        assert b"with ESMTPSA id " in stored
        assert b"127.0.0.1" not in stored


async def test_msmtp_submits(tmp_path: Path) -> None:
    async with installation(tmp_path) as made, smtp(made) as opened, smtp_server(opened, "submission") as (port, ca):
        configuration = tmp_path / "msmtprc"
        configuration.write_text(
            f"account default\nhost localhost\nport {port}\nfrom {ALICE}\nauth on\nuser {ALICE}\n"
            f"password {made.passwords[ALICE]}\ntls on\ntls_starttls on\ntls_trust_file {ca}\n"
        )
        configuration.chmod(0o600)
        await run_program("msmtp", "--file", configuration, BOB, given=MESSAGE.replace(b"\r\n", b"\n"))
        [stored] = await made.messages(BOB)
        assert stored.endswith(MESSAGE)


async def test_smtplib_submits_and_is_refused(tmp_path: Path) -> None:
    async with installation(tmp_path) as made, smtp(made) as opened, smtp_server(opened, "submission") as (port, ca):

        def send() -> int:
            with smtplib.SMTP("localhost", port) as client:
                client.starttls(context=ssl.create_default_context(cafile=ca))
                with pytest.raises(smtplib.SMTPAuthenticationError):
                    client.login(ALICE, "x2345-bcdfg-hjkmn-pqrst-vwxyz-23456")
                client.login(ALICE, made.passwords[ALICE])
                client.sendmail(ALICE, [BOB], MESSAGE)
                with pytest.raises(smtplib.SMTPSenderRefused) as refused:
                    client.sendmail(BOB, [ALICE], MESSAGE)
                return refused.value.smtp_code

        assert await asyncio.to_thread(send) == 550
        [stored] = await made.messages(BOB)
        assert stored.endswith(MESSAGE)
