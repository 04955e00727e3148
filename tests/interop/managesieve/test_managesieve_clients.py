"""Real ManageSieve clients: sieve-connect, and sievelib's."""

import asyncio
from pathlib import Path

import pytest
from sievelib.managesieve import Client

from support.client_program import run_program
from support.installation import installation
from support.sieve_dialogue import sieve_server

ALICE = "alice@example.test"
SCRIPT = 'require ["fileinto", "mailbox"];\nif header :contains "list-id" "sieve" {\n  fileinto :create "Sieve";\n}\n'


async def test_sieve_connect(tmp_path: Path) -> None:
    async with installation(tmp_path) as made, sieve_server(made) as (port, authority):
        script = tmp_path / "lists.sieve"
        script.write_text(SCRIPT)
        common = ["--server", "localhost", "--port", str(port), "--user", ALICE, "--passwordfd", "0"]
        common += ["--tlscafile", str(authority), "--authmech", "PLAIN"]
        password = made.passwords[ALICE].encode() + b"\n"

        async def run(*arguments: str) -> bytes:
            return await run_program("sieve-connect", *common, *arguments, given=password)

        await run("--upload", "--localsieve", str(script), "--remotesieve", "lists")
        await run("--activate", "--remotesieve", "lists")
        assert b'"lists" ACTIVE' in await run("--list")
        copy = tmp_path / "copy.sieve"
        await run("--download", "--remotesieve", "lists", "--localsieve", str(copy))
        assert copy.read_text() == SCRIPT
        await run("--checkscript", "--localsieve", str(script))
        await run("--deactivate")
        await run("--delete", "--remotesieve", "lists")
        assert b"lists" not in await run("--list")


async def test_sievelib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with installation(tmp_path) as made, sieve_server(made) as (port, authority):
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))

        def talk() -> None:
            client = Client("localhost", port)
            assert client.connect(ALICE, made.passwords[ALICE], starttls=True, authmech="PLAIN")
            assert "vacation" in client.get_sieve_capabilities()
            assert client.havespace("one", 1000)
            assert not client.havespace("one", 10**6)
            assert client.putscript("one", SCRIPT)
            assert client.putscript("two", "keep;")
            assert not client.putscript("bad", "frobnicate;")
            assert b"There is no command" in client.errmsg
            assert client.checkscript("discard;")
            assert client.setactive("one")
            assert client.listscripts() == ("one", ["two"])
            assert client.getscript("one").replace("\r\n", "\n").strip() == SCRIPT.strip()
            assert client.renamescript("one", "uno")
            assert client.listscripts() == ("uno", ["two"])
            assert not client.deletescript("uno")
            assert client.deletescript("two")
            client.logout()
            client.sock.close()

        await asyncio.to_thread(talk)
        assert [action for _, action, _ in made.recorded][:2] == ["script.put", "script.put"]
