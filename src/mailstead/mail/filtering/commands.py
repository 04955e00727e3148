"""Commands that do something, in one table (RFC 5228 §4 and its extensions)."""

from collections.abc import Callable, Mapping

from mailstead.formats.sieve import checks
from mailstead.formats.sieve.program import Operation
from mailstead.mail.filtering import editing, rewriting, sending
from mailstead.mail.filtering.actions import INBOX, AskMembers, Filing, Redirect, Reject
from mailstead.mail.filtering.flags import addflag, chosen_flags, removeflag, setflag
from mailstead.mail.filtering.run import Run, ScriptFailedError, UnansweredError
from mailstead.mail.filtering.variables import modify

Command = Callable[[Run, Operation], None]


def _check_not_rejected(run: Run, what: str) -> None:
    """RFC 5429 §2.3: a refused message is not delivered too."""
    if any(isinstance(action, Reject) for action in run.actions):
        raise ScriptFailedError(f"The script refuses the message and yet would {what} it.")


def _place(filing: Filing) -> tuple[str, str]:
    return filing.mailbox or INBOX, filing.special_use


def _file(run: Run, filing: Filing, words: str) -> None:
    """Filing twice into one mailbox is once, with the last flags (RFC 5228 §2.10.3, RFC 5232 §3)."""
    _check_not_rejected(run, "keep")
    for place, action in enumerate(run.actions):
        if isinstance(action, Filing) and _place(action) == _place(filing):
            run.actions[place] = filing
            return
    run.act(filing, words)


def _keep(run: Run, operation: Operation) -> None:
    run.keeps = False
    filing = Filing(flags=chosen_flags(run, operation), edited=run.message.edited)
    _file(run, filing, "It is kept in INBOX by the filter script.")


def _fileinto(run: Run, operation: Operation) -> None:
    """RFC 5228 §4.1, with :copy, :flags, :create, :specialuse."""
    name = run.checked(run.text(operation, "mailbox"), checks.mailbox_name)
    if not operation.values.get("copy"):
        run.keeps = False
    filing = Filing(
        mailbox=INBOX if name.upper() == INBOX else name,
        flags=chosen_flags(run, operation),
        create=bool(operation.values.get("create")),
        special_use=special_use(run, operation),
        edited=run.message.edited,
    )
    _file(run, filing, f'It is filed into "{name}" by the filter script (line {operation.line}).')


def special_use(run: Run, operation: Operation) -> str:
    """The attribute of :specialuse, "" without."""
    text = run.text(operation, "specialuse")
    return run.checked(text, checks.special_use) if text else ""


def _discard(run: Run, operation: Operation) -> None:
    run.keeps = False
    run.words.append(f"The implicit keep is cancelled: discard (line {operation.line}).")


def _redirect(run: Run, operation: Operation) -> None:
    """RFC 5228 §4.2; with :list to all addresses of a list (RFC 6134 §2.3), each once."""
    to = run.text(operation, "address")
    _check_not_rejected(run, "redirect")
    addresses = _members(run, to) if operation.values.get("list") else (run.checked(to, checks.address),)
    if not addresses:
        run.words.append(f'The list "{to}" is empty, so nothing is redirected (line {operation.line}).')
        return
    if not operation.values.get("copy"):
        run.keeps = False
    for one in addresses:
        _redirect_to(run, checks.bare_address(one), operation.line)


def _members(run: Run, name: str) -> tuple[str, ...]:
    run.checked(name, checks.list_name)
    if name not in run.answers.members:
        raise UnansweredError(AskMembers(name))
    found = run.answers.members[name]
    if found is None:
        raise ScriptFailedError(f'There is no list "{name}" of addresses to redirect to.')
    return tuple(one for one in found if checks.is_address(one))


def _redirect_to(run: Run, address: str, line: int) -> None:
    """The same address twice is once."""
    if any(isinstance(action, Redirect) and action.address == address for action in run.actions):
        return
    run.redirects += 1
    if run.redirects > run.settings.redirects_limit:
        raise ScriptFailedError(f"The script redirects to more than {run.settings.redirects_limit} addresses.")
    action = Redirect(address=address, edited=run.message.edited_before_enclosure)
    run.act(action, f"It is redirected to {address} by the filter script (line {line}).")


def _reject(run: Run, operation: Operation) -> None:
    """RFC 5429: alone, once, and not with an answer."""
    if run.actions:
        raise ScriptFailedError("The script refuses a message that it does something else with.")
    run.keeps = False
    reason = run.text(operation, "reason").strip()
    run.act(
        Reject(reason, at_protocol=operation.name == "ereject"),
        f"It is refused by the filter script (line {operation.line}).",
    )


def _set(run: Run, operation: Operation) -> None:
    """RFC 5229 §4."""
    set_variable(run, run.text(operation, "variable"), modify(operation.values, run.text(operation, "value")))


def set_variable(run: Run, name: str, value: str) -> None:
    """Raises ScriptFailedError when there are too many."""
    if not run.scope.set(name, value):
        raise ScriptFailedError(f"The script has more than {run.settings.variables_limit} variables.")


def _global(run: Run, operation: Operation) -> None:
    """RFC 6609 §3.4.1."""
    for name in run.texts(operation, "names"):
        if not run.scope.declare(name):
            raise ScriptFailedError(f'The variable "{name}" was set before it was made global.')


def _error(run: Run, operation: Operation) -> None:
    """RFC 5463 §5."""
    raise ScriptFailedError(run.text(operation, "message"))


def _extracttext(run: Run, operation: Operation) -> None:
    """RFC 5703 §7."""
    text = editing.extracted(run, operation)
    set_variable(run, run.text(operation, "variable"), modify(operation.values, text))


COMMANDS: Mapping[str, Command] = {
    "keep": _keep,
    "fileinto": _fileinto,
    "discard": _discard,
    "redirect": _redirect,
    "reject": _reject,
    "ereject": _reject,
    "set": _set,
    "global": _global,
    "error": _error,
    "setflag": setflag,
    "addflag": addflag,
    "removeflag": removeflag,
    "addheader": editing.addheader,
    "deleteheader": editing.deleteheader,
    "extracttext": _extracttext,
    "replace": rewriting.replace,
    "enclose": rewriting.enclose,
    "vacation": sending.vacation,
    "notify": sending.notify,
}
