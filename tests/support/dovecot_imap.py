"""Dovecot's imap on a Maildir of the test's own, without a server: it speaks on standard input and output."""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

PROGRAM = Path("/usr/lib/dovecot/imap")
_NOBODY = 65534
_TOKEN = re.compile(rb'\(|\)|"((?:[^"\\]|\\.)*)"|\{(\d+)\}\r\n|[^\s()"{]+', re.DOTALL)

Value: TypeAlias = "bytes | int | list[Value] | None"


def parse_value(data: bytes, position: int = 0) -> tuple[Value, int]:
    """One value of a response from `position`: NIL, a number, a string or a list; and where it ends."""
    stack: list[list[Value]] = [[]]
    while True:
        found = _TOKEN.search(data, position)
        assert found is not None, data[position : position + 80]
        position = found.end()
        token = found[0]
        if token == b"(":
            stack.append([])
        elif token == b")":
            closed = stack.pop()
            stack[-1].append(closed)
        elif found[1] is not None:
            stack[-1].append(re.sub(rb"\\(.)", rb"\1", found[1]))
        elif found[2] is not None:
            stack[-1].append(data[position : position + int(found[2])])
            position += int(found[2])
        else:
            stack[-1].append(None if token.upper() == b"NIL" else int(token) if token.isdigit() else token)
        if len(stack) == 1:
            return stack[0][0], position


def fetch_structures(folder: Path, messages: Sequence[bytes]) -> list[tuple[Value, Value]]:
    """ENVELOPE and BODYSTRUCTURE of each message as Dovecot sees them. `folder` must be everybody's to enter."""
    maildir = folder / "maildir"
    for name in ("cur", "new", "tmp"):
        (maildir / name).mkdir(parents=True)
    for number, message in enumerate(messages):
        (maildir / "cur" / f"{number:06}.x:2,").write_bytes(message)
    (folder / "run").mkdir()
    root = os.geteuid() == 0
    user, group = (_NOBODY, _NOBODY) if root else (os.getuid(), os.getgid())
    configuration = folder / "dovecot.conf"
    configuration.write_text(
        f"log_path = /dev/stderr\nmail_location = maildir:{maildir}\nssl = no\nprotocols = imap\n"
        f"mail_uid = {user}\nmail_gid = {group}\nfirst_valid_uid = 1\nfirst_valid_gid = 1\nbase_dir = {folder}/run\n"
    )
    if root:
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, _NOBODY, _NOBODY)
    environment = {"USER": "nobody", "HOME": str(folder), "PATH": os.environ["PATH"]}
    with subprocess.Popen(
        [PROGRAM, "-c", configuration], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"a SELECT INBOX\r\nb FETCH 1:* (ENVELOPE BODYSTRUCTURE)\r\nc LOGOUT\r\n")
        process.stdin.flush()  # and left open: dovecot ends with its input
        said = process.stdout.read()
    found: list[tuple[Value, Value]] = []
    for fetch in re.finditer(rb"^\* \d+ FETCH \(ENVELOPE ", said, re.MULTILINE):
        envelope, position = parse_value(said, fetch.end())
        structure, _ = parse_value(said, position + len(b" BODYSTRUCTURE"))
        found.append((envelope, structure))
    assert len(found) == len(messages), said[-200:]
    return found
