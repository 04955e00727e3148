"""What messages take on disk."""

import tarfile
from collections.abc import Iterable
from pathlib import Path

from benchmarks.case import Context
from benchmarks.mix import Mix
from benchmarks.own import Own
from benchmarks.table import OWN, Row, Table, Target

_MAILDIR = "Maildir"
_BEFORE = "Mailstead, not compacted yet"


def _allocated(folder: Path) -> float:
    """Megabytes that the file system has given to a folder and all below it."""
    return sum(path.lstat().st_blocks * 512 for path in [folder, *folder.rglob("*")]) / 1024**2


def _of_archive(archive: Path) -> list[bytes]:
    with tarfile.open(archive) as opened:
        files = [opened.extractfile(member) for member in opened if member.isfile()]
        return [file.read() for file in files if file is not None]


def _row(context: Context, label: str, name: str, messages: Iterable[bytes], limit: float | None) -> Row:
    own = Own(context.folder / name)
    own.server.data.parent.mkdir(parents=True)
    own.add_accounts(["alice"])
    empty = _allocated(own.server.data / "mailboxes") if (own.server.data / "mailboxes").exists() else 0.0
    maildir = context.folder / name / "maildir" / "cur"
    maildir.mkdir(parents=True)

    def kept() -> Iterable[bytes]:
        for number, message in enumerate(messages):
            (maildir / f"{1_760_000_000 + number}.M{number}P1.mail:2,S").write_bytes(message)
            yield message

    own.fill("alice", kept())
    before = _allocated(own.server.data / "mailboxes") - empty
    own.compact("alice")
    after = _allocated(own.server.data / "mailboxes") - empty
    figures = {OWN: [after], _BEFORE: [before], _MAILDIR: [_allocated(maildir)]}
    return Row(label, "MB", figures, Target(limit) if limit else None, to=(_MAILDIR,))


def run(context: Context) -> Table:
    """The archive of real mail where there is one, and generated messages."""
    rows = []
    if context.archive is not None:
        messages = _of_archive(context.archive)[: context.size.disk if context.size.name == "tiny" else None]
        rows.append(_row(context, f"{len(messages):,} messages of an archive", "archive", messages, 0.6))
    count = context.size.disk
    rows.append(_row(context, f"{count:,} generated messages", "mix", Mix().messages(count), None if rows else 0.6))
    notes = [
        "Blocks that the file system gave, the whole database with full-text index, envelopes and threads beside plain "
        "message files without any index. The scheduler compacts each mailbox by and by: it learns a dictionary of the "
        "mailbox's own and packs again.",
    ]
    return Table("Disk", rows, notes)
