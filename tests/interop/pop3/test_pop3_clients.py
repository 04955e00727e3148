"""Real programs fetch mail: curl, getmail6, fetchmail and Python's poplib."""

import asyncio
import poplib
import ssl
from pathlib import Path

from support.client_program import run_program
from support.installation import Installation, installation
from support.pop3_dialogue import pop3_server

ALICE = "alice@example.test"
MESSAGES = [
    b"From: a@b.example\r\nSubject: one\r\n\r\nfirst\r\n",
    b"From: a@b.example\r\nSubject: two\r\n\r\n.dot\r\n..\r\n.\r\nend\r\n",
    b"From: a@b.example\r\nSubject: large\r\n\r\n" + b"0123456789012345678901234567890123456789\r\n" * 20_000,
]


async def fill(made: Installation) -> None:
    for message in MESSAGES:
        await made.deliver(ALICE, message)


async def test_curl_reads_and_deletes(tmp_path: Path) -> None:
    async with installation(tmp_path) as made, pop3_server(made, "implicit") as (port, ca):
        await fill(made)
        common = ["--silent", "--show-error", "--cacert", str(ca), "--user", f"{ALICE}:{made.passwords[ALICE]}"]
        listing = await run_program("curl", *common, f"pop3s://localhost:{port}/")
        assert [line.split()[1] for line in listing.splitlines()] == [b"%d" % len(one) for one in MESSAGES]
        for number, message in enumerate(MESSAGES, 1):
            assert await run_program("curl", *common, f"pop3s://localhost:{port}/{number}") == message
        await run_program("curl", *common, "--request", "DELE", "--head", f"pop3s://localhost:{port}/2")
        assert await made.messages(ALICE) == [MESSAGES[0], MESSAGES[2]]


async def test_poplib_with_stls(tmp_path: Path) -> None:
    async with installation(tmp_path) as made, pop3_server(made) as (port, ca):
        await fill(made)

        def fetch() -> list[bytes]:
            client = poplib.POP3("localhost", port)
            assert "STLS" in client.capa()
            client.stls(ssl.create_default_context(cafile=ca))
            client.user(ALICE)
            client.pass_(made.passwords[ALICE])
            count, size = client.stat()
            assert (count, size) == (3, sum(map(len, MESSAGES)))
            assert len(client.uidl()[1]) == 3
            found = [b"\r\n".join([*client.retr(number)[1], b""]) for number in range(1, count + 1)]
            assert client.top(1, 0)[1][-2:] == [b"Subject: one", b""]
            client.dele(1)
            client.quit()
            return found

        assert await asyncio.to_thread(fetch) == MESSAGES
        assert await made.messages(ALICE) == MESSAGES[1:]


async def test_getmail_fetches_all_and_deletes(tmp_path: Path) -> None:
    async with installation(tmp_path) as made, pop3_server(made, "implicit") as (port, ca):
        await fill(made)
        folder = tmp_path / "getmail"
        folder.mkdir()
        # its own Maildir delivery refuses to run as root; an external command does not
        (folder / "getmailrc").write_text(
            f"[retriever]\ntype = SimplePOP3SSLRetriever\nserver = localhost\nport = {port}\nusername = {ALICE}\n"
            f"password = {made.passwords[ALICE]}\nca_certs = {ca}\n"
            f"[destination]\ntype = MDA_external\npath = /bin/sh\narguments = ('-c', 'cat >> {folder}/received')\n"
            "allow_root_commands = true\n"
            "[options]\ndelete = true\nreceived = false\ndelivered_to = false\n"
        )
        await run_program("getmail", "--getmaildir", folder, "--rcfile", folder / "getmailrc")
        received = (folder / "received").read_bytes()
        for message in MESSAGES:
            assert message.replace(b"\r\n", b"\n").split(b"Subject: ")[1] in received
        assert await made.messages(ALICE) == []


async def test_fetchmail_fetches_all(tmp_path: Path) -> None:
    async with installation(tmp_path) as made, pop3_server(made, "implicit") as (port, ca):
        await fill(made)
        folder = tmp_path / "fetchmail"
        folder.mkdir()
        configuration = folder / "fetchmailrc"
        configuration.write_text(
            f'poll localhost protocol pop3 port {port} auth password user "{ALICE}" password "{made.passwords[ALICE]}"'
            f' ssl sslcertck sslcertfile "{ca}" sslcommonname "localhost" keep mda "cat >> {folder}/mbox"\n'
        )
        configuration.chmod(0o600)
        environment = {"HOME": str(folder), "FETCHMAILHOME": str(folder), "PATH": "/usr/bin:/bin", "LOGNAME": "x"}
        await run_program("fetchmail", "--fetchmailrc", configuration, "--nobounce", environment=environment)
        text = (folder / "mbox").read_bytes()
        assert text.count(b"Subject: ") == 3
        assert b"\n.dot\n..\n.\nend\n" in text
        assert await made.messages(ALICE) == MESSAGES
