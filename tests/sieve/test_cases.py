from pathlib import Path

import pytest

from mailstead.formats.sieve import tree
from mailstead.formats.sieve.extensions import REGISTRY
from mailstead.formats.sieve.parser import parse
from mailstead.mail.filtering.commands import COMMANDS
from mailstead.mail.filtering.testing import TESTS
from support.sieve_case import Case, check_case, read_cases

CASES = [case for path in sorted((Path(__file__).parent / "cases").glob("*.txt")) for case in read_cases(path)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_case(case: Case) -> None:
    check_case(case)


def _used(nodes: tuple[tree.Command, ...] | tuple[tree.Test, ...], into: set[str]) -> None:
    for node in nodes:
        into.add(node.name)
        into.update(f"{node.name} :{one.name}" for one in node.arguments if isinstance(one, tree.TagArgument))
        _used(node.tests, into)
        if isinstance(node, tree.Command):
            _used(node.block or (), into)


def test_every_command_test_and_tag_has_a_case() -> None:
    used: set[str] = set()
    for case in CASES:
        if not case.refused:
            for text in (case.script, *case.included.values()):
                _used(parse(text).commands, used)
    wanted: set[str] = set()
    for name, entry in (*REGISTRY.commands.items(), *REGISTRY.tests.items()):
        wanted |= {name, *(f"{name} :{tag}" for tag in entry.tags)}
    assert sorted(wanted - used) == []


def test_all_that_can_be_written_can_be_run() -> None:
    controls = {"require", "if", "elsif", "else", "stop", "return", "break", "foreverypart", "include"}
    assert set(REGISTRY.commands) == set(COMMANDS) | controls
    assert set(REGISTRY.tests) == set(TESTS)
