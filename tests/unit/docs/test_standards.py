"""docs/standards.toml and the references in the code say the same, both ways."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
REFERENCE = re.compile(r"\bRFC[ -](\d{3,5})\b")  # RFC822 alone is a word of IMAP
EXACT = re.compile(r"\bRFC (\d{3,5})(?: §\d+(?:\.\d+)*)?")
STATUSES = {"yes", "partial", "no"}


def standards() -> dict[str, dict[str, str]]:
    with (ROOT / "docs/standards.toml").open("rb") as file:
        listed: dict[str, dict[str, str]] = tomllib.load(file)["rfc"]
    return listed


def references() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "src").rglob("*.py")):
        for number in REFERENCE.findall(path.read_text("utf-8")):
            found.setdefault(number, set()).add(str(path.relative_to(ROOT)))
    return found


def test_every_rfc_named_in_the_code_is_listed() -> None:
    listed = standards()
    missing = {number: sorted(paths) for number, paths in references().items() if number not in listed}
    assert not missing


def test_every_rfc_that_is_spoken_is_referenced() -> None:
    named = references()
    silent = [number for number, entry in standards().items() if entry["status"] != "no" and number not in named]
    assert not silent


def test_every_entry_says_what_it_should() -> None:
    for number, entry in standards().items():
        assert entry["status"] in STATUSES, number
        assert entry["title"], number
        if entry["status"] == "partial":
            assert entry.get("missing"), f"RFC {number} is partial: what is missing?"
        if entry["status"] == "no":
            assert entry.get("why"), f"RFC {number} is not spoken: why?"


@pytest.mark.parametrize("path", sorted((ROOT / "src").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_references_have_one_form(path: Path) -> None:
    text = path.read_text("utf-8")
    for match in REFERENCE.finditer(text):
        assert EXACT.match(text, match.start()), text[match.start() : match.start() + 20]
