"""The README's protocol table is what docs/standards.toml says."""

from pathlib import Path

from support.standards_table import protocol_table

ROOT = Path(__file__).parents[3]
START, END = "<!-- standards -->\n", "<!-- /standards -->"


def test_the_protocol_table_is_generated() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert readme.partition(START)[2].partition(END)[0] == protocol_table(ROOT / "docs/standards.toml")
