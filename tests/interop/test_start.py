"""Starting and stopping as an operator sees it: what is printed, which files there are, how it ends."""

import imaplib
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from mailstead.services.scheduler.jobs import JOBS
from support.mailstead_server import MailsteadServer, ServerFailedError, mailstead_server

PROGRAM = Path(sys.executable).with_name("mailstead")
SERVICES = {
    "imap": "starttls",
    "imaps": "implicit",
    "pop3": "starttls",
    "pop3s": "implicit",
    "sieve": "starttls",
    "submission": "starttls",
    "submissions": "implicit",
    "mx": "starttls",
    "lmtp": "none",
    "metrics": "none",
    "api": "none",
    "http": "none",
    "https": "implicit",
    "caldav": "none",
    "carddav": "none",
}


def lines_of_failure(server: MailsteadServer) -> list[str]:
    """What a start that must fail prints, logs left out."""
    with pytest.raises(ServerFailedError) as failed:
        server.start()
    return [line for line in str(failed.value).splitlines() if "[warning" not in line]


def test_the_first_start(tmp_path: Path) -> None:
    with mailstead_server(tmp_path) as server:
        ready, demo, box = server.ready, server.demo, server.log.read_text("utf-8")
        assert {name: place["tls"] for name, place in ready["services"].items()} == SERVICES
        assert (server.data / "demo.json").stat().st_mode & 0o777 == 0o600
        assert demo["domain"] == "example.test"
        accounts = [demo["admin"], *demo["accounts"]]
        assert [account["address"].partition("@")[0] for account in accounts] == ["admin", "alice", "bob"]
        for account in accounts:
            assert account["password"] in box
            host, port = server.address("imaps")
            with imaplib.IMAP4_SSL(host, port, ssl_context=server.client_context()) as client:
                client.login(account["address"], account["password"])
                assert client.select("INBOX")[1] == [b"1"]
        for name, place in ready["services"].items():
            assert f"{place['host']}:{place['port']}" in box, name
        status = server.command_json("status")
        assert [entry["service"] for entry in status["services"]] == list(ready["services"])
        assert {entry["job"] for entry in status["jobs"]} == {job.name for job in JOBS}
        assert server.stop() == 0
        assert not server.ready_file.exists()
        assert not (server.data / "first-start.json").exists()


def test_a_domain_of_ones_own(tmp_path: Path) -> None:
    own = ("--demo", "--domain", "Home.Test", "--admin", "me@home.test")
    with mailstead_server(tmp_path, arguments=own) as server:
        assert not (server.data / "demo.json").exists()
        assert [domain["name"] for domain in server.command_json("domain", "list")] == ["home.test"]
        (user,) = server.command_json("user", "list")
        assert (user["address"], user["admin"]) == ("me@home.test", True)
        server.stop()
        server.start()  # the same words again are fine
        server.stop()
        server.arguments = ("--domain", "other.test", "--admin", "me@other.test")
        assert lines_of_failure(server)[-1].endswith("another one: mailstead domain add other.test")


def test_a_first_start_that_was_cut_off_is_finished_by_the_next(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    password = "abcde-fghjk-mnpqr-stuvw-xyz23-45678"
    made = {
        "domain": "example.test",
        "admin": {"address": "admin@example.test", "password": password},
        "accounts": [{"address": "bob@example.test", "password": password[::-1]}],
    }
    (data / "first-start.json").write_text(json.dumps(made))
    with mailstead_server(tmp_path) as server:
        assert server.demo == made
        assert [user["address"] for user in server.command_json("user", "list")] == [
            "admin@example.test",
            "bob@example.test",
        ]


def test_what_a_killed_server_leaves_behind_misleads_nobody(tmp_path: Path) -> None:
    with mailstead_server(tmp_path) as server:
        server.kill()
        assert server.ready_file.exists()
        status = json.loads(server.command("status", "--json", check=False).stdout)
        assert status["running"] is False
        stale = server.ready_file.read_bytes()
        server.settings["MAILSTEAD_PORT_MX"] = str(server.ready["services"]["imap"]["port"])
        server.settings["MAILSTEAD_PORT_IMAP"] = server.settings["MAILSTEAD_PORT_MX"]
        assert "cannot listen" in lines_of_failure(server)[-1]
        assert not server.ready_file.exists(), stale


def test_only_one_server_on_a_data_folder(tmp_path: Path) -> None:
    with mailstead_server(tmp_path) as server:
        before = server.ready_file.read_bytes()
        second = subprocess.run(
            [PROGRAM, "serve"],
            env=server.environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert second.returncode == 1
        assert second.stderr.splitlines()[-1].endswith(f"as process {server.ready['pid']}")
        assert server.ready_file.read_bytes() == before
        assert server.command_json("status")["running"] is True


def test_a_port_in_use_is_one_line_that_names_the_setting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = MailsteadServer(tmp_path / "data", {"MAILSTEAD_PORT_POP3": str(port)})
        (line,) = lines_of_failure(server)
    assert line == (
        f"cannot start: pop3 cannot listen on 127.0.0.1:{port}: Address already in use;"
        " MAILSTEAD_PORT_POP3 takes another port, 0 for any free one, or off"
    )
    assert not server.ready_file.exists()


def test_ports_that_are_off_are_not_in_the_ready_file(tmp_path: Path) -> None:
    settings = {"MAILSTEAD_PORT_POP3": "off", "MAILSTEAD_PORT_POP3S": "off", "MAILSTEAD_PORT_METRICS": "off"}
    with mailstead_server(tmp_path, settings) as server:
        assert set(server.ready["services"]) == set(SERVICES) - {"pop3", "pop3s", "metrics"}


def test_sessions_that_wait_do_not_hold_up_the_stop(tmp_path: Path) -> None:
    with mailstead_server(tmp_path) as server:
        host, port = server.address("imaps")
        idle = imaplib.IMAP4_SSL(host, port, ssl_context=server.client_context())
        idle.login("alice@example.test", server.password("alice"))
        idle.select("INBOX")
        idle.send(b"A IDLE\r\n")
        assert idle.readline().startswith(b"+")
        with socket.create_connection(server.address("mx")) as smtp:
            smtp.sendall(b"EHLO me.test\r\nMAIL FROM:<>\r\nRCPT TO:<bob@example.test>\r\nDATA\r\n")
            seen = b""
            while b"354 " not in seen:
                seen += smtp.recv(4096)
            smtp.sendall(b"Subject: half a mess")  # and never more
            assert server.process is not None
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(10) == 0
        assert any(line.startswith(b"* BYE") for line in iter(idle.readline, b""))
        idle.shutdown()
        assert not server.ready_file.exists()
