"""neomutt on a terminal: it opens the mailbox over IMAP, reads a message, and answers it through submission."""

import smtplib
import subprocess
import uuid
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from imapclient import IMAPClient

from support.eventually import eventually
from support.mailstead_server import MailsteadServer, mailstead_server
from support.programs import require_program


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailsteadServer]:
    with mailstead_server(tmp_path_factory.mktemp("neomutt")) as running:
        yield running


class Terminal:
    """A program in a tmux of its own."""

    def __init__(self, folder: Path, command: str) -> None:
        self._socket = folder / "tmux"
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "40", command)

    def _tmux(self, *arguments: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", str(self._socket), *arguments], capture_output=True, check=True, timeout=20
        )
        return done.stdout.decode("utf-8", "replace")

    def press(self, *keys: str) -> None:
        self._tmux("send-keys", *keys)

    async def shows(self, text: str) -> None:
        seen = ""

        def is_there() -> bool:
            nonlocal seen
            seen = self._tmux("capture-pane", "-p")
            return text in seen

        try:
            await eventually(is_there)
        except TimeoutError:
            raise AssertionError(f"no {text!r} in:\n{seen}") from None

    def close(self) -> None:
        subprocess.run(["tmux", "-S", str(self._socket), "kill-server"], capture_output=True, check=False, timeout=20)


@pytest.fixture
def rc(server: MailsteadServer, tmp_path: Path) -> Path:
    """neomutt's settings: alice's mailbox, bob gets the answer, `cat` is the editor."""
    imap, submission = server.address("imaps"), server.address("submissions")
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\necho "Answered in a terminal" >>"$1"\n')
    editor.chmod(0o700)
    password = server.password("alice")
    settings = {
        "folder": f"imaps://{imap[0]}:{imap[1]}/",
        "spoolfile": "+INBOX",
        "record": "+Sent",
        "imap_user": "alice@example.test",
        "imap_pass": password,
        "smtp_url": f"smtps://alice%40example.test@{submission[0]}:{submission[1]}/",
        "smtp_pass": password,
        "from": "alice@example.test",
        "realname": "Alice",
        "editor": str(editor),
        "certificate_file": str(server.ready["ca"]),
        "ssl_verify_host": "no",
        "header_cache": "",
        "message_cachedir": "",
        "tmpdir": str(tmp_path),
        "autoedit": "yes",
        "fast_reply": "yes",
        "include": "yes",
        "abort_unmodified": "no",
        "confirmappend": "no",
        "wait_key": "no",
        "beep": "no",
        "quit": "yes",
    }
    path = tmp_path / "neomuttrc"
    lines = [f'set {name}="{value}"\n' for name, value in settings.items()]
    path.write_text("".join([*lines, "ignore *\n", "unignore from to subject\n"]))
    return path


async def test_a_message_is_read_and_answered_in_a_terminal(server: MailsteadServer, rc: Path, tmp_path: Path) -> None:
    require_program("neomutt")
    require_program("tmux")
    subject = f"Letter {uuid.uuid4().hex[:8]}"
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "bob@example.test", "alice@example.test", subject
    message.set_content("Words of the letter: grüße\n")
    host, port = server.address("mx")
    with smtplib.SMTP(host, port) as client:
        client.send_message(message, "carol@elsewhere.test", ["alice@example.test"])
    terminal = Terminal(tmp_path, f"env HOME={tmp_path} TERM=screen LC_ALL=C.UTF-8 neomutt -n -F {rc}")
    try:
        await terminal.shows(subject)
        terminal.press("*", "Enter")  # the last message
        await terminal.shows("Words of the letter: grüße")
        terminal.press("r")
        await terminal.shows(f"Re: {subject}")
        terminal.press("y")
        host, port = server.address("imaps")
        with IMAPClient(host, port, ssl=True, ssl_context=server.client_context()) as bob:
            bob.login("bob@example.test", server.password("bob"))
            bob.select_folder("INBOX")
            await eventually(lambda: bob.noop() and bob.search(["SUBJECT", f"Re: {subject}"]))
            (uid,) = bob.search(["SUBJECT", f"Re: {subject}"])
            answer: bytes = bob.fetch(uid, ["BODY[]"])[uid][b"BODY[]"]
        assert b"Answered in a terminal" in answer
        with IMAPClient(host, port, ssl=True, ssl_context=server.client_context()) as alice:
            alice.login("alice@example.test", server.password("alice"))
            alice.select_folder("Sent")
            await eventually(lambda: alice.noop() and alice.search(["SUBJECT", f"Re: {subject}"]))
    finally:
        terminal.close()
