"""Messages in files: Maildir with Maildir++ or nested folders, mbox files and trees of them, single messages."""

import hashlib
import mmap
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePath

from mailstead.administration.transfer.item import Item, Source, with_network_line_ends
from mailstead.administration.transfer.layout import Export, ExportedFolder, read_export
from mailstead.formats.archive.maildir import base_name, flags_of, folder_name, is_exact
from mailstead.formats.archive.mbox import read_mbox
from mailstead.formats.message.date import parse_date
from mailstead.formats.message.header import first_values, header_end
from mailstead.formats.message.part import Octets
from mailstead.foundation.errors import InvalidError
from mailstead.stores.mailbox.folders import DEPTH_LIMIT, INBOX

_MAP_FROM = 1024 * 1024
_HEADER_LIMIT = 256 * 1024
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
MBOX_SUFFIXES = (".mbox", ".mbx")


def read_octets(path: Path) -> Octets:
    """A file's content: a large one as a map. Raises OSError."""
    with path.open("rb") as file:
        if path.stat().st_size < _MAP_FROM:
            return file.read()
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def file_source(path: Path) -> Source:
    """The messages in a file or directory. Raises InvalidError when it holds none that can be told, OSError."""
    if path.is_dir():
        export = read_export(path)
        if (path / "cur").is_dir() or (path / "new").is_dir() or (export is not None and export.format == "maildir"):
            return MaildirSource(path, export)
        if any(_is_maildir(child) for child in path.iterdir()):
            return MaildirSource(path, None)
        mboxes = _mboxes(path, export)
        if mboxes:
            return MboxSource(mboxes, export)
        messages = sorted(found for found in path.rglob("*.eml") if found.is_file())
        if messages:
            return MessageSource([(folder_of(found.parent.relative_to(path)), found) for found in messages])
        raise InvalidError(f"{path} holds no Maildir, no mbox and no .eml file")
    if not path.exists():
        raise InvalidError(f"{path} does not exist")
    with path.open("rb") as file:
        start = file.read(5)
    return MboxSource([(INBOX, path)]) if start == b"From " else MessageSource([(INBOX, path)])


def _is_maildir(path: Path) -> bool:
    return path.is_dir() and (path / "cur").is_dir()


def folder_of(relative: PurePath) -> str:
    """The folder that a directory's path is taken for."""
    levels = [part.removesuffix(".sbd") for part in relative.parts]
    return "/".join(levels[:DEPTH_LIMIT]) or INBOX


def _mboxes(root: Path, export: Export | None) -> list[tuple[str, Path]]:
    if export is not None:
        return [(folder.name, root / folder.path) for folder in export.folders]
    found = []
    for path in sorted(root.rglob("*")):
        if not path.is_file() or path.stat().st_size == 0:
            continue
        if path.suffix.lower() in MBOX_SUFFIXES or (not path.suffix and not path.name.startswith(".")):
            with path.open("rb") as file:
                if file.read(5) == b"From ":
                    name = path.stem if path.suffix.lower() in MBOX_SUFFIXES else path.name
                    folder = folder_of(path.relative_to(root).parent / name)
                    found.append((INBOX if folder.upper() == INBOX else folder, path))
    return found


class MaildirSource:
    """A Maildir and its folders: those of Maildir++ beside its cur, and directories in each other."""

    def __init__(self, root: Path, export: Export | None) -> None:
        self._folders = (
            [(folder.name, root / folder.path, folder) for folder in export.folders]
            if export is not None and export.format == "maildir"
            else [(name, path, ExportedFolder(name, "")) for name, path in self._find(root, "", 0)]
        )

    def folders(self) -> list[tuple[str, bool]]:
        """See Source."""
        return [(name, described.subscribed) for name, _, described in self._folders]

    def _find(self, path: Path, name: str, depth: int) -> Iterator[tuple[str, Path]]:
        if (path / "cur").is_dir() or (path / "new").is_dir():
            yield name or INBOX, path
        if depth >= DEPTH_LIMIT:
            return
        for child in sorted(path.iterdir()):
            if child.name in ("cur", "new", "tmp") or child.is_symlink() or not child.is_dir():
                continue
            level = folder_name(child.name) if child.name.startswith(".") else child.name
            if level:
                yield from self._find(child, f"{name}/{level}" if name else level, depth + 1)

    def _files(self, path: Path) -> Iterator[Path]:
        for part in ("cur", "new"):
            if (path / part).is_dir():
                yield from sorted(found for found in (path / part).iterdir() if not found.name.startswith("."))

    def count(self) -> int | None:
        """See Source."""
        return sum(1 for _, path, _ in self._folders for _ in self._files(path))

    def items(self) -> Iterator[Item]:
        """See Source."""
        for name, path, described in self._folders:
            letters = _dovecot_keywords(path)
            for file in self._files(path):
                shown = file.name if file.parent.name == "cur" else base_name(file.name)
                yield maildir_item(name, described, shown, read_octets(file), int(file.stat().st_mtime), letters)


def _dovecot_keywords(path: Path) -> dict[str, str]:
    """The keywords of a Maildir folder by their letters, as Dovecot keeps them."""
    file = path / "dovecot-keywords"
    if not file.is_file():
        return {}
    return keyword_letters(file.read_text("utf-8", "replace"))


def keyword_letters(text: str) -> dict[str, str]:
    """The keywords that a file dovecot-keywords names, by their letters."""
    found = {}
    for line in text.splitlines():
        number, _, keyword = line.partition(" ")
        if number.isascii() and number.isdigit() and int(number) < len(_LETTERS) and keyword:
            found[_LETTERS[int(number)]] = keyword
    return found


class Keys:
    """Names for messages that have none: their digest, and which of several equal ones."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def of(self, folder: str, raw: Octets) -> str:
        """The key of the next message of a folder."""
        digest = hashlib.blake2b(raw, digest_size=20).hexdigest()
        self._seen[f"{folder} {digest}"] += 1
        return f"{digest} {self._seen[f'{folder} {digest}']}"


def mbox_items(folder: str, raw: Octets, written: int, keys: Keys) -> Iterator[Item]:
    """The messages of an mbox; `written` is the date of those that tell none."""
    for found in read_mbox(raw):
        octets = found.raw if found.is_exact else with_network_line_ends(found.raw)
        date = found.moment if found.moment is not None else written
        yield Item(folder, f"mbox {folder}", keys.of(folder, octets), octets, found.flags, found.keywords, date)


def message_item(folder: str, octets: Octets, written: int, keys: Keys) -> Item:
    """A message that stands alone."""
    raw = with_network_line_ends(octets)
    end = min(header_end(raw, 0, len(raw)), _HEADER_LIMIT)
    sent = parse_date(first_values(raw[:end], _HEADER_LIMIT).get(b"date", b""))
    return Item(folder, f"message {folder}", keys.of(folder, raw), raw, 0, (), written if sent is None else sent)


def maildir_item(
    folder: str, described: ExportedFolder, name: str, raw: Octets, written: int, letters: dict[str, str]
) -> Item:
    """A message by its file's `name`; `letters` are the keywords of its folder."""
    flags, words = flags_of(name, letters)
    base = base_name(name)
    if base in described.beyond:
        words = tuple(described.beyond[base].split())
    octets = raw if is_exact(name, len(raw)) else with_network_line_ends(raw)
    return Item(folder, f"maildir {folder}", base, octets, flags, words, written)


class MboxSource:
    """mbox files, each a folder."""

    def __init__(self, files: list[tuple[str, Path]], export: Export | None = None) -> None:
        self._files = files
        self._subscribed = {folder.name for folder in export.folders if folder.subscribed} if export else set()

    def folders(self) -> list[tuple[str, bool]]:
        """See Source."""
        return [(name, name in self._subscribed) for name, _ in self._files]

    def count(self) -> int | None:
        """See Source."""
        return None

    def items(self) -> Iterator[Item]:
        """See Source."""
        keys = Keys()
        for name, path in self._files:
            yield from mbox_items(name, read_octets(path), int(path.stat().st_mtime), keys)


class MessageSource:
    """Single messages, each in a file."""

    def __init__(self, files: list[tuple[str, Path]]) -> None:
        self._files = files

    def folders(self) -> list[tuple[str, bool]]:
        """See Source."""
        return []

    def count(self) -> int | None:
        """See Source."""
        return len(self._files)

    def items(self) -> Iterator[Item]:
        """See Source."""
        keys = Keys()
        for name, path in self._files:
            yield message_item(name, read_octets(path), int(path.stat().st_mtime), keys)
