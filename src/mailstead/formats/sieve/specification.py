"""How commands, tests and their arguments are declared; the tables are in `extensions`."""

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import msgspec

ArgumentKind = Literal["string", "strings", "number"]
Check: TypeAlias = Callable[[str], str | None]
"""Takes a string that is known before the script runs; gives a sentence when it is wrong."""
Values: TypeAlias = dict[str, Any]
WholeCheck: TypeAlias = Callable[[Values], str | None]
"""The same for all arguments of a command or test together, by their names."""


class Positional(msgspec.Struct, frozen=True):
    """An argument by its place. `constant`: no variables in it; `optional`: the first to be left out when some lack."""

    name: str
    kind: ArgumentKind
    check: Check | None = None
    constant: bool = False
    optional: bool = False


class Tag(msgspec.Struct, frozen=True):
    """A tagged argument.

    `capability` is what a script must require to use it ("" when the command's own is enough). Of the tags with one
    `group` at most one may stand; its name is then the value of the group. `kind` is that of the argument that
    follows, which becomes the value of the tag. `needs` is another tag of the same command it makes sense with.
    """

    name: str
    kind: ArgumentKind | None = None
    capability: str = ""
    group: str = ""
    check: Check | None = None
    constant: bool = False
    needs: str = ""


class Specification(msgspec.Struct, frozen=True):
    """A command or a test. `tests` is how many tests it takes, `block` whether a block ends it."""

    name: str
    positionals: tuple[Positional, ...] = ()
    tags: tuple[Tag, ...] = ()
    tests: Literal["none", "one", "list"] = "none"
    block: bool = False
    check: WholeCheck | None = None


class Extension(msgspec.Struct, frozen=True):
    """One capability string ("" for the base language) and what it brings.

    `tags` go to commands and tests of others, by their name. `is_grammar`: it changes how a script is read, so that it
    cannot be switched on by a test (RFC 5463 §4). `implies`: capabilities that it brings along.
    """

    name: str
    standard: str
    commands: tuple[Specification, ...] = ()
    tests: tuple[Specification, ...] = ()
    tags: tuple[tuple[str, tuple[Tag, ...]], ...] = ()
    is_grammar: bool = False
    implies: tuple[str, ...] = ()
