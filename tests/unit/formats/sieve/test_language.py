"""The lexer, the parser and the printer: round trip, hostile input, sievelib as a second opinion."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sievelib.parser import Parser as OtherParser

from mailstead.formats.sieve import tree
from mailstead.formats.sieve.bounds import Bounds
from mailstead.formats.sieve.compiler import compile_script
from mailstead.formats.sieve.errors import ScriptError
from mailstead.formats.sieve.parser import parse
from mailstead.formats.sieve.printer import print_script
from support.sieve_case import Case, read_cases

NOWHERE = tree.Position(1, 1)
CASES = [case for path in sorted(Path("tests/sieve/cases").glob("*.txt")) for case in read_cases(path)]

names = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)
texts = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=20)
arguments = st.one_of(
    st.builds(tree.TagArgument, names, st.just(NOWHERE)),
    st.builds(tree.NumberArgument, st.integers(0, 2**31 - 1), st.just(NOWHERE)),
    st.builds(tree.StringsArgument, texts.map(lambda text: (text,)), st.just(False), st.just(NOWHERE)),
    st.builds(
        tree.StringsArgument, st.lists(texts, min_size=1, max_size=4).map(tuple), st.just(True), st.just(NOWHERE)
    ),
)


def _nodes(build: type, inner: st.SearchStrategy[tree.Test]) -> st.SearchStrategy[tree.Test]:
    rest = st.lists(arguments, max_size=4).map(tuple)
    return st.one_of(
        st.builds(build, names, rest, st.just(()), st.just(False), st.just(NOWHERE)),
        st.builds(build, names, rest, inner.map(lambda one: (one,)), st.just(False), st.just(NOWHERE)),
        st.builds(
            build, names, rest, st.lists(inner, min_size=1, max_size=3).map(tuple), st.just(True), st.just(NOWHERE)
        ),
    )


leaf = st.builds(
    tree.Test, names, st.lists(arguments, max_size=3).map(tuple), st.just(()), st.just(False), st.just(NOWHERE)
)
tests = st.recursive(leaf, lambda inner: _nodes(tree.Test, inner), max_leaves=6)


def _commands(inner: st.SearchStrategy[tree.Command]) -> st.SearchStrategy[tree.Command]:
    return st.builds(
        lambda test, block: tree.Command(test.name, test.arguments, test.tests, test.listed, block, NOWHERE),
        tests,
        st.one_of(st.none(), st.lists(inner, max_size=3).map(tuple)),
    )


simple = tests.map(lambda test: tree.Command(test.name, test.arguments, test.tests, test.listed, None, NOWHERE))
commands = st.recursive(simple, _commands, max_leaves=6)
scripts = st.lists(commands, max_size=4).map(lambda found: tree.Script(tuple(found)))


def _placed(node: Any) -> Any:
    """A tree without positions."""
    if isinstance(node, tree.Position):
        return NOWHERE
    if isinstance(node, tuple):
        return tuple(_placed(one) for one in node)
    if isinstance(node, msgspec.Struct):
        return msgspec.structs.replace(node, **{name: _placed(getattr(node, name)) for name in node.__struct_fields__})
    return node


@given(scripts)
def test_what_is_printed_is_read_again(script: tree.Script) -> None:
    assert _placed(parse(print_script(script), Bounds(nesting=100, arguments=1000))) == script


@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    _compile(data)


_PIECES = (
    'require "fileinto";', "if", "elsif", "else", "true", "not", "allof", "(", ")", "{", "}", ";", ",", "[", "]", '"a"', '"${a}"',
    ":is", ":matches", ":count", '"ge"', "header", "address", "keep", "fileinto", "set",
    'require ["variables", "ihave", "include"];',
    "12K", "text:\r\nx\r\n.\r\n", "/* x */", "# y\n", "stop", "foreverypart", "break", "ihave", "frobnicate",
)  # fmt: skip


@settings(max_examples=400)
@given(st.lists(st.sampled_from(_PIECES), max_size=40))
def test_any_words_in_any_order(words: list[str]) -> None:
    _compile(" ".join(words).encode())


@settings(max_examples=200)
@given(st.sampled_from(CASES), st.data())
def test_damaged_scripts(case: Case, data: st.DataObject) -> None:
    octets = bytearray(case.script.encode())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(octets)))
        octets[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    _compile(bytes(octets))


def _compile(script: bytes) -> None:
    found: ScriptError | None = None
    try:
        compile_script(script)
    except ScriptError as error:
        found = error
    if found is not None:
        assert 1 <= found.line <= script.count(b"\n") + 1
        assert found.column >= 1
        assert found.reason.endswith((".", ";"))


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (b"# " + b"x" * 70_000, "octets"),
        (b"if " + b"not " * 100 + b"true { keep; }", "nested more than 32 deep"),
        (b"if true { " * 100 + b"keep;" + b"}" * 100, "nested more than 32 deep"),
        (b"keep;" * 11_000, "more than 20000 words and signs"),
        (b"keep " + b":a " * 100 + b";", "more than 32 arguments"),
        (b'keep ["a"' + b',"a"' * 5000 + b"];", "more than 4000 strings"),
        (b'keep "\xff";', "line 1, column 7: The script is not UTF-8 here."),
        (b'keep "a\0";', "NUL"),
        (b'keep "a', "line 1, column 6: This string is never closed."),
        (b"\n\n  /* a", "line 3, column 3: This comment is never closed."),
        (b"keep text:\nabc", "never ended by a line with a single dot"),
        (b"keep 99999999999999999999G;", "This number is too large."),
        (b"keep 12x;", "line 1, column 6: '1' cannot stand here."),
        (b"keep [];", "A string is expected here"),
        (b"if true { keep;", "line 1, column 9: This block is never closed."),
        (b"if anyof (true; false) { keep; }", "A list of tests goes on"),
        (b'keep ["a" "b"];', "A list of strings goes on"),
    ],
)
def test_what_is_wrong_is_said_and_where(script: bytes, reason: str) -> None:
    with pytest.raises(ScriptError) as caught:
        compile_script(script)
    assert reason in str(caught.value)


# sievelib knows these extensions as Mailstead does; it reads neither ${} nor tags of others
_SHARED = ("fileinto", "copy", "envelope", "reject", "body", "imap4flags", "vacation", "relational")


def _is_shared(script: str) -> bool:
    required = [word for command in parse(script).commands if command.name == "require" for word in _values(command)]
    return bool(required) and all(word in _SHARED for word in required)


def _values(command: tree.Command) -> tuple[str, ...]:
    first = command.arguments[0]
    assert isinstance(first, tree.StringsArgument)
    return first.values


SHARED = [case for case in CASES if not case.refused and _is_shared(case.script)]


def test_sievelib_takes_the_same_scripts() -> None:
    assert len(SHARED) >= 15
    refused = []
    for case in SHARED:
        other = OtherParser()
        if not other.parse(case.script.encode()):
            refused.append((case.title, other.error))
    assert refused == []


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_sievelib_reads_what_is_printed(data: st.DataObject) -> None:
    """Scripts of the language both know, made at random and printed by us, are read alike."""
    words = st.text(
        st.characters(min_codepoint=32, max_codepoint=126, exclude_characters='"\\'), min_size=1, max_size=9
    )
    header = st.builds(
        lambda a, b, m: f'header :{m} "{a}" ["{b}", "x"]',
        st.just("subject"),
        words,
        st.sampled_from(("is", "contains", "matches")),
    )
    size = st.builds(lambda n, way: f"size :{way} {n}K", st.integers(1, 99), st.sampled_from(("over", "under")))
    test = st.recursive(
        st.one_of(header, size, st.sampled_from(("true", "false", 'exists "x-a"'))),
        lambda inner: st.one_of(
            inner.map(lambda one: f"not {one}"),
            st.lists(inner, min_size=1, max_size=3).map(lambda all_: f"allof ({', '.join(all_)})"),
        ),
        max_leaves=5,
    )
    action = st.one_of(st.sampled_from(("keep;", "discard;", "stop;")), words.map(lambda name: f'fileinto "{name}";'))
    text = 'require "fileinto";\n' + "".join(
        f"if {data.draw(test)} {{ {data.draw(action)} }}\n" for _ in range(data.draw(st.integers(1, 4)))
    )
    printed = print_script(parse(text))
    other = OtherParser()
    assert other.parse(printed.encode()), other.error
    assert [command.name for command in other.result] == [command.name for command in parse(printed).commands]
