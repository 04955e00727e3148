"""An IMAP session: the commands as a registry by state (RFC 9051 §3)."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from ipaddress import ip_address

import msgspec

from mailstead.formats.message.imap_string import string
from mailstead.foundation.clock import Clock
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.errors import InvalidError, MailsteadError
from mailstead.foundation.metrics import Metrics
from mailstead.foundation.net.connection import Connection
from mailstead.foundation.sasl.mechanism import MECHANISMS, Challenge, Credentials, Failed, decode_response
from mailstead.protocols.imap.fetch import fetch, parse_fetch
from mailstead.protocols.imap.names import decode_name, encode_name
from mailstead.protocols.imap.parser import (
    Command,
    CommandError,
    CommandReader,
    Token,
    Value,
    list_of,
    parse_values,
    text_of,
)
from mailstead.protocols.imap.search import SearchParser
from mailstead.protocols.imap.sequence import format_sequence, parse_sequence
from mailstead.protocols.imap.view import View, flags_text
from mailstead.stores.bus.interface import Bus
from mailstead.stores.directory.authentication import Authenticator
from mailstead.stores.directory.records import Account
from mailstead.stores.mailbox.errors import NoSuchFolderError
from mailstead.stores.mailbox.flags import BY_NAME, Flag, keyword_text
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.mailboxes import Mailboxes
from mailstead.stores.mailbox.records import Folder, NewMessage, Ranges

_KEYWORD = re.compile(r"[!#$&',\-./0-9:;<=>?@A-Z\[^_`a-z|~]{1,100}")
_DATE_TIME = re.compile(r"\s?(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d{2}:\d{2}:\d{2}) ([+-]\d{4})")
ANY, LOGGED_OUT, LOGGED_IN, SELECTED = "any", "not authenticated", "authenticated", "selected"
_BASE = "IMAP4rev1 SASL-IR LITERAL+ ID"
_FULL = "IDLE NAMESPACE UIDPLUS UNSELECT MOVE CHILDREN SPECIAL-USE APPENDLIMIT={limit} QUOTA WITHIN"
_STATUS = {
    "MESSAGES": "messages",
    "UIDNEXT": "uidnext",
    "UIDVALIDITY": "uidvalidity",
    "UNSEEN": "unseen",
    "SIZE": "size",
    "DELETED": "deleted",
}


class ImapServices(msgspec.Struct, frozen=True):
    """What sessions work with."""

    authenticator: Authenticator
    mailboxes: Mailboxes
    bus: Bus
    settings: Settings
    metrics: Metrics
    clock: Clock
    hostname: str


class NoError(InvalidError):
    """The command cannot be done; answered with NO."""


class Session:
    """One connection's state; commands answer through `write`."""

    def __init__(self, connection: Connection, services: ImapServices, reader: CommandReader) -> None:
        self.connection = connection
        self.services = services
        self.reader = reader
        self.account: Account | None = None
        self.mailbox: Mailbox | None = None
        self.view: View | None = None
        self.over = False
        self.changed = asyncio.Event()

    def write(self, line: str) -> None:
        """One untagged or tagged line."""
        self.connection.write(line.encode() + b"\r\n")

    @property
    def state(self) -> str:
        """Where the session is."""
        return LOGGED_OUT if self.mailbox is None else LOGGED_IN if self.view is None else SELECTED

    def capabilities(self) -> str:
        """What is offered now."""
        if self.mailbox is not None:
            return f"{_BASE} {_FULL.format(limit=self.services.settings.message.size_limit)}"
        extra = " STARTTLS" if self.connection.tls is None and self.connection.tls_context is not None else ""
        return f"{_BASE}{extra}" + (" AUTH=PLAIN AUTH=LOGIN" if self.may_login() else " LOGINDISABLED")

    def may_login(self) -> bool:
        """Under TLS, or from loopback where that is allowed."""
        if self.connection.tls is not None:
            return True
        return self.services.settings.server.insecure_auth and ip_address(self.connection.peer.address).is_loopback

    async def login(self, tag: str, login: str, password: str) -> None:
        """Verify, open the mailbox, answer. Raises AuthenticationError, LimitExceededError."""
        peer = self.connection.peer.address
        account = await self.services.authenticator.authenticate(login, password, service="imap", peer=peer)
        await self.connection.hold_account(account.address)
        self.account = account
        self.mailbox = await self.services.mailboxes.open(account.mailbox_id, account.key)
        account.key.close()
        self.reader.literal_limit = self.services.settings.message.size_limit
        self.write(f"{tag} OK [CAPABILITY {self.capabilities()}] Welcome")

    def opened(self) -> Mailbox:
        """The mailbox; the registry lets nobody here without one."""
        assert self.mailbox is not None
        return self.mailbox

    def selected(self) -> View:
        """The view; the registry lets nobody here without one."""
        assert self.view is not None
        return self.view

    def tell_changes(self, *, expunges: bool) -> None:
        """Untagged responses for what others did."""
        if self.view is not None:
            try:
                for line in self.view.update(expunges=expunges):
                    self.connection.write(line)
            except NoSuchFolderError:
                self.write("* BYE The selected mailbox was deleted")
                self.over = True

    async def execute(self, command: Command) -> None:
        """One command with its tagged answer."""
        name, by_uid = command.name, False
        try:
            values: list[Value] = parse_values(command, self.services.settings.imap.nesting)
            if name == "UID" and values:
                name, by_uid = text_of(values.pop(0)).upper(), True
                if name not in _UID_COMMANDS:
                    raise CommandError("Not a UID command")
            entry = _COMMANDS.get(name)
            if entry is None:
                raise CommandError("Command not known")
            state, run = entry
            allowed = (ANY, self.state, LOGGED_IN if self.state == SELECTED else ANY)
            if state not in allowed:
                raise CommandError(f"Not now: the session is {self.state}")
            await run(self, command.tag, values, by_uid)
        except CommandError as error:
            self.write(f"{command.tag} BAD {error.public_text}")
            raise
        except MailsteadError as error:
            code = f"[{error.imap_code}] " if error.imap_code else ""
            self.write(f"{command.tag} NO {code}{error.public_text}")

    def done(self, tag: str, text: str = "Done", *, expunges: bool = True) -> None:
        """Changes, then the tagged OK."""
        self.tell_changes(expunges=expunges)
        self.write(f"{tag} OK {text}")


# arguments


def _name(value: Value) -> str:
    return decode_name(text_of(value))


def _shown(name: str) -> str:
    return string(encode_name(name).encode()).decode()


def _exactly(values: list[Value], count: int) -> None:
    if len(values) != count:
        raise CommandError(f"{count} argument(s) wanted")


def _flags(values: Iterable[Value]) -> tuple[int, tuple[str, ...]]:
    bits, keywords = 0, []
    for value in values:
        text = text_of(value)
        if text.lower() in BY_NAME:
            bits |= BY_NAME[text.lower()]
        elif text.startswith("\\"):
            if text.lower() != "\\recent":
                raise CommandError("Flag not known")
        elif _KEYWORD.fullmatch(text):
            keywords.append(text)
        else:
            raise CommandError("Bad keyword")
    return bits, tuple(keywords)


def _uid_ranges(session: Session, value: Value, by_uid: bool) -> Ranges:
    view = session.selected()
    if by_uid:
        return view.known(parse_sequence(text_of(value), view.uids[-1] if view.uids else 1))
    ranges = parse_sequence(text_of(value), max(len(view.uids), 1))
    if ranges and ranges[-1][1] > max(len(view.uids), 1):
        raise CommandError("No such message")
    return view.uid_ranges(ranges)


# commands


async def _capability(session: Session, tag: str, values: list[Value], _: bool) -> None:
    session.write(f"* CAPABILITY {session.capabilities()}")
    session.done(tag)


async def _noop(session: Session, tag: str, values: list[Value], _: bool) -> None:
    session.done(tag)


async def _logout(session: Session, tag: str, values: list[Value], _: bool) -> None:
    session.write("* BYE Until next time")
    session.write(f"{tag} OK Done")
    session.over = True


async def _id(session: Session, tag: str, values: list[Value], _: bool) -> None:
    session.write('* ID ("name" "Mailstead")')
    session.done(tag)


async def _start_tls(session: Session, tag: str, values: list[Value], _: bool) -> None:
    connection = session.connection
    if connection.tls is not None or connection.tls_context is None:
        raise CommandError("TLS is not offered")
    if session.reader.has_input() or connection.has_buffered_input():
        session.write("* BYE Commands after STARTTLS must wait for the handshake")
        session.over = True
        return
    session.write(f"{tag} OK Begin TLS")
    await connection.start_tls()


async def _login(session: Session, tag: str, values: list[Value], _: bool) -> None:
    _exactly(values, 2)
    if not session.may_login():
        raise NoError("Encryption is needed first")
    await session.login(tag, text_of(values[0]), text_of(values[1]))


async def _authenticate(session: Session, tag: str, values: list[Value], _: bool) -> None:
    if not values:
        raise CommandError("A mechanism is wanted")
    make = MECHANISMS.get(text_of(values[0]).upper())
    if make is None or not session.may_login():
        raise NoError("Mechanism not offered")
    mechanism = make()
    initial = None if len(values) < 2 else decode_response(text_of(values[1]).encode())
    step = mechanism.step(initial)
    while isinstance(step, Challenge):
        session.write(f"+ {_base64(step.data)}")
        line = await read_line(session)
        if line == b"*":
            raise CommandError("Cancelled")
        response = decode_response(line) if line else b""
        step = Failed("Not base64") if response is None else mechanism.step(response)
    if not isinstance(step, Credentials):
        raise CommandError(step.why)
    await session.login(tag, step.login, step.password)


def _base64(data: bytes) -> str:
    import base64  # noqa: PLC0415 logins only

    return base64.b64encode(data).decode()


async def read_line(session: Session) -> bytes:
    """A line that is no command. Raises CommandError at the end of input."""
    while (line := session.reader.take_line()) is None:
        data = await session.connection.read(session.services.settings.imap.login_timeout)
        if not data:
            session.over = True
            raise CommandError("Connection closed")
        session.reader.receive(data)
    return line


async def _select(session: Session, tag: str, values: list[Value], _: bool, *, read_only: bool = False) -> None:
    if not values:
        raise CommandError("A mailbox name is wanted")
    session.view = None
    mailbox = session.opened()
    folder = mailbox.folder(_name(values[0]))
    view = await session.services.mailboxes.run(lambda: View(mailbox, folder, read_only=read_only))
    session.view = view
    entries = mailbox.entries(folder.id)
    used = keyword_text({keyword for _, _, keywords, _ in entries if keywords for keyword in keywords.split()})
    standard = "\\Answered \\Flagged \\Deleted \\Seen \\Draft" + (f" {used}" if used else "")
    session.write(f"* FLAGS ({standard})")
    session.write(f"* {len(view.uids)} EXISTS")
    session.write(f"* {view.recent} RECENT")
    unseen = next((number for number, row in enumerate(entries, 1) if not row[1] & Flag.SEEN), 0)
    if unseen:
        session.write(f"* OK [UNSEEN {unseen}] First unseen")
    permanent = "" if read_only else f"{standard} \\*"
    session.write(f"* OK [PERMANENTFLAGS ({permanent})] Flags that stay")
    session.write(f"* OK [UIDVALIDITY {folder.uidvalidity}] Valid")
    session.write(f"* OK [UIDNEXT {mailbox.status(folder.id).uidnext}] Next")
    session.write(f"{tag} OK [{'READ-ONLY' if read_only else 'READ-WRITE'}] Selected")


async def _examine(session: Session, tag: str, values: list[Value], by_uid: bool) -> None:
    await _select(session, tag, values, by_uid, read_only=True)


async def _create(session: Session, tag: str, values: list[Value], _: bool) -> None:
    if not values:
        raise CommandError("A mailbox name is wanted")
    await session.services.mailboxes.run(session.opened().create_folder, _name(values[0]))
    session.done(tag)


async def _delete(session: Session, tag: str, values: list[Value], _: bool) -> None:
    _exactly(values, 1)
    name = _name(values[0])
    if session.view is not None and session.view.folder.name == name:
        session.view = None
    await session.services.mailboxes.run(session.opened().delete_folder, name)
    session.done(tag)


async def _rename(session: Session, tag: str, values: list[Value], _: bool) -> None:
    _exactly(values, 2)
    await session.services.mailboxes.run(session.opened().rename_folder, _name(values[0]), _name(values[1]))
    session.done(tag)


def _subscription(on: bool) -> "_Run":
    async def run(session: Session, tag: str, values: list[Value], _: bool) -> None:
        _exactly(values, 1)
        await session.services.mailboxes.run(session.opened().subscribe, _name(values[0]), on)
        session.done(tag)

    return run


def _pattern(text: str) -> re.Pattern[str]:
    pieces = ["[^/]*" if letter == "%" else ".*" if letter == "*" else re.escape(letter) for letter in text]
    return re.compile("".join(pieces) + r"\Z", re.DOTALL | (re.IGNORECASE if text.upper() == "INBOX" else 0))


def _attributes(folder: Folder, names: set[str]) -> str:
    children = any(name.startswith(folder.name + "/") for name in names)
    return " ".join(filter(None, ("\\HasChildren" if children else "\\HasNoChildren", folder.special_use)))


def _list(kind: str) -> "_Run":
    async def run(session: Session, tag: str, values: list[Value], _: bool) -> None:
        _exactly(values, 2)
        reference, wanted = _name(values[0]), _name(values[1])
        if not wanted:
            session.write(f'* {kind} (\\Noselect) "/" ""')
            session.done(tag)
            return
        pattern = _pattern(reference + wanted)
        folders = session.opened().folders()
        names = {folder.name for folder in folders}
        if kind == "LSUB":
            for name in sorted(session.opened().subscriptions()):
                if pattern.match(name):
                    session.write(f'* LSUB () "/" {_shown(name)}')
        else:
            for folder in folders:
                if pattern.match(folder.name):
                    session.write(f'* LIST ({_attributes(folder, names)}) "/" {_shown(folder.name)}')
        session.done(tag)

    return run


async def _namespace(session: Session, tag: str, values: list[Value], _: bool) -> None:
    session.write('* NAMESPACE (("" "/")) NIL NIL')
    session.done(tag)


async def _status(session: Session, tag: str, values: list[Value], _: bool) -> None:
    _exactly(values, 2)
    folder = session.opened().folder(_name(values[0]))
    status = session.opened().status(folder.id)
    shown = []
    for value in list_of(values[1]):
        item = text_of(value).upper()
        if item == "RECENT":
            shown.append(f"RECENT {max(status.uidnext - status.recent_from, 0)}")
        elif item in _STATUS:
            shown.append(f"{item} {getattr(status, _STATUS[item])}")
        else:
            raise CommandError("Status item not known")
    session.write(f"* STATUS {_shown(folder.name)} ({' '.join(shown)})")
    session.done(tag)


async def _append(session: Session, tag: str, values: list[Value], _: bool) -> None:
    if len(values) < 2 or not isinstance(values[-1], Token):
        raise CommandError("A mailbox name and a literal are wanted")
    keywords: tuple[str, ...] = ()
    bits, moment = 0, int(session.services.clock.now())
    for value in values[1:-1]:
        if isinstance(value, list):
            bits, keywords = _flags(value)
        else:
            moment = _moment(text_of(value))
    mailbox = session.opened()
    try:
        folder = mailbox.folder(_name(values[0]))
    except NoSuchFolderError as error:
        error.imap_code = "TRYCREATE"
        raise
    assert session.account is not None
    quota = session.account.quota if session.account.quota is not None else session.services.settings.mailbox.quota
    message = NewMessage(bytes(values[-1]), bits, keyword_text(keywords), moment)
    (appended,) = await session.services.mailboxes.run(mailbox.append, folder.id, [message], quota)
    session.done(tag, f"[APPENDUID {appended.uidvalidity} {appended.uid}] Done")


def _moment(text: str) -> int:
    from mailstead.formats.message.date import parse_date  # noqa: PLC0415 next to its one use

    found = _DATE_TIME.fullmatch(text)
    moment = parse_date(f"{found[1]} {found[2]} {found[3]} {found[4]} {found[5]}".encode()) if found else None
    if moment is None:
        raise CommandError("Bad date")
    return moment


async def _idle(session: Session, tag: str, values: list[Value], _: bool) -> None:
    """IDLE (RFC 2177): changes are told as they come, until DONE."""
    session.write("+ idling")
    mailbox = session.opened()
    subscription = await session.services.bus.subscribe(
        f"mailbox.{mailbox.id}", lambda _, __: session.changed.set(), on_gap=session.changed.set
    )
    line = asyncio.ensure_future(_idle_line(session))
    try:
        while not line.done():
            session.changed.clear()
            session.tell_changes(expunges=True)
            if session.over:
                return
            waiting = asyncio.ensure_future(session.changed.wait())
            await asyncio.wait({line, waiting}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
        if line.result().upper() != b"DONE":
            raise CommandError("DONE is wanted")
    finally:
        subscription.close()
        if not line.done():
            line.cancel()
    session.done(tag)


async def _idle_line(session: Session) -> bytes:
    while (line := session.reader.take_line()) is None:
        data = await session.connection.read(session.services.settings.imap.idle_timeout)
        if not data:
            session.over = True
            return b"DONE"
        session.reader.receive(data)
    return line


async def _close(session: Session, tag: str, values: list[Value], _: bool) -> None:
    view = session.selected()
    session.view = None
    if not view.read_only:
        await session.services.mailboxes.run(view.mailbox.expunge, view.folder.id)
    session.done(tag)


async def _unselect(session: Session, tag: str, values: list[Value], _: bool) -> None:
    session.view = None
    session.done(tag)


async def _expunge(session: Session, tag: str, values: list[Value], by_uid: bool) -> None:
    view = session.selected()
    _writable(view)
    ranges = _uid_ranges(session, values[0], True) if by_uid and values else None
    await session.services.mailboxes.run(view.mailbox.expunge, view.folder.id, ranges)
    session.done(tag)


def _writable(view: View) -> None:
    if view.read_only:
        raise NoError("The mailbox was opened read-only")


async def _search(session: Session, tag: str, values: list[Value], by_uid: bool) -> None:
    view = session.selected()
    if values and not isinstance(values[0], list) and text_of(values[0]).upper() == "CHARSET":
        if len(values) < 2 or text_of(values[1]).upper() not in ("UTF-8", "US-ASCII"):
            session.write(f"{tag} NO [BADCHARSET (UTF-8 US-ASCII)] Charset not known")
            return
        values = values[2:]
    criterion = SearchParser(view).parse(values)
    uids = await session.services.mailboxes.run(view.mailbox.search, view.folder.id, criterion)
    numbers = [uid for uid in uids if view.number(uid)] if by_uid else [n for uid in uids if (n := view.number(uid))]
    session.write("* SEARCH" + "".join(f" {number}" for number in numbers))
    session.done(tag, expunges=by_uid)


async def _fetch(session: Session, tag: str, values: list[Value], by_uid: bool) -> None:
    if len(values) < 2:
        raise CommandError("Messages and items are wanted")
    view = session.selected()
    request = parse_fetch(values[1:], by_uid=by_uid)
    ranges = _uid_ranges(session, values[0], by_uid)
    session.tell_changes(expunges=False)
    run = session.services.mailboxes.run
    seen: set[int] = set()
    if request.sets_seen and not view.read_only:
        stored = await run(view.mailbox.store, view.folder.id, ranges, "add", Flag.SEEN)
        seen = {uid for uid, _, _, modseq in stored.changed if modseq > view.modseq}
        view.silent |= {uid: (bits, keywords) for uid, bits, keywords, _ in stored.changed}
    blocks = fetch(view, request, ranges, seen)
    while (block := await run(next, blocks, None)) is not None:
        session.connection.write(block)
        await session.connection.flush(session.services.settings.network.write_timeout)
    session.done(tag, expunges=by_uid)


async def _store(session: Session, tag: str, values: list[Value], by_uid: bool) -> None:
    if len(values) < 3:
        raise CommandError("Messages, what to do and flags are wanted")
    view = session.selected()
    _writable(view)
    found = re.fullmatch(r"([+-]?)FLAGS(\.SILENT)?", text_of(values[1]).upper())
    if found is None:
        raise CommandError("FLAGS, +FLAGS or -FLAGS is wanted")
    bits, keywords = _flags(values[2] if isinstance(values[2], list) else values[2:])
    ranges = _uid_ranges(session, values[0], by_uid)
    run, mailbox = session.services.mailboxes.run, view.mailbox
    match found[1]:
        case "+":
            stored = await run(mailbox.store, view.folder.id, ranges, "add", bits, keywords)
        case "-":
            stored = await run(mailbox.store, view.folder.id, ranges, "remove", bits, keywords)
        case _:
            stored = await run(mailbox.store, view.folder.id, ranges, "replace", bits, keywords)
    view.silent |= {uid: (new, words) for uid, new, words, _ in stored.changed}
    if not found[2]:
        for uid, new, words, _ in stored.changed:
            text = flags_text(new, words, uid >= view.recent_from)
            uid_text = f"UID {uid} " if by_uid else ""
            session.write(f"* {view.number(uid)} FETCH ({uid_text}FLAGS ({text}))")
    session.done(tag, expunges=by_uid)


def _transfer(move: bool) -> "_Run":
    async def run(session: Session, tag: str, values: list[Value], by_uid: bool) -> None:
        _exactly(values, 2)
        view = session.selected()
        if move:
            _writable(view)
        mailbox = view.mailbox
        try:
            target = mailbox.folder(_name(values[1]))
        except NoSuchFolderError as error:
            error.imap_code = "TRYCREATE"
            raise
        ranges = _uid_ranges(session, values[0], by_uid)
        action = mailbox.move if move else mailbox.copy
        copied = await session.services.mailboxes.run(action, view.folder.id, ranges, target.id)
        code = ""
        if copied.pairs:
            sources, targets = (format_sequence([pair[side] for pair in copied.pairs]) for side in (0, 1))
            code = f"[COPYUID {copied.uidvalidity} {sources} {targets}] "
        if move and code:
            session.write(f"* OK {code}Moved")
            session.done(tag)
        else:
            session.done(tag, f"{code}Done", expunges=by_uid)

    return run


async def _quota(session: Session, tag: str, values: list[Value], _: bool) -> None:
    """GETQUOTA and GETQUOTAROOT (RFC 9208): one root, octets only."""
    assert session.account is not None
    usage = session.opened().usage()
    limit = session.account.quota if session.account.quota is not None else session.services.settings.mailbox.quota
    if values and _name(values[0]):
        session.write(f'* QUOTAROOT {_shown(_name(values[0]))} ""')
    session.write(f'* QUOTA "" (STORAGE {(usage.size + 1023) // 1024} {limit // 1024})')
    session.done(tag)


_Run = Callable[[Session, str, list[Value], bool], Awaitable[None]]
_UID_COMMANDS = frozenset({"FETCH", "STORE", "SEARCH", "COPY", "MOVE", "EXPUNGE"})
_COMMANDS: dict[str, tuple[str, _Run]] = {
    "CAPABILITY": (ANY, _capability),
    "NOOP": (ANY, _noop),
    "LOGOUT": (ANY, _logout),
    "ID": (ANY, _id),
    "STARTTLS": (LOGGED_OUT, _start_tls),
    "LOGIN": (LOGGED_OUT, _login),
    "AUTHENTICATE": (LOGGED_OUT, _authenticate),
    "SELECT": (LOGGED_IN, _select),
    "EXAMINE": (LOGGED_IN, _examine),
    "CREATE": (LOGGED_IN, _create),
    "DELETE": (LOGGED_IN, _delete),
    "RENAME": (LOGGED_IN, _rename),
    "SUBSCRIBE": (LOGGED_IN, _subscription(True)),
    "UNSUBSCRIBE": (LOGGED_IN, _subscription(False)),
    "LIST": (LOGGED_IN, _list("LIST")),
    "LSUB": (LOGGED_IN, _list("LSUB")),
    "NAMESPACE": (LOGGED_IN, _namespace),
    "STATUS": (LOGGED_IN, _status),
    "APPEND": (LOGGED_IN, _append),
    "IDLE": (LOGGED_IN, _idle),
    "GETQUOTA": (LOGGED_IN, _quota),
    "GETQUOTAROOT": (LOGGED_IN, _quota),
    "CHECK": (SELECTED, _noop),
    "CLOSE": (SELECTED, _close),
    "UNSELECT": (SELECTED, _unselect),
    "EXPUNGE": (SELECTED, _expunge),
    "SEARCH": (SELECTED, _search),
    "FETCH": (SELECTED, _fetch),
    "STORE": (SELECTED, _store),
    "COPY": (SELECTED, _transfer(False)),
    "MOVE": (SELECTED, _transfer(True)),
}
