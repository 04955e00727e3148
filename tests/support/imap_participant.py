"""One of many sessions that work on the same mailboxes; what it does is drawn from a plan."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from support.imap_client import ImapClient, Response, numbers
from support.imap_view import Ledger, SelectedView, Slot

FLAGS = ("\\Seen", "\\Flagged", "\\Deleted", "\\Answered", "\\Draft", "work", "Home")
KINDS = ("plain", "condstore", "qresync", "rev2")
_ENABLED = {"plain": b"", "condstore": b"CONDSTORE", "qresync": b"QRESYNC", "rev2": b"IMAP4rev2"}
_FIRST_EXPUNGED = "EXPUNGEISSUED"


@dataclass(frozen=True)
class Action:
    """A step of a plan: what, and two numbers that choose messages and flags."""

    name: str
    where: int
    what: int


@dataclass
class Cache:
    """What a client kept when it left: it comes back with this."""

    folder: str
    uidvalidity: int
    modseq: int
    flags: dict[int, frozenset[str]]


@dataclass
class World:
    """What all participants share: a ledger per mailbox, and the caches that were left."""

    folders: tuple[str, str]
    ledgers: dict[str, Ledger] = field(default_factory=dict)
    caches: list[Cache] = field(default_factory=list)
    appended: int = 0

    def ledger(self, folder: str) -> Ledger:
        return self.ledgers.setdefault(folder, Ledger())


class Participant:
    """A session with its view of the mailbox that it selected."""

    def __init__(self, client: ImapClient, world: World, kind: str) -> None:
        self.client = client
        self.world = world
        self.kind = kind
        self.folder = ""
        self.view = SelectedView(Ledger(), qresync=False)
        self._next: SelectedView | None = None  # of the mailbox that is being selected instead
        self._idle = ""
        client.heard = self._hear

    def _hear(self, response: Response) -> None:
        if self._next is not None and response.code == "CLOSED":
            self.view, self._next = self._next, None
        else:
            self.view.hear(response)

    @property
    def idles(self) -> bool:
        return bool(self._idle)

    async def start(self, address: str, password: str, folder: str) -> None:
        await self.client.ok(f"LOGIN {address} {password}".encode())
        if _ENABLED[self.kind]:
            await self.client.ok(b"ENABLE " + _ENABLED[self.kind])
        await self.select(folder)

    async def select(self, folder: str) -> tuple[int, int]:
        """Select afresh; returns UIDVALIDITY and HIGHESTMODSEQ as they were told."""
        fresh = SelectedView(self.world.ledger(folder), qresync=self.kind == "qresync")
        fresh.command = "SELECT"
        if self.folder:
            self.view.command, self._next = "SELECT", fresh
        else:
            self.view = fresh
        self.folder = folder
        untagged = await self.client.ok(f"SELECT {folder}".encode())
        codes = {response.code: response.code_text for response in untagged if response.name == "OK"}
        assert self.view is fresh, "the mailbox before was not closed (RFC 7162 §3.2.11)"
        self.view.command = ""
        self.view.highest = int(codes["HIGHESTMODSEQ"])
        return int(codes["UIDVALIDITY"]), int(codes["HIGHESTMODSEQ"])

    # the plan's steps

    async def act(self, action: Action) -> None:
        try:
            if self._idle:
                await self.end_idle()
            await _ACTIONS[action.name](self, action)
        except AssertionError as error:
            error.add_note(f"{self.kind} in {self.folder}:\n{self.client.dialogue}")
            raise

    async def _run(self, name: str, arguments: str) -> tuple[Response, list[Response]]:
        """A command while which the view knows what runs; it may fail when a message is gone, and for nothing else."""
        self.view.command = name
        done, untagged = await self.client.do(f"{name} {arguments}".encode())
        self.view.command = ""
        assert done.name in ("OK", "NO"), (name, arguments, done.line)
        if done.name == "NO":
            assert not name.startswith("UID "), (name, arguments, done.line)
            assert done.code in ("", _FIRST_EXPUNGED), done.line
        return done, untagged

    def _chosen(self, action: Action) -> tuple[str, list[Slot]]:
        """One to three messages as a sequence set; none when there are none."""
        count = len(self.view.slots)
        if count == 0:
            return "", []
        first = action.where % count + 1
        last = min(count, first + action.what % 3)
        return f"{first}:{last}", self.view.slots[first - 1 : last]

    def _chosen_uids(self, action: Action) -> tuple[str, list[Slot]]:
        """The same by uid, of those whose uid is known."""
        _, slots = self._chosen(action)
        known = [slot for slot in slots if slot.uid is not None]
        return ",".join(str(slot.uid) for slot in known), known

    async def noop(self, _: Action) -> None:
        await self._run("NOOP", "")

    async def append(self, action: Action) -> None:
        flag = FLAGS[action.what % len(FLAGS)]
        self.world.appended += 1
        text = f"X-Id: {self.world.appended}\r\n\r\n"
        folder = self.world.folders[action.where % 8 == 0]
        done, _ = await self._run("APPEND", f"{folder} ({flag}) {{{len(text)}+}}\r\n{text}")
        assert done.code == "APPENDUID", done.line
        self.world.ledger(folder).make(int(done.code_text.split()[1]), text)

    async def fetch(self, action: Action) -> None:
        chosen, _ = self._chosen(action)
        if chosen:
            modseq = "" if self.kind == "plain" else " MODSEQ"
            await self._run("FETCH", f"{chosen} (UID FLAGS{modseq})")

    async def uid_fetch(self, action: Action) -> None:
        first = action.where % 40 + 1
        await self._run("UID FETCH", f"{first}:* (FLAGS)")

    async def search(self, action: Action) -> None:
        flag = ("SEEN", "UNFLAGGED", "DELETED", "ALL")[action.what % 4]
        name = "UID SEARCH" if action.where % 2 else "SEARCH"
        count = len(self.view.slots)
        _, untagged = await self._run(name, flag)
        found = [response for response in untagged if response.name in ("SEARCH", "ESEARCH")]
        assert len(found) == 1, untagged
        if name == "SEARCH" and found[0].name == "SEARCH":
            hits = [int(value) for value in found[0].values if isinstance(value, bytes) and value.isdigit()]
            assert max(hits, default=0) <= max(count, len(self.view.slots)), found[0].line

    async def store(self, action: Action) -> None:
        chosen, slots = self._chosen(action)
        if chosen:
            await self._store("STORE", chosen, slots, action)

    async def uid_store(self, action: Action) -> None:
        chosen, slots = self._chosen_uids(action)
        if chosen:
            await self._store("UID STORE", chosen, slots, action)

    async def _store(self, name: str, chosen: str, slots: list[Slot], action: Action) -> None:
        flags = {FLAGS[action.what % len(FLAGS)], FLAGS[action.where % len(FLAGS)]}
        operation = ("+", "-", "")[action.what % 5 % 3]
        silent = action.where % 2 == 1
        condition = ""
        if self.kind in ("condstore", "qresync") and action.where % 3 == 0:
            condition = f" (UNCHANGEDSINCE {min(slot.modseq for slot in slots)})"
        told = [slot.told for slot in slots]
        suffix = ".SILENT" if silent else ""
        done, _ = await self._run(name, f"{chosen}{condition} {operation}FLAGS{suffix} ({' '.join(sorted(flags))})")
        assert condition or done.code != "MODIFIED", done.line
        modified = set(numbers(done.code_text)) if done.code == "MODIFIED" else set()
        first = int(chosen.partition(":")[0]) if name == "STORE" else 0
        for place, (slot, before) in enumerate(zip(slots, told, strict=True)):
            number = first + place if name == "STORE" else slot.uid
            if slot.told == before and number not in modified and (silent or done.name == "NO"):
                slot.flags = None if done.name == "NO" else _changed(slot.flags, operation, flags)

    async def copy(self, action: Action) -> None:
        chosen, _ = self._chosen(action)
        if chosen:
            await self._transfer("COPY", chosen, action)

    async def uid_move(self, action: Action) -> None:
        chosen, _ = self._chosen_uids(action)
        if chosen:
            await self._transfer("UID MOVE", chosen, action)

    async def move(self, action: Action) -> None:
        chosen, _ = self._chosen(action)
        if chosen:
            await self._transfer("MOVE", chosen, action)

    async def _transfer(self, name: str, chosen: str, action: Action) -> None:
        target = self.world.folders[action.what % 2]
        done, untagged = await self._run(name, f"{chosen} {target}")
        codes = [response.code_text for response in [*untagged, done] if response.code == "COPYUID"]
        assert len(codes) <= 1, codes
        for code in codes:
            _, sources, targets = code.split()
            made = numbers(targets)
            assert len(numbers(sources)) == len(made), code
            assert made == sorted(made), code
            if "MOVE" in name:
                self.view.ledger.gone.update(numbers(sources))
            for uid in made:
                self.world.ledger(target).make(uid, f"{name} {sources}")

    async def expunge(self, _: Action) -> None:
        await self._run("EXPUNGE", "")

    async def uid_expunge(self, action: Action) -> None:
        chosen, _ = self._chosen_uids(action)
        if chosen:
            await self._run("UID EXPUNGE", chosen)

    async def status(self, _: Action) -> None:
        await self._run("STATUS", f"{self.folder} (MESSAGES UIDNEXT HIGHESTMODSEQ)")

    async def idle(self, _: Action) -> None:
        self.view.command = "IDLE"
        self._idle = await self.client.send(b"IDLE")
        await self.client.until("+")

    async def end_idle(self) -> None:
        await self.client.say(b"DONE")
        done, _ = await self.client.until(self._idle)
        assert done.name == "OK", done.line
        self._idle, self.view.command = "", ""

    async def leave(self, action: Action) -> None:
        """Remember the mailbox as a client does that goes offline now."""
        if self.kind == "plain":
            await self.select(self.world.folders[action.where % 4 == 0])
            return
        validity, modseq = await self.select(self.world.folders[action.where % 4 == 0])
        await self._run("UID FETCH", "1:* (FLAGS)")
        found = {slot.uid: slot.flags for slot in self.view.slots if slot.uid is not None and slot.flags is not None}
        self.world.caches.append(Cache(self.folder, validity, modseq, found))

    async def finish(self) -> None:
        """Learn of everything that is left to learn."""
        if self._idle:
            await self.end_idle()
        await self._run("NOOP", "")

    def check(self, truth: dict[int, frozenset[str]]) -> None:
        """What the session knows is the truth: nothing more may be missing when a NOOP was answered."""
        try:
            self._compare(truth)
        except AssertionError as error:
            error.add_note(f"{self.kind} in {self.folder}:\n{self.client.dialogue}")
            raise

    def _compare(self, truth: dict[int, frozenset[str]]) -> None:
        assert len(self.view.slots) == len(truth), f"{self.kind}: {len(self.view.slots)} messages, not {len(truth)}"
        for slot, (uid, flags) in zip(self.view.slots, sorted(truth.items()), strict=True):
            assert slot.uid in (None, uid), f"{self.kind}: uid {slot.uid}, not {uid}"
            assert slot.flags in (None, flags), f"{self.kind}: uid {uid} has {set(flags)}, not {set(slot.flags or ())}"


def _changed(flags: frozenset[str] | None, operation: str, changed: set[str]) -> frozenset[str] | None:
    small = {flag.lower() for flag in changed}
    if operation == "":
        return frozenset(small)
    if flags is None:
        return None
    return flags | small if operation == "+" else flags - small


_Step = Callable[[Participant, Action], Awaitable[None]]
_ACTIONS: dict[str, _Step] = {
    "append": Participant.append,
    "store": Participant.store,
    "uid store": Participant.uid_store,
    "fetch": Participant.fetch,
    "uid fetch": Participant.uid_fetch,
    "search": Participant.search,
    "copy": Participant.copy,
    "move": Participant.move,
    "uid move": Participant.uid_move,
    "expunge": Participant.expunge,
    "uid expunge": Participant.uid_expunge,
    "noop": Participant.noop,
    "status": Participant.status,
    "idle": Participant.idle,
    "leave": Participant.leave,
}
ACTIONS = tuple(_ACTIONS)
