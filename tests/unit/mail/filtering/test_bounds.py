"""Hostile scripts on hostile messages: nothing raises, and work is bounded by counts, not by time."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from mailstead.formats.message.part import Bounds
from mailstead.formats.sieve.compiler import compile_script
from mailstead.foundation.config.sections.sieve import SieveSettings
from mailstead.mail.filtering.actions import AskFolders, AskListed, AskMembers, AskScript, AskSeen, Outcome
from mailstead.mail.filtering.comparing import match_glob
from mailstead.mail.filtering.environment import Answers, Environment
from mailstead.mail.filtering.interpreter import run_script
from support.sieve_case import Case, read_cases

CASES = [
    case for path in sorted(Path("tests/sieve/cases").glob("*.txt")) for case in read_cases(path) if not case.refused
]
_QUESTIONS = 1000
ENVIRONMENT = Environment(
    sender="carol@example.net",
    recipient="alice@example.test",
    owner_addresses=frozenset({"alice@example.test"}),
    now=1795600000.0,
)


def outcome_of(script: str, raw: bytes, limits: SieveSettings | None = None) -> Outcome:
    program = compile_script(script)
    answers = Answers()
    for _ in range(_QUESTIONS):
        match run_script(program, raw, ENVIRONMENT, answers, limits or SieveSettings(), Bounds()):
            case Outcome() as outcome:
                return outcome
            case AskFolders():
                answers = replace(answers, folders={"INBOX": ""})
            case AskSeen(key):
                answers = replace(answers, seen={**answers.seen, key: False})
            case AskScript(include):
                answers = replace(answers, scripts={**answers.scripts, include: None})
            case AskListed() as question:
                answers = replace(answers, listed={**answers.listed, question: ""})
            case AskMembers(name):
                answers = replace(answers, members={**answers.members, name: ()})
    raise AssertionError("the script asks without end")


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(CASES), st.data())
def test_any_message(case: Case, data: st.DataObject) -> None:
    octets = bytearray(case.message.replace("\n", "\r\n").encode())
    for _ in range(data.draw(st.integers(0, 5))):
        place = data.draw(st.integers(0, len(octets)))
        octets[place : place + data.draw(st.integers(0, 5))] = data.draw(st.binary(max_size=5))
    assert isinstance(outcome_of(case.script, bytes(octets)), Outcome)


@settings(max_examples=300)
@given(st.text("ab*?", max_size=8), st.text("ab", max_size=12))
def test_globs_match_as_the_plain_definition_says(pattern: str, text: str) -> None:
    found = match_glob(pattern, text, text)
    assert (found is not None) == _plain(pattern, text)
    if found is not None:
        wildcards = iter(found[1:])
        assert "".join(next(wildcards) if letter in "*?" else letter for letter in pattern) == text


def _plain(pattern: str, text: str) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(_plain(pattern[1:], text[place:]) for place in range(len(text) + 1))
    return bool(text) and pattern[0] in ("?", text[0]) and _plain(pattern[1:], text[1:])


@pytest.mark.parametrize(
    "script",
    [
        'require ["regex"]; if header :regex "subject" "(a*)*(a*)*(a*)*b" { discard; }',
        'require ["regex"]; if header :regex "subject" "(a|aa)+(a|aa)+(a|aa)+$b" { discard; }',
        'if header :matches "subject" "' + "*a" * 40 + '*b" { discard; }',
    ],
)
def test_patterns_that_take_backtracking_engines_for_ever(script: str) -> None:
    outcome = outcome_of(script, b"Subject: " + b"a" * 20_000 + b"\r\n\r\n")
    assert len(outcome.actions) == 1
    assert outcome.error in ("", "The script compares too much text for one message.")


def test_many_keys_on_many_fields_end_at_the_limit_of_work() -> None:
    keys = ",".join(f'"k{number}"' for number in range(3000))
    raw = b"".join(b"X-A: value %d\r\n" % number for number in range(2000)) + b"\r\n"
    assert outcome_of(f'if header "x-a" [{keys}] {{ discard; }}', raw).error


def test_steps_end_at_their_limit() -> None:
    loops = "foreverypart { " * 4 + "keep; " + "}" * 4
    raw = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 60
    outcome = outcome_of(f'require "foreverypart"; {loops}' + "keep;" * 300, raw, SieveSettings(instructions_limit=100))
    assert outcome.error == "The script took more than 100 steps."


def test_variables_do_not_grow_without_end() -> None:
    doubling = 'set "a" "${a}${a}${a}${a}";' * 200
    outcome = outcome_of(f'require ["variables", "fileinto"]; set "a" "xxxx"; {doubling}', b"\r\n")
    assert outcome.error == ""
