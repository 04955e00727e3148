"""LIST (RFC 9051 §6.3.9, RFC 5258, RFC 5819, RFC 6154).

list = "LIST" [SP "(" [list-select-opt *(SP list-select-opt)] ")"] SP mailbox SP mbox-or-pat
       [SP "RETURN" SP "(" [return-option *(SP return-option)] ")"]
mbox-or-pat = list-mailbox / "(" list-mailbox *(SP list-mailbox) ")"
list-select-opt = "SUBSCRIBED" / "REMOTE" / "RECURSIVEMATCH" / "SPECIAL-USE"
return-option = "SUBSCRIBED" / "CHILDREN" / "SPECIAL-USE" / "STATUS" SP "(" status-att *(SP status-att) ")"
"""

from typing import TYPE_CHECKING

import msgspec

from mailstead.protocols.imap.commands.status import status_items, status_line
from mailstead.protocols.imap.errors import CommandError
from mailstead.protocols.imap.grammar.cursor import Cursor
from mailstead.protocols.imap.grammar.names import decode_name, mailbox, shown
from mailstead.protocols.imap.grammar.patterns import SEPARATOR, Pattern
from mailstead.protocols.imap.responses import Ok
from mailstead.stores.mailbox.errors import NoSuchFolderError
from mailstead.stores.mailbox.records import Folder

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session

_SELECT = frozenset({"SUBSCRIBED", "REMOTE", "RECURSIVEMATCH", "SPECIAL-USE"})
_RETURN = frozenset({"SUBSCRIBED", "CHILDREN", "SPECIAL-USE"})
_PATTERNS_LIMIT = 100


class Listing(msgspec.Struct, frozen=True):
    """Patterns and options; `extended` when any option or more than one pattern was given."""

    reference: str
    patterns: tuple[str, ...]
    select: frozenset[str] = frozenset()
    returns: frozenset[str] = frozenset()
    status: tuple[str, ...] = ()
    extended: bool = False


def _options(cursor: Cursor, known: frozenset[str]) -> frozenset[str]:
    """Words in parentheses"""
    cursor.expect(b"(")
    found: set[str] = set()
    first = True
    while not cursor.take(b")"):
        if not first:
            cursor.space()
        first = False
        word = cursor.word()
        if word not in known:
            raise CommandError("LIST option not known")
        found.add(word)
    return frozenset(found)


def _returns(cursor: Cursor) -> tuple[frozenset[str], tuple[str, ...]]:
    """return options, STATUS with its items"""
    cursor.expect(b"(")
    found: set[str] = set()
    items: tuple[str, ...] = ()
    first = True
    while not cursor.take(b")"):
        if not first:
            cursor.space()
        first = False
        word = cursor.word()
        if word == "STATUS":
            cursor.space()
            items = status_items(cursor)
        elif word in _RETURN:
            found.add(word)
        else:
            raise CommandError("LIST option not known")
    return frozenset(found), items


def parse(cursor: Cursor) -> Listing:
    """list"""
    cursor.space()
    extended = cursor.is_at(b"(")
    select: frozenset[str] = frozenset()
    if extended:
        select = _options(cursor, _SELECT)
        cursor.space()
        if "RECURSIVEMATCH" in select and not select & {"SUBSCRIBED", "SPECIAL-USE"}:
            raise CommandError("RECURSIVEMATCH goes with another option")
    reference = mailbox(cursor)
    cursor.space()
    patterns = []
    if cursor.take(b"("):
        extended = True
        patterns.append(decode_name(cursor.list_mailbox(), cursor.utf8))
        while not cursor.take(b")"):
            cursor.space()
            patterns.append(decode_name(cursor.list_mailbox(), cursor.utf8))
        if len(patterns) > _PATTERNS_LIMIT:
            raise CommandError("Too many patterns")
    else:
        patterns.append(decode_name(cursor.list_mailbox(), cursor.utf8))
    returns: frozenset[str] = frozenset()
    items: tuple[str, ...] = ()
    if cursor.take(b" "):
        if cursor.word() != "RETURN":
            raise CommandError("RETURN is wanted")
        cursor.space()
        extended = True
        returns, items = _returns(cursor)
    return Listing(reference, tuple(patterns), select, returns, items, extended)


class Names:
    """All names of a mailbox with what LIST tells of them; names above others that do not exist are there too."""

    def __init__(self, folders: list[Folder], subscribed: set[str]) -> None:
        self.folders = {folder.name: folder for folder in folders}
        self.subscribed = subscribed
        self._parents = {above for name in self.folders for above in _above(name)}

    def listed(self) -> set[str]:
        """Names that exist, and those that stand above them."""
        return self.folders.keys() | self._parents

    def attributes(self, name: str, command: Listing) -> list[bytes]:
        """Attributes of a name."""
        folder = self.folders.get(name)
        found = []
        if folder is None:
            found.append(b"\\NonExistent" if command.extended else b"\\Noselect")
        found.append(b"\\HasChildren" if name in self._parents else b"\\HasNoChildren")
        if "SUBSCRIBED" in command.returns | command.select and name in self.subscribed:
            found.append(b"\\Subscribed")
        if folder is not None and folder.special_use:
            found.append(folder.special_use.encode())
        return found

    def selected(self, name: str, option: str) -> bool:
        """Whether a name satisfies a selection option."""
        if option == "SUBSCRIBED":
            return name in self.subscribed
        return name in self.folders and bool(self.folders[name].special_use)


def _above(name: str) -> list[str]:
    levels = name.split(SEPARATOR)
    return [SEPARATOR.join(levels[:depth]) for depth in range(1, len(levels))]


def list_line(session: "Session", names: Names, name: str, command: Listing, childinfo: list[str]) -> bytes:
    """A LIST response."""
    more = b""
    if childinfo:
        more = b' ("CHILDINFO" (%b))' % b" ".join(b'"%b"' % option.encode() for option in childinfo)
    attributes = b" ".join(names.attributes(name, command))
    return b'* LIST (%b) "/" %b%b\r\n' % (attributes, shown(name, session.enabled.utf8), more)


async def run(session: "Session", command: Listing) -> Ok:
    """Names that match a pattern and the selection options."""
    if not command.extended and command.patterns == ("",):
        session.write(b'* LIST (\\Noselect) "/" ""\r\n')
        return Ok()
    opened = session.opened
    names = Names(opened.folders(), opened.subscriptions())
    patterns = [Pattern(command.reference + pattern) for pattern in command.patterns if pattern]
    if session.enabled.rev2 and not command.extended:
        command = msgspec.structs.replace(command, extended=True)
    options = sorted(command.select & {"SUBSCRIBED", "SPECIAL-USE"})
    candidates = set(names.listed())
    if "SUBSCRIBED" in options:
        candidates |= names.subscribed
    below: dict[str, set[str]] = {}
    if "RECURSIVEMATCH" in command.select:
        for name in candidates:
            if all(names.selected(name, option) for option in options):
                for above in _above(name):
                    below.setdefault(above, set()).update(options)
        candidates |= below.keys()
    lines = []
    for name in sorted(candidates, key=lambda name: (name != "INBOX", name)):
        fits = all(names.selected(name, option) for option in options)
        childinfo = sorted(below.get(name, ()))
        if not (fits or childinfo) or not any(pattern.matches(name) for pattern in patterns):
            continue
        line = list_line(session, names, name, command, childinfo)
        if command.status and fits and name in names.folders:
            try:
                line += status_line(session, names.folders[name], command.status)
            except NoSuchFolderError:
                continue  # deleted meanwhile
        lines.append(line)
    if "HIGHESTMODSEQ" in command.status:
        session.enable_condstore()
    session.write(b"".join(lines))
    return Ok()
