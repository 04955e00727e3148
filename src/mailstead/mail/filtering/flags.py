"""Flags of the message under way (RFC 5232). Unknown system flags and words that are none are passed over."""

import re
from collections.abc import Iterable

from mailstead.formats.sieve.checks import SYSTEM_FLAGS
from mailstead.formats.sieve.program import Operation
from mailstead.mail.filtering.run import Run, ScriptFailedError

_KEYWORD = re.compile(r"[^\s(){%*\"\\\]\x00-\x1f\x7f]{1,200}")
_FLAGS_LIMIT = 100


def normal_flags(texts: Iterable[str]) -> tuple[str, ...]:
    """The flags in `texts`, separated by spaces there, each once whatever its case; at most a hundred."""
    found: dict[str, str] = {}
    for text in texts:
        for word in text.split():
            name = SYSTEM_FLAGS.get(word.lower(), word if _KEYWORD.fullmatch(word) and word.isascii() else "")
            if name:
                found.setdefault(name.lower(), name)
    return tuple(found.values())[:_FLAGS_LIMIT]


def chosen_flags(run: Run, operation: Operation) -> tuple[str, ...]:
    """Those of :flags, else those of the message (RFC 5232 §5)."""
    return normal_flags(run.texts(operation, "flags")) if "flags" in operation.values else run.flags


def _store(run: Run, operation: Operation, flags: tuple[str, ...]) -> None:
    """Store `flags` where the operation says: a variable, or the message."""
    name = run.text(operation, "variable")
    if not name:
        run.flags = flags
    elif not run.scope.set(name, " ".join(flags)):
        raise ScriptFailedError(f"The script has more than {run.settings.variables_limit} variables.")


def _current(run: Run, operation: Operation) -> tuple[str, ...]:
    name = run.text(operation, "variable")
    if name and "variables" not in run.enabled:
        raise ScriptFailedError('The name of a variable needs: require "variables";')
    return normal_flags((run.scope.get(name),)) if name else run.flags


def setflag(run: Run, operation: Operation) -> None:
    """RFC 5232 §3.1."""
    _current(run, operation)
    _store(run, operation, normal_flags(run.texts(operation, "flags")))


def addflag(run: Run, operation: Operation) -> None:
    """RFC 5232 §3.2."""
    _store(run, operation, normal_flags((*_current(run, operation), *run.texts(operation, "flags"))))


def removeflag(run: Run, operation: Operation) -> None:
    """RFC 5232 §3.3."""
    gone = {flag.lower() for flag in normal_flags(run.texts(operation, "flags"))}
    kept = tuple(flag for flag in _current(run, operation) if flag.lower() not in gone)
    _store(run, operation, kept)
