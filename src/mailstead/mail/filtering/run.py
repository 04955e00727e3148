"""The state of one run, and what commands and tests need of it."""

from collections.abc import Iterable

import re2

from mailstead.formats.sieve import checks
from mailstead.formats.sieve.program import Operation, Program, Template
from mailstead.formats.sieve.specification import Check
from mailstead.foundation.config.sections.sieve import SieveSettings
from mailstead.mail.filtering.actions import Action, AskListed, Question, Seen
from mailstead.mail.filtering.comparing import (
    DEFAULT_COMPARATOR,
    NORMAL,
    RELATIONS,
    compare,
    match_glob,
    match_regex,
)
from mailstead.mail.filtering.environment import Answers, Environment
from mailstead.mail.filtering.message import FilteredMessage
from mailstead.mail.filtering.variables import Scope

_OCTETS_OF_WORK = 64
_PATTERN_OF_WORK = 16
_LISTED = 200  # values that are looked for in lists by one test


class ScriptFailedError(Exception):
    """The script cannot go on; the text is a sentence for its owner."""


class UnansweredError(Exception):
    """The run needs an answer first."""

    def __init__(self, question: Question) -> None:
        super().__init__()
        self.question = question


class Run:
    """One message, one script, and what has been decided so far."""

    def __init__(
        self,
        program: Program,
        message: FilteredMessage,
        environment: Environment,
        answers: Answers,
        settings: SieveSettings,
    ) -> None:
        self.program = program
        self.message = message
        self.environment = environment
        self.answers = answers
        self.settings = settings
        self.enabled: set[str] = set(program.capabilities)
        self.actions: list[Action] = []
        self.keeps = True  # the implicit keep still stands
        self.flags: tuple[str, ...] = ()
        self.words: list[str] = []
        self.seen: dict[str, Seen] = {}
        self.part = 0  # of foreverypart; 0 outside of loops
        self.root = 0  # the part that the script takes for the whole message
        self.loops: list[str] = []
        self.ended_loop = -1  # the place in `loops` of the one that a break ends
        self.shared: dict[str, str] = {}
        self.scope = self.new_scope()
        self.scripts: list[tuple[str, str]] = []  # being included, outermost first
        self.included: set[tuple[str, str]] = set()
        self.redirects = 0
        self.rewrites = 0  # replace and enclose
        self._instructions = 0
        self._work = 0

    def new_scope(self) -> Scope:
        """Variables of a script that begins."""
        return Scope(self.shared, self.settings.variable_size, self.settings.variables_limit)

    def count(self, operation: Operation) -> None:
        """One command or test more; also that it may be used. Raises ScriptFailedError."""
        self._instructions += 1
        if self._instructions > self.settings.instructions_limit:
            raise ScriptFailedError(f"The script took more than {self.settings.instructions_limit} steps.")
        for need in operation.needs:
            if need not in self.enabled:
                raise ScriptFailedError(f"{need[:1].upper()}{need[1:]} is not there or was not switched on.")

    def work(self, octets: int) -> None:
        """One comparison over so many octets. Raises ScriptFailedError."""
        self._work += 1 + octets // _OCTETS_OF_WORK
        if self._work > self.settings.work_limit:
            raise ScriptFailedError("The script compares too much text for one message.")

    # arguments

    def text(self, operation: Operation, name: str, default: str = "") -> str:
        """A string argument with its variables' values."""
        template: Template | None = operation.values.get(name)
        return default if template is None else self._expand(template)

    def texts(self, operation: Operation, name: str) -> tuple[str, ...]:
        """A list of strings likewise."""
        templates: tuple[Template, ...] = operation.values.get(name) or ()
        return tuple(self._expand(template) for template in templates)

    def _expand(self, template: Template) -> str:
        if isinstance(template, str):
            return template
        text = self.scope.expand(template)
        self.work(len(text))
        return text

    def checked(self, text: str, check: Check) -> str:
        """`text` itself. Raises ScriptFailedError when it is wrong now that its variables are known."""
        complaint = check(text)
        if complaint:
            raise ScriptFailedError(complaint)
        return text

    def act(self, action: Action, words: str) -> None:
        """Take an action. Raises ScriptFailedError past the limit."""
        if len(self.actions) >= self.settings.actions_limit:
            raise ScriptFailedError(f"The script takes more than {self.settings.actions_limit} actions.")
        self.actions.append(action)
        self.words.append(words)

    # comparison

    def matches(
        self, operation: Operation, sources: Iterable[str], keys: Iterable[str], *, keep_match: bool = True
    ) -> bool:
        """Whether one of `sources` matches one of `keys` by the operation's comparator and match type.

        With `keep_match` what wildcards stand for becomes ${0} to ${9} (RFC 5229 §3.2).
        """
        values = operation.values
        comparator: str = values.get("comparator", DEFAULT_COMPARATOR)
        match: str = values.get("match", "is")
        keys = tuple(keys)
        if match == "list":
            return self._listed(sources, keys, keep_match)
        if match == "count":
            sources, match, relation = (str(sum(1 for _ in sources)),), "value", self.text(operation, "count")
        else:
            relation = self.text(operation, "value")
        if match == "value":
            accepted = RELATIONS.get(relation.lower())
            if accepted is None:
                raise ScriptFailedError(checks.relation(relation) or "")
            return any(
                compare(comparator, source, key) in accepted for source in sources for key in self._each(source, keys)
            )
        if comparator == "i;ascii-numeric":
            return any(compare(comparator, source, key) == 0 for source in sources for key in self._each(source, keys))
        if match == "regex":
            return self._regex(sources, keys, comparator != "i;octet", keep_match)
        normal = NORMAL[comparator]
        normal_keys = tuple(normal(key) for key in keys)
        for source in sources:
            text = normal(source)
            for key in self._each(source, normal_keys):
                if match == "is" and text == key:
                    return True
                if match == "contains" and key in text:
                    return True
                if match == "matches" and self._glob(key, text, source, keep_match):
                    return True
        return False

    def _listed(self, sources: Iterable[str], keys: tuple[str, ...], keep_match: bool) -> bool:
        """RFC 6134 §2.2: ${0} is the member that was found."""
        values = tuple(dict.fromkeys(text for source in sources if (text := source.strip())))[:_LISTED]
        if not values:
            return False
        for value in values:
            self.work(len(value) * len(keys))
        found = self.listed(AskListed(keys, values))
        if found is None:
            raise ScriptFailedError(f"There is no list {' or '.join(keys)}.")
        return bool(found) and self._matched((found,), keep_match)

    def listed(self, question: AskListed) -> str | None:
        """The answer: a member, "" for none, None when a name is not that of a list. Raises UnansweredError."""
        if question not in self.answers.listed:
            raise UnansweredError(question)
        return self.answers.listed[question]

    def _each(self, source: str, keys: tuple[str, ...]) -> Iterable[str]:
        for key in keys:
            self.work(len(source) * (1 + len(key) // _PATTERN_OF_WORK))
            yield key

    def _glob(self, key: str, text: str, source: str, keep_match: bool) -> bool:
        found = match_glob(key, text, source)
        return self._matched(found, keep_match)

    def _matched(self, found: tuple[str, ...] | None, keep_match: bool) -> bool:
        if found is None:
            return False
        if keep_match:
            self.scope.match = tuple(text[: self.settings.variable_size] for text in found[:10])
        return True

    def _regex(self, sources: Iterable[str], keys: tuple[str, ...], ignore_case: bool, keep_match: bool) -> bool:
        for source in sources:
            for key in self._each(source, keys):
                self.checked(key, checks.regex)
                try:
                    found = match_regex(key, source, ignore_case=ignore_case)
                except re2.error:
                    raise ScriptFailedError(f'"{key}" is not a regular expression that can be used.') from None
                if self._matched(found, keep_match):
                    return True
        return False
