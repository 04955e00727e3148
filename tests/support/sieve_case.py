"""Cases of Sieve as text: a script, a message, and the actions that come out.

    === title
    script:            (several lines; "include NAME:" begins an included personal script, "global NAME:" a global one)
    message:           (left out: a small message from carol@example.net to alice@example.test)
    given: key value   (sender, recipient, owner, now, zone, folder NAME [USE...], list NAME [MEMBER...], seen,
                        setting NAME N, remote, spam, virus)
    actions:           (one line each, as `shown` prints them)

A line that is indented belongs to the section above it. `actions: error ...` is an error of the script at run time,
`refused: ...` one that it is not taken for; both give a part of the sentence.
"""

import re
import textwrap
from pathlib import Path

import msgspec
import pytest

from mailstead.formats.message.part import Bounds
from mailstead.formats.sieve.compiler import compile_script
from mailstead.formats.sieve.errors import ScriptError
from mailstead.formats.sieve.program import Include, Program
from mailstead.foundation.config.sections.sieve import SieveSettings
from mailstead.mail.filtering.actions import (
    Action,
    AskFolders,
    AskListed,
    AskMembers,
    AskScript,
    AskSeen,
    Copy,
    Edited,
    Filing,
    Notify,
    Outcome,
    Redirect,
    Reject,
    Vacation,
)
from mailstead.mail.filtering.environment import Answers, Environment
from mailstead.mail.filtering.interpreter import run_script

MESSAGE = """\
From: Carol <carol@example.net>
To: alice@example.test
Subject: Hello there
Message-ID: <1@example.net>
Date: Tue, 24 Nov 2026 10:00:00 +0200

A body.
"""


class Case(msgspec.Struct):
    title: str
    script: str = ""
    message: str = MESSAGE
    included: dict[tuple[str, str], str] = {}
    given: list[tuple[str, str]] = []
    actions: list[str] = []
    words: list[str] = []
    refused: str = ""


def read_cases(path: Path) -> list[Case]:
    cases: list[Case] = []
    for block in path.read_text("utf-8").split("=== ")[1:]:
        title, _, rest = block.partition("\n")
        cases.append(_case(title.strip(), rest))
    return cases


def _case(title: str, text: str) -> Case:
    case = Case(title)
    head, lines = "", list[str]()

    def finish() -> None:
        body = textwrap.dedent("\n".join(lines)).strip("\n") + "\n"
        if head == "script":
            case.script = body
        elif head == "message":
            case.message = body
        elif head == "actions":
            case.actions = [line for line in body.splitlines() if line.strip()]
        elif head.startswith(("include ", "global ")):
            kind, _, name = head.partition(" ")
            case.included[("global" if kind == "global" else "personal", name)] = body

    for line in text.splitlines():
        if line.startswith((" ", "\t")) or not line.strip():
            lines.append(line)
            continue
        finish()
        head, lines = "", []
        name, _, value = line.partition(":")
        if name == "given":
            key, _, argument = value.strip().partition(" ")
            case.given.append((key, argument))
        elif name == "refused":
            case.refused = value.strip()
        elif name == "words":
            case.words.append(value.strip())
        else:
            head = name.strip()
            assert head.split()[0] in ("script", "message", "actions", "include", "global"), line
    finish()
    return case


def _environment(case: Case) -> tuple[Environment, dict[str, str], bool, SieveSettings]:
    fields: dict[str, object] = {
        "sender": "carol@example.net",
        "recipient": "alice@example.test",
        "owner_addresses": frozenset({"alice@example.test"}),
        "now": 1795600000.0,  # 2026-11-25 09:46:40 UTC, a Wednesday
        "hostname": "mail.example.test",
    }
    folders = {"INBOX": ""}
    seen = False
    settings: dict[str, int] = {}
    for key, value in case.given:
        if key in ("sender", "recipient"):
            fields[key] = "" if value == "<>" else value
        elif key == "owner":
            fields["owner_addresses"] = frozenset({*value.split()})
        elif key == "now":
            fields["now"] = float(value)
        elif key == "zone":
            fields["zone_offset"] = int(value)
        elif key == "folder":
            name, _, uses = value.partition(" ")
            folders[name] = uses
        elif key == "seen":
            seen = True
        elif key == "list":
            pass  # see run_case
        elif key == "remote":
            fields["remote_ip"] = value
        elif key == "spam":
            fields["spam"] = float(value)
        elif key == "virus":
            fields["virus"] = int(value)
        elif key == "setting":
            name, _, number = value.partition(" ")
            settings[name] = int(number)
        else:
            raise AssertionError(key)
    return msgspec.convert(fields, Environment), folders, seen, SieveSettings(**settings)


def _given(case: Case, wanted: str) -> list[tuple[str, list[str]]]:
    return [(key, value.split()) for key, value in case.given if key == wanted]


def run_case(case: Case) -> Outcome:
    """Compile and run; questions are answered from what is given."""
    environment, folders, seen, settings = _environment(case)
    lists = {key: tuple(values) for _, (key, *values) in _given(case, "list")}
    raw = case.message.replace("\n", "\r\n").encode("utf-8", "surrogateescape")
    program = compile_script(case.script)
    scripts: dict[Include, Program | None] = {}
    answers = Answers()
    for _ in range(50):
        found = run_script(program, raw, environment, answers, settings, Bounds())
        match found:
            case Outcome():
                return found
            case AskFolders():
                answers = msgspec.structs.replace(answers, folders=folders)
            case AskSeen(key):
                answers = msgspec.structs.replace(answers, seen={**answers.seen, key: seen})
            case AskListed(names, values):
                known = [lists.get(name) for name in names]
                members = [member for one in known for member in one or () if member in values]
                answer = None if None in known else "".join(members[:1])
                answers = msgspec.structs.replace(answers, listed={**answers.listed, found: answer})
            case AskMembers(name):
                answers = msgspec.structs.replace(answers, members={**answers.members, name: lists.get(name)})
            case AskScript(include):
                text = case.included.get((include.location, include.name))
                scripts[include] = compile_script(text) if text is not None else None
                answers = msgspec.structs.replace(answers, scripts=dict(scripts))
    raise AssertionError("too many questions")


def check_case(case: Case) -> None:
    """Raises AssertionError with both lists when they differ."""
    if case.refused:
        with pytest.raises(ScriptError) as refused:
            compile_script(case.script)
        assert case.refused in str(refused.value)
        return
    outcome = run_case(case)
    shown = shown_outcome(outcome)
    if case.actions and case.actions[0].startswith("error "):
        assert len(shown) == 1
        assert case.actions[0][6:] in shown[0], shown[0]
        assert outcome.actions == (Filing(),)
    else:
        assert shown == case.actions, "\n".join(["", *shown])
    for words in case.words:
        assert any(words in one for one in outcome.words), outcome.words


def shown_outcome(outcome: Outcome) -> list[str]:
    """The outcome in the words of the cases."""
    if outcome.error:
        return [f"error {outcome.error}"]
    lines = [_shown(action) for action in outcome.actions] or ["discard"]
    return lines + [f"remember {seen.seconds:.0f}s{' extended' if seen.extend else ''}" for seen in outcome.seen]


def _target(mailbox: str, flags: tuple[str, ...], create: bool, special_use: str) -> str:
    shown = mailbox or "INBOX"
    shown += f" or {special_use}" if special_use else ""
    shown += " created" if create else ""
    return shown + (f" flags {' '.join(flags)}" if flags else "")


def _edited(edited: Edited | None) -> str:
    """A header in one line, or the whole message when it was rewritten: lines apart by bars."""
    if edited is None:
        return ""
    kind = "message" if b"\r\n\r\n" in edited.octets.removesuffix(b"\r\n\r\n") else "header"
    shown = edited.octets.decode().rstrip("\r\n").replace("\r\n", " | ")
    return f" {kind} {re.sub('=_[0-9a-f]{36}', '=_BOUNDARY', shown)}"


def _copy(copy: Copy | None) -> str:
    return "" if copy is None else f" copy {_target(copy.mailbox, copy.flags, copy.create, copy.special_use)}"


def _shown(action: Action) -> str:
    match action:
        case Filing():
            target = _target(action.mailbox, action.flags, action.create, action.special_use)
            return f"file {target}{_edited(action.edited)}"
        case Redirect():
            return f"redirect {action.address}{_edited(action.edited)}"
        case Reject():
            return f"{'ereject' if action.at_protocol else 'reject'} {action.reason!r}"
        case Vacation():
            mime = " mime" if action.is_mime else ""
            said = f"{action.subject!r} {action.reason!r}{mime} every {action.seconds:.0f}s"
            return f"vacation from {action.sender} to {action.recipient} {said}{_copy(action.copy)}"
        case Notify():
            to = " ".join(action.recipients)
            first = action.text.splitlines()[0]
            return f"notify from {action.sender} to {to} {action.subject!r} {first!r} {action.importance}{_copy(action.copy)}"
