"""An IMAP client for one task: read everything of an account and change nothing (RFC 9051 and RFC 3501 servers)."""

import base64
import re
import ssl
from array import array
from collections.abc import AsyncIterator, Callable, Sequence

import msgspec

from mailstead.formats.message.date import parse_date
from mailstead.foundation.config.sections.migration import MigrationSettings
from mailstead.foundation.errors import TemporaryError
from mailstead.foundation.net.client import connect
from mailstead.foundation.net.connection import Connection
from mailstead.foundation.net.errors import ReadTimeoutError, StartTLSError
from mailstead.foundation.spool import Spool
from mailstead.mail.migration.errors import MigrationError, RefusedError, plain
from mailstead.mail.migration.folder import Namespace, RemoteFolder, folder, namespace, with_uses_by_name
from mailstead.mail.migration.location import Location
from mailstead.mail.migration.response import Response, ResponseParser, Value, bodies, values

_UNTAGGED = re.compile(rb"\* (?:(\d{1,10}) )?([A-Z0-9-]+) ?", re.IGNORECASE)
_UIDVALIDITY = re.compile(rb"\[UIDVALIDITY (\d{1,10})\]", re.IGNORECASE)
_CAPABILITIES = re.compile(rb"\[CAPABILITY ([^\]]*)\]", re.IGNORECASE)
_LOOPBACK = re.compile(r"127\.|::1$")
_PAGE = 1000
_OVERHEAD = 200  # octets that a response costs besides what it says
_UID_MOST = 2**32 - 1


class Selected(msgspec.Struct, frozen=True):
    """A folder that was opened: UIDVALIDITY, uids and sizes of its messages by their order."""

    uidvalidity: int
    uids: Sequence[int]
    sizes: Sequence[int]


class Fetched(msgspec.Struct, frozen=True):
    """A message; `body` is to be closed by who takes it. `internal_date` None when the server named none."""

    uid: int
    flags: tuple[str, ...]
    internal_date: int | None
    body: Spool


class ImapClient:
    """One connection. Every method may raise MigrationError, and TemporaryError when the connection is lost."""

    def __init__(
        self, connection: Connection, location: Location, settings: MigrationSettings, new_body: Callable[[], Spool]
    ) -> None:
        self._connection = connection
        self._location = location
        self._settings = settings
        self._new_body = new_body
        self._parser = self._new_parser()
        self._capabilities: frozenset[bytes] = frozenset()
        self._tags = 0

    def _new_parser(self) -> ResponseParser:
        # a server may be wrong about a size by line ends, not by more
        return ResponseParser(self._settings.response_limit, 2 * self._settings.message_limit, self._new_body)

    # the conversation

    async def _response(self) -> Response:
        while (response := self._parser.next_response()) is None:
            try:
                data = await self._connection.read(self._settings.timeout)
            except ReadTimeoutError:
                raise MigrationError(f"{self._location} does not answer") from None
            if not data:
                raise MigrationError(f"{self._location} closed the connection")
            self._parser.receive(data)
        return response

    async def _responses(self, command: bytes, *secret: bytes) -> AsyncIterator[Response]:
        """What is said to a command before its end; `secret` follows when the server asks. Raises when it is refused."""
        self._tags += 1
        tag = b"m%d " % self._tags
        self._connection.write(tag + command + b"\r\n")
        await self._connection.flush(self._settings.timeout)
        answers = list(secret)
        size = 0
        while True:
            response = await self._response()
            line = response[0]
            assert isinstance(line, bytes)
            if line.startswith(tag):
                self._note_capabilities(line)
                if line[len(tag) :].upper().split(b" ", 1)[0] != b"OK":
                    raise RefusedError(f"{self._location} refused: {plain(line[len(tag) :])}")
                return
            if line.startswith(b"+"):
                if not answers:
                    raise MigrationError(f"{self._location} asks for what was not offered")
                self._connection.write(answers.pop(0) + b"\r\n")
                continue
            if line[:6].upper() == b"* BYE ":
                raise MigrationError(f"{self._location} ends the session: {plain(line[6:])}")
            size += _OVERHEAD + sum(len(piece) for piece in response if isinstance(piece, bytes))
            if size > self._settings.response_limit:
                raise MigrationError(f"{self._location} sent more than {self._settings.response_limit} octets")
            yield response

    async def _told(self, command: bytes, *secret: bytes) -> list[Response]:
        found = []
        async for response in self._responses(command, *secret):
            for body in bodies(response):
                body.close()
            found.append(response)
        return found

    def _note_capabilities(self, line: bytes) -> None:
        found = _CAPABILITIES.search(line)
        if found is not None:
            self._capabilities = frozenset(found[1].upper().split())

    async def _ask_capabilities(self) -> None:
        for line in _lines(await self._told(b"CAPABILITY"), b"CAPABILITY"):
            self._capabilities = frozenset(line.upper().split()[2:])

    # the beginning

    async def begin(self, context: ssl.SSLContext, password: str) -> None:
        """Greeting, TLS, login. Without TLS only with a server on this machine that offers none."""
        if self._location.implicit_tls:
            await self._start_tls(context)
        greeting = (await self._response())[0]
        assert isinstance(greeting, bytes)
        state = greeting[:9].upper()
        if not state.startswith((b"* OK", b"* PREAUTH")):
            raise MigrationError(f"{self._location} does not want to talk: {plain(greeting)}")
        self._note_capabilities(greeting)
        await self._ask_capabilities()
        if not self._location.implicit_tls:
            await self._upgrade(context, state.startswith(b"* PREAUTH"))
        if not state.startswith(b"* PREAUTH"):
            await self._log_in(password)

    async def _upgrade(self, context: ssl.SSLContext, preauthenticated: bool) -> None:
        is_near = _LOOPBACK.match(self._connection.peer.address) is not None
        if preauthenticated or b"STARTTLS" not in self._capabilities:
            if not is_near:
                raise MigrationError(f"{self._location} offers no STARTTLS: nothing is sent in the clear")
            return
        try:
            await self._told(b"STARTTLS")
        except RefusedError:
            if not is_near:
                raise
            return
        if not self._parser.is_empty:
            raise MigrationError(f"{self._location} sent something before the TLS handshake")
        await self._start_tls(context)
        self._parser = self._new_parser()
        await self._ask_capabilities()  # those from before are worth nothing (RFC 9051 §6.2.1)

    async def _start_tls(self, context: ssl.SSLContext) -> None:
        try:
            await self._connection.start_client_tls(context, self._location.host, self._settings.timeout)
        except StartTLSError as error:
            raise MigrationError(f"No TLS with {self._location}", detail=error.detail) from error

    async def _log_in(self, password: str) -> None:
        user = self._location.user
        if b"AUTH=PLAIN" in self._capabilities:
            secret = base64.b64encode(f"\0{user}\0{password}".encode())
            await self._told(b"AUTHENTICATE PLAIN", secret)
        elif b"LOGINDISABLED" in self._capabilities:
            raise MigrationError(f"{self._location} takes no password here")
        else:
            name, word = user.encode(), password.encode()
            await self._told(b"LOGIN {%d}" % len(name), name + b" {%d}" % len(word), word)
        await self._ask_capabilities()

    # what is there

    async def folders(self) -> list[RemoteFolder]:
        """The account's own folders that hold messages."""
        spaces = Namespace()
        if b"NAMESPACE" in self._capabilities:
            for response, start in _data(await self._told(b"NAMESPACE"), b"NAMESPACE"):
                spaces = namespace(values(response, start))
        extended = b"LIST-EXTENDED" in self._capabilities or b"IMAP4REV2" in self._capabilities
        wanted = b""
        if extended:
            wanted = (
                b" RETURN (SUBSCRIBED SPECIAL-USE)" if b"SPECIAL-USE" in self._capabilities else b" RETURN (SUBSCRIBED)"
            )
        found: dict[bytes, RemoteFolder] = {}
        for response, start in _data(await self._told(b'LIST "" "*"' + wanted), b"LIST"):
            one = folder(values(response, start), spaces)
            if one is not None:
                found.setdefault(one.wire, one)
        if len(found) > self._settings.folders_limit:
            raise MigrationError(f"{self._location} has more than {self._settings.folders_limit} folders")
        if not extended:
            for response, start in _data(await self._told(b'LSUB "" "*"'), b"LSUB"):
                one = folder(values(response, start), spaces)
                if one is not None and one.wire in found:
                    found[one.wire] = msgspec.structs.replace(found[one.wire], subscribed=True)
        return with_uses_by_name(found.values())

    async def select(self, wire: bytes) -> Selected:
        """Open a folder for reading and list its messages. Raises RefusedError."""
        if not wire.isascii() or re.search(rb'[\x00-\x1f"\\\x7f]', wire):
            said = await self._told(b"EXAMINE {%d}" % len(wire), wire)
        else:
            said = await self._told(b'EXAMINE "%b"' % wire)
        exists = uidvalidity = 0
        for response in said:
            line = response[0]
            assert isinstance(line, bytes)
            found = _UNTAGGED.match(line)
            if found is not None and found[1] and found[2].upper() == b"EXISTS":
                exists = int(found[1])
            named = _UIDVALIDITY.search(line)
            if named is not None:
                uidvalidity = int(named[1])
        if exists > self._settings.messages_limit:
            raise MigrationError(f"{self._location} names {exists} messages in one folder")
        return await self._listed(uidvalidity, exists)

    async def _listed(self, uidvalidity: int, exists: int) -> Selected:
        uids, sizes = array("Q"), array("Q")
        # Numbers stay as they are meanwhile: nothing is expunged during FETCH (RFC 9051 §7.5.1).
        for first in range(1, exists + 1, _PAGE):
            last = min(first + _PAGE - 1, exists)
            seen: dict[int, int] = {}
            for response, start in _data(await self._told(b"FETCH %d:%d (UID RFC822.SIZE)" % (first, last)), b"FETCH"):
                items = _items(values(response, start))
                uid, size = _number(items.get(b"UID")), _number(items.get(b"RFC822.SIZE"))
                if uid is not None and 0 < uid <= _UID_MOST and size is not None:
                    seen[uid] = size
            if len(seen) < last - first + 1:
                raise MigrationError(f"{self._location} named {len(seen)} of {last - first + 1} messages")
            uids.extend(seen)
            sizes.extend(min(size, 2**63) for size in seen.values())
        return Selected(uidvalidity, uids, sizes)

    async def fetch(self, uids: Sequence[int], octets: int) -> list[Fetched]:
        """Those of the messages that the server gives, each once; `octets` is what it said they have together."""
        wanted = set(uids)
        found: list[Fetched] = []
        spools: list[Spool] = []
        room = 2 * octets + self._settings.message_limit  # sizes may be wrong, but not by that
        command = b"UID FETCH %b (UID FLAGS INTERNALDATE BODY.PEEK[])" % b",".join(b"%d" % uid for uid in uids)
        try:
            async for response in self._responses(command):
                came = list(bodies(response))
                spools += came
                room -= sum(body.size for body in came)
                if room < 0:
                    raise MigrationError(f"{self._location} sent far more than it announced")
                one = _fetched(response)
                if one is not None and one.uid in wanted:
                    wanted.remove(one.uid)
                    found.append(one)
                    came.remove(one.body)
                for body in came:
                    body.close()
        except BaseException:
            for body in spools:
                body.close()
            raise
        return found

    async def end(self) -> None:
        """LOGOUT, without waiting for an answer."""
        self._connection.write(b"q LOGOUT\r\n")
        self._parser.close()
        await self._connection.close()


def _data(responses: Sequence[Response], name: bytes) -> list[tuple[Response, int]]:
    """Untagged responses of a name, and where in their first line the data begin."""
    found = []
    for response in responses:
        line = response[0]
        assert isinstance(line, bytes)
        match = _UNTAGGED.match(line)
        if match is not None and match[2].upper() == name:
            found.append((response, match.end()))
    return found


def _lines(responses: Sequence[Response], name: bytes) -> list[bytes]:
    return [response[0] for response, _ in _data(responses, name) if isinstance(response[0], bytes)]


def _items(found: list[Value]) -> dict[bytes, Value]:
    """The items of a FETCH response by their names in capitals."""
    if len(found) != 1 or not isinstance(found[0], list):
        return {}
    pairs = zip(found[0][::2], found[0][1::2], strict=False)
    return {name.upper(): value for name, value in pairs if isinstance(name, bytes)}


def _number(value: Value) -> int | None:
    return int(value) if isinstance(value, bytes) and value.isdigit() and len(value) < 20 else None


def _fetched(response: Response) -> Fetched | None:
    data = _data([response], b"FETCH")
    if not data:
        return None
    items = _items(values(*data[0]))
    uid, body, flags, date = (items.get(name) for name in (b"UID", b"BODY[]", b"FLAGS", b"INTERNALDATE"))
    number = _number(uid)
    if number is None or not isinstance(body, Spool):
        return None
    words = (
        [word.decode("ascii", "replace") for word in flags if isinstance(word, bytes)]
        if isinstance(flags, list)
        else []
    )
    return Fetched(number, tuple(words), parse_date(date) if isinstance(date, bytes) else None, body)


async def open_client(
    location: Location,
    password: str,
    context: ssl.SSLContext,
    settings: MigrationSettings,
    new_body: Callable[[], Spool],
    addresses: Sequence[str] = (),
) -> ImapClient:
    """Connect, to the first of `addresses` that answers when they are given, and log in. Raises MigrationError."""
    connection = await _connected(location, addresses or (location.host,), settings.timeout)
    client = ImapClient(connection, location, settings, new_body)
    try:
        await client.begin(context, password)
    except TemporaryError as error:
        await client.end()
        raise MigrationError(f"{location}: {error}") from error
    except MigrationError:
        await client.end()
        raise
    return client


async def _connected(location: Location, addresses: Sequence[str], timeout: float) -> Connection:
    words = "no answer"
    for address in addresses:
        try:
            return await connect(address, location.port, timeout=timeout)
        except OSError as error:
            words = error.strerror or words
    raise MigrationError(f"{location} cannot be reached: {words}")
