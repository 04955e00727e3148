"""The tables made of all extensions."""

from collections.abc import Iterable

import msgspec

from mailstead.formats.sieve.specification import Extension, Specification, Tag


class Entry(msgspec.Struct, frozen=True):
    """A command or test with the capability it belongs to ("" for the base language) and all its tags by name."""

    specification: Specification
    capability: str
    tags: dict[str, Tag]


class Registry:
    """Commands and tests by name, capabilities by name."""

    def __init__(self, extensions: Iterable[Extension]) -> None:
        self.extensions = {extension.name: extension for extension in extensions}
        self.commands: dict[str, Entry] = {}
        self.tests: dict[str, Entry] = {}
        for extension in self.extensions.values():
            for table, specifications in ((self.commands, extension.commands), (self.tests, extension.tests)):
                for one in specifications:
                    table[one.name] = Entry(one, extension.name, {tag.name: tag for tag in one.tags})
        for extension in self.extensions.values():
            for name, tags in extension.tags:
                self.commands[name].tags.update({tag.name: tag for tag in tags})

    @property
    def capabilities(self) -> tuple[str, ...]:
        """The capability strings, in the order of the table."""
        return tuple(name for name in self.extensions if name)
