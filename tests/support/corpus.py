"""The messages, calendars and cards of the shared corpus, where it is present beside the checkout, or further up."""

import tarfile
from collections.abc import Iterator
from pathlib import Path

_FOLDERS = [parent / "shared" / "corpus" for parent in Path(__file__).parents[3:]]
_ROOT = next((folder for folder in _FOLDERS if folder.is_dir()), _FOLDERS[0])
CORPUS = _ROOT / "mail"


def corpus_messages(archive_limit: int | None = 200) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every single file, and of the first messages of the archive, of all when None."""
    for path in sorted(CORPUS.rglob("*")):
        if path.is_file() and path.suffix != ".xz":
            yield str(path.relative_to(CORPUS)), path.read_bytes()
    archive = CORPUS / "spamassassin-public.tar.xz"
    if archive.exists() and archive_limit != 0:
        with tarfile.open(archive) as opened:
            count = 0
            for member in opened:
                file = opened.extractfile(member)
                if file is not None:
                    count += 1
                    yield member.name, file.read()
                if count == archive_limit:
                    return


def corpus_files(kind: str, suffix: str) -> list[Path]:
    """The files of `icalendar` or `vcard`."""
    return sorted((_ROOT / kind).rglob(f"*{suffix}"))
