"""A checked script, ready to be run any number of times."""

from typing import TypeAlias

import msgspec

from mailstead.formats.sieve.specification import Values


class Variable(msgspec.Struct, frozen=True):
    """A reference in a string: `${name}`, `${namespace.name}`, or `${number}` of the last match (RFC 5229 §3)."""

    name: str
    namespace: str = ""
    number: int | None = None


Template: TypeAlias = str | tuple[str | Variable, ...]
"""A string, or its pieces when it holds variables."""


class Operation(msgspec.Struct, frozen=True):
    """A command or test with its arguments by name.

    `needs` are capabilities that an `ihave` test must have switched on by then, else the script fails here.
    """

    name: str
    values: Values
    tests: tuple["Operation", ...] = ()
    block: tuple["Operation", ...] = ()
    line: int = 0
    needs: tuple[str, ...] = ()


class Include(msgspec.Struct, frozen=True):
    """A script that another one includes."""

    location: str
    name: str


class Program(msgspec.Struct, frozen=True):
    """A whole script; `includes` are all scripts that it names itself."""

    operations: tuple[Operation, ...]
    capabilities: frozenset[str]
    includes: frozenset[Include] = frozenset()
