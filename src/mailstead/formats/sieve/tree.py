"""A script as it was written."""

import msgspec


class Position(msgspec.Struct, frozen=True, array_like=True):
    """A place in a script, both numbers from 1."""

    line: int
    column: int


class TagArgument(msgspec.Struct, frozen=True):
    """`:name`, lower case, without the colon."""

    name: str
    at: Position


class NumberArgument(msgspec.Struct, frozen=True):
    """A number, its quantifier multiplied out."""

    value: int
    at: Position


class StringsArgument(msgspec.Struct, frozen=True):
    """A string, or a list of them in brackets."""

    values: tuple[str, ...]
    is_list: bool
    at: Position


Argument = TagArgument | NumberArgument | StringsArgument


class Test(msgspec.Struct, frozen=True):
    """A test; `listed` when its tests stand in parentheses."""

    name: str
    arguments: tuple[Argument, ...]
    tests: tuple["Test", ...]
    listed: bool
    at: Position


class Command(msgspec.Struct, frozen=True):
    """A command; `block` is None when it ends with a semicolon."""

    name: str
    arguments: tuple[Argument, ...]
    tests: tuple[Test, ...]
    listed: bool
    block: "tuple[Command, ...] | None"
    at: Position


class Script(msgspec.Struct, frozen=True):
    """All commands."""

    commands: tuple[Command, ...]
