"""docs/cli.md is what the commands say."""

from support.cli_reference import ROOT, command_reference


def test_the_reference_is_generated() -> None:
    written = (ROOT / "docs/cli.md").read_text("utf-8")
    assert written == command_reference(), "run script/docs"
