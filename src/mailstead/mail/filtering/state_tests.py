"""Tests of what is not in the message: variables, flags, mailboxes, the environment, earlier runs, notify methods."""

import hashlib
import re
from collections.abc import Mapping

from mailstead.formats.sieve.checks import header_name, list_name
from mailstead.formats.sieve.program import Operation
from mailstead.mail.filtering.actions import AskFolders, AskListed, AskSeen, Seen
from mailstead.mail.filtering.mailto import parse_mailto
from mailstead.mail.filtering.run import Run, ScriptFailedError, UnansweredError

_DUPLICATE_DEFAULT = 7 * 86400.0
_SPACES = re.compile(r"\s+")


def string(run: Run, operation: Operation) -> bool:
    """RFC 5229 §5; :count counts those that are not empty."""
    sources = run.texts(operation, "sources")
    if operation.values.get("match") == "count":
        sources = tuple(text for text in sources if text)
    return run.matches(operation, sources, run.texts(operation, "keys"))


def hasflag(run: Run, operation: Operation) -> bool:
    """RFC 5232 §4: the flags of named variables, or those of the message; keys hold flags separated by spaces."""
    names: tuple[str, ...] = operation.values.get("variables") or ()
    if names and "variables" not in run.enabled:
        raise ScriptFailedError('Names of variables need: require "variables";')
    flags = list(run.flags) if not names else [flag for name in names for flag in run.scope.get(name).split()]
    keys = run.texts(operation, "keys")
    if operation.values.get("match", "is") in ("is", "contains", "matches"):
        keys = tuple(flag for key in keys for flag in (_SPACES.split(key.strip()) if key.strip() else ("",)))
    return run.matches(operation, tuple(dict.fromkeys(flags)), keys)


def valid_ext_list(run: Run, operation: Operation) -> bool:
    """RFC 6134 §2.7: all of the names are those of lists."""
    names = run.texts(operation, "names")
    return all(list_name(name) is None for name in names) and run.listed(AskListed(names, ())) is not None


def _folders(run: Run) -> Mapping[str, str]:
    if run.answers.folders is None:
        raise UnansweredError(AskFolders())
    return run.answers.folders


def _is_there(folders: Mapping[str, str], name: str) -> bool:
    return name in folders or (name.upper() == "INBOX" and "INBOX" in folders)


def mailboxexists(run: Run, operation: Operation) -> bool:
    """RFC 5490 §3.1: all of the mailboxes are there."""
    folders = _folders(run)
    return all(_is_there(folders, name) for name in run.texts(operation, "mailboxes"))


def specialuse_exists(run: Run, operation: Operation) -> bool:
    """RFC 8579 §3: for each use there is a mailbox, or the one named has all of them."""
    folders = _folders(run)
    wanted = {use.lower() for use in run.texts(operation, "uses")}
    if "mailbox" in operation.values:
        return wanted <= set(folders.get(run.text(operation, "mailbox"), "").lower().split())
    return wanted <= {use for uses in folders.values() for use in uses.lower().split()}


def environment(run: Run, operation: Operation) -> bool:
    """RFC 5183 §4: what is unknown matches nothing."""
    value = run.environment.items.get(run.text(operation, "item").lower())
    return value is not None and run.matches(operation, (value,), run.texts(operation, "keys"))


def duplicate(run: Run, operation: Operation) -> bool:
    """RFC 7352 §3; the id is remembered when the script ends well."""
    source = operation.values.get("source")
    if source == "uniqueid":
        identifier: str | None = run.text(operation, "uniqueid")
    else:
        name = run.text(operation, "header", "message-id")
        fields = run.message.named(name) if header_name(name) is None else []
        identifier = fields[0].value if fields else None
    seconds = min(float(operation.values.get("seconds", _DUPLICATE_DEFAULT)), run.settings.duplicate_most)
    if not identifier or seconds == 0:
        return False
    handle = run.text(operation, "handle").encode()
    key = hashlib.sha256(b"%d:%s%s" % (len(handle), handle, identifier.encode("utf-8", "replace"))).hexdigest()
    if key not in run.answers.seen:
        raise UnansweredError(AskSeen(key))
    was_seen = run.answers.seen[key]
    if not was_seen or operation.values.get("last"):
        run.seen[key] = Seen(key, seconds, was_seen)
    return was_seen


def valid_notify_method(run: Run, operation: Operation) -> bool:
    """RFC 5435 §4: each is a URI of a kind that notices go out by."""
    return all(parse_mailto(method) is not None for method in run.texts(operation, "methods"))


def notify_method_capability(run: Run, operation: Operation) -> bool:
    """RFC 5435 §5: of mail nobody knows whether it is seen at once."""
    if parse_mailto(run.text(operation, "method")) is None:
        return False
    if run.text(operation, "capability").lower() != "online":
        return False
    return run.matches(operation, ("maybe",), run.texts(operation, "keys"))


def spamtest(run: Run, operation: Operation) -> bool:
    """RFC 5235 §3.2: 1 to 10, or with :percent 0 to 100; 0 and a count of 0 when nobody looked."""
    spam = run.environment.spam
    if spam is None:
        return _rated(run, operation, 0, was_tested=False)
    return _rated(run, operation, int(100 * spam + 0.5) if operation.values.get("percent") else 1 + int(9 * spam + 0.5))


def virustest(run: Run, operation: Operation) -> bool:
    """RFC 5235 §3.3: 1 is clean, 5 a virus; 0 and a count of 0 when nobody looked."""
    virus = run.environment.virus
    return _rated(run, operation, virus, was_tested=virus > 0)


def _rated(run: Run, operation: Operation, rating: int, *, was_tested: bool = True) -> bool:
    """A count is of tests that were made (RFC 5235 §3.1), anything else is compared with the rating."""
    counts = operation.values.get("match") == "count"
    sources = (str(rating),) if was_tested or not counts else ()
    return run.matches(operation, sources, (run.text(operation, "rating"),))
