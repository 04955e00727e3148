"""The examples of docs/sieve.md can be used, and its list of extensions is the code's."""

import re
from pathlib import Path

import pytest

from mailstead.formats.sieve.compiler import compile_script
from mailstead.formats.sieve.extensions import REGISTRY

TEXT = (Path(__file__).parents[3] / "docs/sieve.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```sieve\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("script", EXAMPLES)
def test_example(script: str) -> None:
    assert compile_script(script).operations


def test_extensions_are_listed() -> None:
    assert len(EXAMPLES) == 5
    listed = re.findall(r"`([^`]+)`", TEXT.partition("## Extensions")[2])
    assert sorted(listed) == sorted(REGISTRY.capabilities)
