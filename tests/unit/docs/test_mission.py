"""docs/mission.md: every statement of the mission document has its row, and every row names what there is."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
DOCUMENT = ROOT / "docs/mission.md"
# how many sentences and points each section of the mission document has, of which each has a row
STATEMENTS = {
    "Self-hosted releases": 1,
    "Overview": 4,
    "The workflow": 10,
    "The image": 10,
    "Installation": 7,
    "Compose": 13,
    "Care of an installation": 1,
    "Automatic updates": 5,
    "Backup and restore": 3,
    "Certificates": 4,
    "Versions": 4,
    "Access": 2,
    "Contributing": 4,
}
_PATH = re.compile(r"(?:\.github|src|tests|docs|deploy|script|requirements)(?:/[\w.-]+)*")
_HONEST = ("schema only", "not yet", "not run", "the rows below")


def rows() -> list[tuple[str, str, str]]:
    """The rows below the head."""
    lines = [line for line in DOCUMENT.read_text("utf-8").splitlines() if line.startswith("| ")]
    found = []
    for line in lines[1:]:
        statement, where, shown = (cell.strip() for cell in line.split("|")[1:-1])
        found.append((statement, where, shown))
    return found


def test_every_statement_has_a_row() -> None:
    counted: dict[str, int] = {}
    section = ""
    for statement, where, shown in rows():
        if statement.startswith("**"):
            section = statement.strip("*")
            counted[section] = 0
            assert not where
            assert not shown
        elif not statement.startswith("Beyond it: "):
            counted[section] += 1
    assert counted == STATEMENTS


def test_what_a_row_names_is_there() -> None:
    for statement, where, shown in rows():
        if statement.startswith("**"):
            continue
        assert _PATH.search(where), statement
        assert _PATH.search(shown) or shown.startswith(_HONEST), statement
        for path in _PATH.findall(f"{where} {shown}"):
            assert (ROOT / path.rstrip(".")).exists(), (statement, path)


def test_the_tests_that_are_named_are_there() -> None:
    named = re.findall(r"(tests/[\w/]+\.py)::(\w+)", DOCUMENT.read_text("utf-8"))
    assert len(named) > 15
    for path, name in named:
        assert f"def {name}(" in (ROOT / path).read_text("utf-8"), name
