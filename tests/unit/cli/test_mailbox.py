"""`mailstead mailbox`."""

from pathlib import Path

from support.command_line import CommandLine

ALICE = "alice@example.test"


def test_mail_goes_in_and_out(domain: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "one.eml").write_bytes(b"Subject: one\n\nbody\n")
    assert domain.json("mailbox", "import", ALICE, str(tmp_path / "one.eml")) == {
        "address": ALICE,
        "imported": 1,
        "known": 0,
        "failures": [],
    }
    assert "had been imported before" in domain.run("mailbox", "import", ALICE, str(tmp_path / "one.eml")).out
    exported = domain.json("mailbox", "export", ALICE, str(tmp_path / "out"), "--format", "mbox")
    assert (exported["exported"], exported["format"]) == (1, "mbox")
    assert b"Subject: one\r\n" in (tmp_path / "out" / "INBOX.mbox").read_bytes()
    assert "not an empty directory" in domain.refused("mailbox", "export", ALICE, str(tmp_path / "out"))


def test_keys(domain: CommandLine) -> None:
    assert domain.json("mailbox", "import", ALICE, __file__)["imported"] == 1
    assert domain.json("mailbox", "rekey", ALICE) == {"address": ALICE, "rekeyed": True}
    assert "recovery code first" in domain.refused("mailbox", "lock", ALICE)
    code = domain.json("alias", "recovery-code", ALICE)["recovery_code"]
    assert domain.json("mailbox", "lock", ALICE)["locked"]
    assert "is locked" in domain.refused("mailbox", "rekey", ALICE)
    assert domain.json("mailbox", "rekey", ALICE, "--password-stdin", given=code)["rekeyed"]
    assert not domain.json("mailbox", "unlock", ALICE, given=code)["locked"]
    assert "--force" in domain.refused("mailbox", "recover", ALICE)
    assert domain.json("mailbox", "recover", ALICE, "--force")["keys"] == 3
    assert domain.json("mailbox", "check", ALICE)["problems"] == []


def test_a_source_on_another_server_needs_its_password_and_a_form(domain: CommandLine) -> None:
    assert "--password-stdin" in domain.refused("mailbox", "import", ALICE, "imap://me@127.0.0.1:1", code=2)
    secret = domain.refused("mailbox", "import", ALICE, "imap://me:secret@127.0.0.1", "--password-stdin", code=2)
    assert "secret" not in secret
    closed = domain.refused("mailbox", "import", ALICE, "imap://me@127.0.0.1:1", "--password-stdin", given="x\n")
    assert "127.0.0.1:1 cannot be reached" in closed
