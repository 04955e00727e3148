"""From tokens to the tree (RFC 5228 §8.2).

start     = *command
command   = identifier arguments (";" / block)
block     = "{" *command "}"
arguments = *argument [ test / test-list ]
argument  = string-list / number / tag
test      = identifier arguments
test-list = "(" test *("," test) ")"
string-list = "[" string *("," string) "]" / string
"""

from typing import NoReturn

from mailstead.formats.sieve.bounds import Bounds
from mailstead.formats.sieve.errors import ScriptError
from mailstead.formats.sieve.lexer import Lexer, Token
from mailstead.formats.sieve.tree import (
    Argument,
    Command,
    NumberArgument,
    Position,
    Script,
    StringsArgument,
    TagArgument,
    Test,
)

DEFAULT_BOUNDS = Bounds()


def parse(script: str | bytes, bounds: Bounds = DEFAULT_BOUNDS) -> Script:
    """The tree of a script. Raises ScriptError."""
    return _Parser(Lexer(script, bounds), bounds).script()


class _Parser:
    def __init__(self, lexer: Lexer, bounds: Bounds) -> None:
        self._lexer = lexer
        self._bounds = bounds
        self._tokens = lexer.tokens()
        self._place = 0
        self._strings = 0

    @property
    def _next(self) -> Token:
        return self._tokens[self._place]

    def _take(self) -> Token:
        token = self._tokens[self._place]
        self._place += 1
        return token

    def _fail(self, reason: str, token: Token) -> NoReturn:
        position = self._lexer.at(token.offset)
        raise ScriptError(reason, position.line, position.column)

    def _is(self, sign: str) -> bool:
        return self._next.kind == "special" and self._next.text == sign

    def _at(self, token: Token) -> Position:
        return self._lexer.at(token.offset)

    def script(self) -> Script:
        """start = *command"""
        commands: list[Command] = []
        while self._next.kind != "end":
            commands.append(self._command(0))
        return Script(tuple(commands))

    def _command(self, depth: int) -> Command:
        """command = identifier arguments (";" / block)"""
        name = self._take()
        if name.kind != "identifier":
            self._fail(f"A command is expected here, not {_shown(name)}.", name)
        arguments, tests, listed = self._arguments(depth)
        block: tuple[Command, ...] | None = None
        if self._is("{"):
            block = self._block(depth + 1)
        elif self._is(";"):
            self._take()
        else:
            self._fail(f'"{name.text}" is ended by ";" or a block, not by {_shown(self._next)}.', self._next)
        return Command(name.text, arguments, tests, listed, block, self._at(name))

    def _block(self, depth: int) -> tuple[Command, ...]:
        """block = "{" *command "}" """
        opening = self._take()
        self._check_depth(depth, opening)
        commands: list[Command] = []
        while not self._is("}"):
            if self._next.kind == "end":
                self._fail("This block is never closed.", opening)
            commands.append(self._command(depth))
        self._take()
        return tuple(commands)

    def _check_depth(self, depth: int, token: Token) -> None:
        if depth > self._bounds.nesting:
            self._fail(f"Blocks and tests are nested more than {self._bounds.nesting} deep.", token)

    def _arguments(self, depth: int) -> tuple[tuple[Argument, ...], tuple[Test, ...], bool]:
        """arguments = *argument [ test / test-list ]"""
        arguments: list[Argument] = []
        while (argument := self._argument()) is not None:
            if len(arguments) == self._bounds.arguments:
                self._fail(f"There are more than {self._bounds.arguments} arguments.", self._next)
            arguments.append(argument)
        if self._next.kind == "identifier":
            return tuple(arguments), (self._test(depth + 1),), False
        if self._is("("):
            return tuple(arguments), self._test_list(depth + 1), True
        return tuple(arguments), (), False

    def _argument(self) -> Argument | None:
        """argument = string-list / number / tag"""
        token = self._next
        if token.kind == "tag":
            return TagArgument(self._take().text, self._at(token))
        if token.kind == "number":
            return NumberArgument(self._take().number, self._at(token))
        if token.kind == "string":
            return StringsArgument((self._string(),), False, self._at(token))
        if self._is("["):
            return self._string_list()
        return None

    def _string(self) -> str:
        token = self._take()
        if token.kind != "string":
            self._fail(f"A string is expected here, not {_shown(token)}.", token)
        self._strings += 1
        if self._strings > self._bounds.strings:
            self._fail(f"The script has more than {self._bounds.strings} strings.", token)
        return token.text

    def _string_list(self) -> StringsArgument:
        """string-list = "[" string *("," string) "]" """
        opening = self._take()
        values = [self._string()]
        while self._is(","):
            self._take()
            values.append(self._string())
        if not self._is("]"):
            self._fail(
                f'A list of strings goes on with "," or ends with "]", not with {_shown(self._next)}.', self._next
            )
        self._take()
        return StringsArgument(tuple(values), True, self._at(opening))

    def _test(self, depth: int) -> Test:
        """test = identifier arguments"""
        name = self._take()
        if name.kind != "identifier":
            self._fail(f"A test is expected here, not {_shown(name)}.", name)
        self._check_depth(depth, name)
        arguments, tests, listed = self._arguments(depth)
        return Test(name.text, arguments, tests, listed, self._at(name))

    def _test_list(self, depth: int) -> tuple[Test, ...]:
        """test-list = "(" test *("," test) ")" """
        self._take()
        tests = [self._test(depth)]
        while self._is(","):
            self._take()
            tests.append(self._test(depth))
        if not self._is(")"):
            self._fail(f'A list of tests goes on with "," or ends with ")", not with {_shown(self._next)}.', self._next)
        self._take()
        return tuple(tests)


def _shown(token: Token) -> str:
    if token.kind == "end":
        return "the end of the script"
    if token.kind == "string":
        return "a string"
    return f'":{token.text}"' if token.kind == "tag" else f'"{token.text}"'
