"""Every command in one table: its states, how its arguments are read, what it does, whether expunges may be told."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from mailstead.protocols.imap.commands import (
    append,
    authenticate,
    capability,
    close,
    compress,
    copy,
    create,
    delete,
    enable,
    expunge,
    fetch,
    identify,
    idle,
    listing,
    login,
    logout,
    lsub,
    metadata,
    namespace,
    noop,
    notify,
    quota,
    rename,
    replace,
    search,
    select,
    sort,
    starttls,
    status,
    store,
    subscribe,
    thread,
)
from mailstead.protocols.imap.grammar.cursor import Cursor
from mailstead.protocols.imap.responses import Ok
from mailstead.protocols.imap.states import AFTER_LOGIN, ANY, BEFORE_LOGIN, WITH_MAILBOX, State

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session


class Command(msgspec.Struct, frozen=True):
    """One command.

    `run` gets what `parse` made and gives the tagged OK, or None when it has answered itself. `expunges`: untagged
    EXPUNGE may be told before that answer (RFC 9051 §7.5.1). `numbered`: messages are named by number, which UIDONLY
    forbids (RFC 9586 §3.1). `slow`: it may take long and tells nothing meanwhile, so that its progress is told.
    """

    states: frozenset[State]
    parse: Callable[[Cursor], Any]
    run: "Callable[[Session, Any], Awaitable[Ok | None]]"
    expunges: bool = True
    numbered: bool = False
    slow: bool = False


def nothing(_: Cursor) -> None:
    """A command without arguments."""


_uid = partial(partial, by_uid=True)

COMMANDS: dict[str, Command] = {
    "CAPABILITY": Command(ANY, nothing, capability.run),
    "NOOP": Command(ANY, nothing, noop.run),
    "LOGOUT": Command(ANY, nothing, logout.run),
    "ID": Command(ANY, identify.parse, identify.run),
    "STARTTLS": Command(BEFORE_LOGIN, nothing, starttls.run),
    "LOGIN": Command(BEFORE_LOGIN, login.parse, login.run),
    "AUTHENTICATE": Command(BEFORE_LOGIN, authenticate.parse, authenticate.run),
    "ENABLE": Command(AFTER_LOGIN, enable.parse, enable.run),
    "SELECT": Command(AFTER_LOGIN, select.parse, select.run),
    "EXAMINE": Command(AFTER_LOGIN, partial(select.parse, read_only=True), select.run),
    "CREATE": Command(AFTER_LOGIN, create.parse, create.run),
    "DELETE": Command(AFTER_LOGIN, delete.parse, delete.run),
    "RENAME": Command(AFTER_LOGIN, rename.parse, rename.run),
    "SUBSCRIBE": Command(AFTER_LOGIN, subscribe.parse, subscribe.run),
    "UNSUBSCRIBE": Command(AFTER_LOGIN, partial(subscribe.parse, on=False), subscribe.run),
    "LIST": Command(AFTER_LOGIN, listing.parse, listing.run),
    "LSUB": Command(AFTER_LOGIN, lsub.parse, lsub.run),
    "NAMESPACE": Command(AFTER_LOGIN, nothing, namespace.run),
    "STATUS": Command(AFTER_LOGIN, status.parse, status.run),
    "APPEND": Command(AFTER_LOGIN, append.parse, append.run, slow=True),
    "IDLE": Command(AFTER_LOGIN, nothing, idle.run),
    "NOTIFY": Command(AFTER_LOGIN, notify.parse, notify.run),
    "COMPRESS": Command(AFTER_LOGIN, compress.parse, compress.run),
    "GETMETADATA": Command(AFTER_LOGIN, metadata.parse_get, metadata.run_get),
    "SETMETADATA": Command(AFTER_LOGIN, metadata.parse_set, metadata.run_set),
    "GETQUOTA": Command(AFTER_LOGIN, quota.parse_root, quota.run_root),
    "GETQUOTAROOT": Command(AFTER_LOGIN, quota.parse_mailbox, quota.run_mailbox),
    "SETQUOTA": Command(AFTER_LOGIN, quota.parse_set, quota.run_set),
    "CHECK": Command(WITH_MAILBOX, nothing, noop.run),
    "CLOSE": Command(WITH_MAILBOX, nothing, close.run),
    "UNSELECT": Command(WITH_MAILBOX, nothing, close.run_unselect),
    "EXPUNGE": Command(WITH_MAILBOX, nothing, expunge.run),
    "UID EXPUNGE": Command(WITH_MAILBOX, expunge.parse, expunge.run),
    "SEARCH": Command(WITH_MAILBOX, search.parse, search.run, expunges=False, numbered=True, slow=True),
    "UID SEARCH": Command(WITH_MAILBOX, _uid(search.parse), search.run, slow=True),
    "SORT": Command(WITH_MAILBOX, sort.parse, sort.run, expunges=False, numbered=True, slow=True),
    "UID SORT": Command(WITH_MAILBOX, _uid(sort.parse), sort.run, slow=True),
    "THREAD": Command(WITH_MAILBOX, thread.parse, thread.run, expunges=False, numbered=True, slow=True),
    "UID THREAD": Command(WITH_MAILBOX, _uid(thread.parse), thread.run, slow=True),
    "FETCH": Command(WITH_MAILBOX, fetch.parse, fetch.run, expunges=False, numbered=True),
    "UID FETCH": Command(WITH_MAILBOX, _uid(fetch.parse), fetch.run),
    "STORE": Command(WITH_MAILBOX, store.parse, store.run, expunges=False, numbered=True),
    "UID STORE": Command(WITH_MAILBOX, _uid(store.parse), store.run),
    "COPY": Command(WITH_MAILBOX, copy.parse, copy.run, numbered=True, slow=True),
    "UID COPY": Command(WITH_MAILBOX, _uid(copy.parse), copy.run, slow=True),
    "MOVE": Command(WITH_MAILBOX, partial(copy.parse, move=True), copy.run, numbered=True, slow=True),
    "REPLACE": Command(WITH_MAILBOX, replace.parse, replace.run, numbered=True),
    "UID REPLACE": Command(WITH_MAILBOX, _uid(replace.parse), replace.run),
    "UID MOVE": Command(WITH_MAILBOX, partial(copy.parse, move=True, by_uid=True), copy.run, slow=True),
}
