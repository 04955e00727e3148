"""A tree as text; parsing it gives the same tree, positions aside."""

from collections.abc import Iterator

from mailstead.formats.sieve.tree import Argument, Command, NumberArgument, Script, StringsArgument, TagArgument, Test

_INDENT = "    "


def print_script(script: Script) -> str:
    """The script in one plain style, lines ended by LF."""
    return "".join(line + "\n" for command in script.commands for line in _command(command, ""))


def quote(text: str) -> str:
    """A string as a quoted-string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _command(command: Command, indent: str) -> Iterator[str]:
    head = indent + " ".join([command.name, *_rest(command)])
    if command.block is None:
        yield head + ";"
        return
    yield head + " {"
    for inner in command.block:
        yield from _command(inner, indent + _INDENT)
    yield indent + "}"


def _rest(node: Command | Test) -> Iterator[str]:
    for argument in node.arguments:
        yield _argument(argument)
    tests = [" ".join([test.name, *_rest(test)]) for test in node.tests]
    if node.listed:
        yield f"({', '.join(tests)})"
    else:
        yield from tests


def _argument(argument: Argument) -> str:
    match argument:
        case TagArgument(name):
            return f":{name}"
        case NumberArgument(value):
            return str(value)
        case StringsArgument(values, is_list):
            quoted = ", ".join(quote(value) for value in values)
            return f"[{quoted}]" if is_list else quoted
