"""From the tree to a program: what is required, known, allowed together, and in its place (RFC 5228 §2.10, §3).

What an `ihave` test may switch on later is not refused here but where it is run (RFC 5463 §4).
"""

from collections.abc import Callable, Sequence
from typing import NoReturn

from mailstead.formats.sieve.bounds import Bounds
from mailstead.formats.sieve.errors import ScriptError
from mailstead.formats.sieve.extensions import REGISTRY
from mailstead.formats.sieve.extensions.registry import Entry
from mailstead.formats.sieve.parser import DEFAULT_BOUNDS, parse
from mailstead.formats.sieve.program import Include, Operation, Program, Template, Variable
from mailstead.formats.sieve.specification import ArgumentKind, Check, Positional, Values
from mailstead.formats.sieve.strings import decode_encoded_characters, split_template
from mailstead.formats.sieve.tree import Argument, Command, NumberArgument, Position, StringsArgument, TagArgument, Test

_KIND_WORDS: dict[ArgumentKind, str] = {"string": "a string", "strings": "a list of strings", "number": "a number"}
_BRANCHES = ("elsif", "else")


def compile_script(
    script: str | bytes, bounds: Bounds = DEFAULT_BOUNDS, capabilities: frozenset[str] | None = None
) -> Program:
    """The program of a script. `capabilities` are those offered, all by default. Raises ScriptError."""
    offered = frozenset(REGISTRY.capabilities) if capabilities is None else capabilities
    return _Compiler(offered).program(parse(script, bounds).commands)


class _Compiler:
    def __init__(self, offered: frozenset[str]) -> None:
        self._offered = offered
        self._required: set[str] = set()
        self._includes: set[Include] = set()
        self._loops: list[str] = []
        self._needs: set[str] = set()

    def program(self, commands: Sequence[Command]) -> Program:
        """All commands; the `require` ones come first."""
        first = next((place for place, one in enumerate(commands) if one.name != "require"), len(commands))
        for command in commands[:first]:
            self._require(command)
        operations = self._commands(commands[first:])
        return Program(operations, frozenset(self._required), frozenset(self._includes))

    def _require(self, command: Command) -> None:
        if len(command.arguments) != 1 or not isinstance(command.arguments[0], StringsArgument):
            _fail('"require" takes the names of extensions.', command.at)
        if command.tests or command.block is not None:
            _fail('"require" takes no tests and no block.', command.at)
        for name in command.arguments[0].values:
            if name not in self._offered or name not in REGISTRY.extensions:
                _fail(f'There is no extension "{name}" here.', command.arguments[0].at)
            self._required.add(name)
            self._required.update(REGISTRY.extensions[name].implies)

    @property
    def _defers(self) -> bool:
        return "ihave" in self._required

    def _has(self, capability: str, what: str, at: Position) -> None:
        """That a capability was required; else it is needed when run, where scripts may switch it on."""
        if not capability or capability in self._required:
            return
        if not self._defers:
            _fail(f'{what} needs: require "{capability}";', at)
        self._needs.add(capability)

    def _commands(self, commands: Sequence[Command]) -> tuple[Operation, ...]:
        before = ""
        operations: list[Operation] = []
        for command in commands:
            if command.name in _BRANCHES and before not in ("if", "elsif"):
                _fail(f'"{command.name}" stands after "if" or "elsif" only.', command.at)
            operations.append(self._command(command))
            before = command.name
        return tuple(operations)

    def _command(self, command: Command) -> Operation:
        if command.name == "require":
            _fail('"require" stands before all other commands.', command.at)
        entry = REGISTRY.commands.get(command.name)
        if entry is None:
            if command.name in REGISTRY.tests:
                _fail(f'"{command.name}" is a test, not a command.', command.at)
            return self._unknown(command, "command")
        outer, self._needs = self._needs, set()
        values = self._signature(entry, command)
        if entry.specification.block != (command.block is not None):
            wanted = "is followed by a block" if entry.specification.block else "takes no block"
            _fail(f'"{command.name}" {wanted}.', command.at)
        self._check_special(command, values)
        tests = tuple(self._test(test) for test in command.tests)
        needs, self._needs = tuple(sorted(self._needs)), outer
        if command.name == "foreverypart":
            self._loops.append(values.get("name", ""))
        block = self._commands(command.block or ())
        if command.name == "foreverypart":
            self._loops.pop()
        return Operation(command.name, values, tests, block, command.at.line, needs)

    def _unknown(self, node: Command | Test, kind: str) -> Operation:
        if not self._defers:
            _fail(f'There is no {kind} "{node.name}".', node.at)
        return Operation(node.name, {}, line=node.at.line, needs=(f'the {kind} "{node.name}"',))

    def _test(self, test: Test) -> Operation:
        entry = REGISTRY.tests.get(test.name)
        if entry is None:
            if test.name in REGISTRY.commands:
                _fail(f'"{test.name}" is a command, not a test.', test.at)
            return self._unknown(test, "test")
        outer, self._needs = self._needs, set()
        values = self._signature(entry, test)
        tests = tuple(self._test(inner) for inner in test.tests)
        needs, self._needs = tuple(sorted(self._needs)), outer
        return Operation(test.name, values, tests, (), test.at.line, needs)

    def _check_special(self, command: Command, values: Values) -> None:
        check = _SPECIAL.get(command.name)
        if check is not None:
            check(self, command, values)

    def _check_break(self, command: Command, values: Values) -> None:
        if not self._loops:
            _fail('"break" stands inside "foreverypart" only.', command.at)
        if "name" in values and values["name"] not in self._loops:
            _fail(f'There is no loop named "{values["name"]}" around this "break".', command.at)

    def _check_include(self, _: Command, values: Values) -> None:
        self._includes.add(Include(values.get("location", "personal"), values["script"]))

    def _check_global(self, command: Command, _: Values) -> None:
        self._has("variables", '"global"', command.at)

    def _check_extracttext(self, command: Command, _: Values) -> None:
        self._has("variables", '"extracttext"', command.at)
        if not self._loops:
            _fail('"extracttext" stands inside "foreverypart" only.', command.at)

    def _check_set(self, command: Command, values: Values) -> None:
        if values["variable"].lower().startswith("global."):
            self._has("include", "A global variable", command.at)

    # arguments

    def _signature(self, entry: Entry, node: Command | Test) -> Values:
        """The arguments by name."""
        specification = entry.specification
        self._has(entry.capability, f'"{node.name}"', node.at)
        values: Values = {}
        plain: list[NumberArgument | StringsArgument] = []
        rest = list(node.arguments)
        while rest:
            argument = rest.pop(0)
            if isinstance(argument, TagArgument):
                self._tag(entry, node.name, argument, rest, values)
            elif not specification.positionals or isinstance(argument, TagArgument):
                _fail(f'"{node.name}" takes no such argument.', argument.at)
            else:
                plain.append(argument)
        self._positionals(node, specification.positionals, plain, values)
        self._tag_needs(entry, node, values)
        if specification.tests == "none" and node.tests:
            _fail(f'"{node.name}" takes no test.', node.at)
        if specification.tests == "one" and (len(node.tests) != 1 or node.listed):
            _fail(f'"{node.name}" takes one test.', node.at)
        if specification.tests == "list" and not node.listed:
            _fail(f'"{node.name}" takes tests in parentheses.', node.at)
        complaint = specification.check(values) if specification.check is not None else None
        if complaint:
            _fail(complaint, node.at)
        if "comparator" in values:
            self._has_comparator(values["comparator"], node.at)
        return values

    def _has_comparator(self, name: str, at: Position) -> None:
        if name not in ("i;octet", "i;ascii-casemap"):  # RFC 5228 §2.7.3: these need not be required
            self._has(f"comparator-{name}", f'The comparator "{name}"', at)

    def _tag_needs(self, entry: Entry, node: Command | Test, values: Values) -> None:
        for argument in node.arguments:
            tag = entry.tags.get(argument.name) if isinstance(argument, TagArgument) else None
            if tag is not None and tag.needs and tag.needs not in values:
                _fail(f'":{tag.name}" makes sense with ":{tag.needs}" only.', argument.at)

    def _tag(self, entry: Entry, owner: str, argument: TagArgument, rest: list[Argument], values: Values) -> None:
        tag = entry.tags.get(argument.name)
        if tag is None:
            if not self._defers:
                _fail(f'"{owner}" has no argument ":{argument.name}".', argument.at)
            self._needs.add(f'the argument ":{argument.name}"')
            return
        self._has(tag.capability, f'":{tag.name}"', argument.at)
        if tag.name in values or (tag.group and tag.group in values):
            other = values.get(tag.group, tag.name) if tag.group else tag.name
            same = "stands twice" if other == tag.name else f'and ":{other}" exclude each other'
            _fail(f'":{tag.name}" {same}.', argument.at)
        if tag.group:
            values[tag.group] = tag.name
        if tag.kind is None:
            if not tag.group:
                values[tag.name] = True
            return
        if not rest or isinstance(rest[0], TagArgument):
            _fail(f'":{tag.name}" is followed by {_KIND_WORDS[tag.kind]}.', argument.at)
        following = rest.pop(0)
        values[tag.name] = self._value(following, tag.kind, tag.check, tag.constant, f'":{tag.name}"')

    def _positionals(
        self,
        node: Command | Test,
        wanted: Sequence[Positional],
        given: Sequence[Argument],
        values: Values,
    ) -> None:
        lacking = len(wanted) - len(given)
        taken: list[Positional] = []
        for one in wanted:
            if one.optional and lacking > 0:
                lacking -= 1
            else:
                taken.append(one)
        if len(taken) != len(given) or lacking > 0:
            expected = ", ".join(f"{one.name} ({_KIND_WORDS[one.kind]})" for one in wanted) or "nothing"
            _fail(f'"{node.name}" takes {expected}.', node.at)
        for one, argument in zip(taken, given, strict=True):
            values[one.name] = self._value(argument, one.kind, one.check, one.constant, f'"{node.name}"')

    def _value(self, argument: Argument, kind: ArgumentKind, check: Check | None, constant: bool, owner: str) -> object:
        if kind == "number":
            if not isinstance(argument, NumberArgument):
                _fail(f"{owner} takes a number here.", argument.at)
            return argument.value
        if not isinstance(argument, StringsArgument) or (kind == "string" and argument.is_list):
            _fail(f"{owner} takes {_KIND_WORDS[kind]} here.", argument.at)
        found = tuple(self._template(value, check, constant, owner, argument.at) for value in argument.values)
        return found if kind == "strings" else found[0]

    def _template(self, text: str, check: Check | None, constant: bool, owner: str, at: Position) -> Template:
        template: Template = text
        if "encoded-character" in self._required and "${" in text:
            try:
                template = text = decode_encoded_characters(text)
            except ValueError:
                _fail("There is an encoded character that is none.", at)
        if "variables" in self._required:
            template = self._variables(text, at)
        if isinstance(template, str):
            complaint = check(template) if check is not None else None
            if complaint:
                _fail(complaint, at)
        elif constant:
            _fail(f"{owner} takes no variables here.", at)
        return template

    def _variables(self, text: str, at: Position) -> Template:
        try:
            template = split_template(text)
        except ValueError as error:
            _fail(f"There is no variable {error}; the last one of a match is ${{9}}.", at)
        if not isinstance(template, str):
            for piece in template:
                if isinstance(piece, Variable) and piece.namespace:
                    if piece.namespace != "global":
                        _fail(f'There are no variables "{piece.namespace}.".', at)
                    self._has("include", "A global variable", at)
        return template


_SPECIAL: dict[str, Callable[[_Compiler, Command, Values], None]] = {
    "break": _Compiler._check_break,
    "include": _Compiler._check_include,
    "global": _Compiler._check_global,
    "extracttext": _Compiler._check_extracttext,
    "set": _Compiler._check_set,
}


def _fail(reason: str, at: Position) -> NoReturn:
    raise ScriptError(reason, at.line, at.column)
