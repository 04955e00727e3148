"""The scripts of every mailbox."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import msgspec

from mailstead.formats.sieve.bounds import Bounds
from mailstead.formats.sieve.checks import script_name
from mailstead.formats.sieve.compiler import compile_script
from mailstead.formats.sieve.errors import ScriptError
from mailstead.formats.sieve.program import Program
from mailstead.foundation.clock import Clock
from mailstead.foundation.config.sections.sieve import SieveSettings
from mailstead.foundation.errors import AlreadyExistsError, InvalidError, NotFoundError, PermanentError
from mailstead.foundation.identifiers import new_ulid
from mailstead.stores.directory.directory import Directory
from mailstead.stores.documents.interface import (
    Collection,
    CollectionSpec,
    ConflictError,
    Documents,
    DuplicateError,
)

SITE = "site"
_PROGRAMS = 1000
_SETS = 20_000
_ATTEMPTS = 20


class InvalidScriptError(InvalidError):
    """The script cannot be used; the text names line, column and what is wrong."""


class ActiveScriptError(PermanentError):
    """The active script cannot be removed."""

    http_status = 409
    public_text = "The active script cannot be removed: make another one active, or none"


class ScriptQuotaError(PermanentError):
    """There is no room for one more script, or for one so large; `largest` tells the two apart."""

    http_status = 409

    def __init__(self, public_text: str, *, largest: bool) -> None:
        super().__init__(public_text)
        self.largest = largest


class ScriptEntry(msgspec.Struct, frozen=True):
    """One script of a mailbox; `size` in octets, `updated_at` in seconds since the epoch."""

    name: str
    content_id: str
    size: int
    updated_at: float


class ScriptSet(msgspec.Struct, frozen=True):
    """All scripts of a mailbox by name; `active` is a name or ""."""

    scripts: tuple[ScriptEntry, ...] = ()
    active: str = ""

    def find(self, name: str) -> ScriptEntry | None:
        """The script of that name."""
        return next((entry for entry in self.scripts if entry.name == name), None)


class ActiveScript(msgspec.Struct, frozen=True):
    """The script that runs; `program` is None when it does not compile (any more), and `error` says why."""

    name: str
    program: Program | None
    error: str = ""


def checked_name(name: str) -> str:
    """`name` itself (RFC 5804 §1.6). Raises InvalidError."""
    complaint = script_name(name)
    if complaint:
        raise InvalidError(complaint)
    return name


class Scripts:
    """Scripts over documents. Changes reach other processes as changes of the directory do."""

    def __init__(self, documents: Documents, directory: Directory, settings: SieveSettings, clock: Clock) -> None:
        self._documents = documents
        self._directory = directory
        self._settings = settings
        self._clock = clock
        self._bounds = Bounds(size=settings.script_size, nesting=settings.nesting_limit)
        self._sets: OrderedDict[str, ScriptSet] = OrderedDict()
        self._digests: OrderedDict[str, bytes] = OrderedDict()
        self._programs: OrderedDict[bytes, ActiveScript] = OrderedDict()
        self._epoch = -1

    async def _collection(self) -> Collection:
        return await self._documents.collection(CollectionSpec("sieve"))

    async def _contents(self) -> Collection:
        return await self._documents.collection(CollectionSpec("sieve_content"))

    def compile(self, content: bytes) -> Program:
        """The program of a script. Raises InvalidScriptError."""
        try:
            return compile_script(content, self._bounds)
        except ScriptError as error:
            raise InvalidScriptError(str(error)) from None

    # reading

    async def all_of(self, mailbox_id: str) -> ScriptSet:
        """The scripts of a mailbox, from the store."""
        document = await (await self._collection()).get(mailbox_id)
        return ScriptSet() if document is None else msgspec.convert(document["set"], ScriptSet)

    async def content(self, mailbox_id: str, name: str) -> bytes:
        """A script as it was put. Raises NotFoundError."""
        entry = (await self.all_of(mailbox_id)).find(name)
        document = None if entry is None else await (await self._contents()).get(entry.content_id)
        if document is None:
            raise NotFoundError(f'There is no script "{name}"')
        content: bytes = document["content"]
        return content

    async def check_space(self, mailbox_id: str, name: str, size: int) -> None:
        """Raises ScriptQuotaError unless a script of that name and size can be put."""
        self._check_space(await self.all_of(mailbox_id), name, size)

    def _check_space(self, held: ScriptSet, name: str, size: int) -> None:
        if size > self._settings.script_size:
            raise ScriptQuotaError(f"A script has at most {self._settings.script_size} octets", largest=True)
        if held.find(name) is None and len(held.scripts) >= self._settings.scripts_limit:
            raise ScriptQuotaError(f"There are at most {self._settings.scripts_limit} scripts", largest=False)

    # changing

    async def put(self, mailbox_id: str, name: str, content: bytes) -> None:
        """Keep a script, in place of one of the same name. Raises InvalidError, ScriptQuotaError."""
        checked_name(name)
        self._check_space(await self.all_of(mailbox_id), name, len(content))
        self.compile(content)
        now = self._clock.now()
        entry = ScriptEntry(name, new_ulid(now), len(content), now)
        await (await self._contents()).insert({"id": entry.content_id, "content": content})

        def change(held: ScriptSet) -> ScriptSet:
            self._check_space(held, name, len(content))
            others = [one for one in held.scripts if one.name != name]
            return msgspec.structs.replace(held, scripts=tuple(sorted((*others, entry), key=lambda one: one.name)))

        await self._change(mailbox_id, change)

    async def activate(self, mailbox_id: str, name: str) -> None:
        """Make a script the one that runs; none for "". Raises NotFoundError."""

        def change(held: ScriptSet) -> ScriptSet:
            if name:
                _known(held, name)
            return msgspec.structs.replace(held, active=name)

        await self._change(mailbox_id, change)

    async def rename(self, mailbox_id: str, old: str, new: str) -> None:
        """Give a script another name; it stays active when it was. Raises NotFoundError, AlreadyExistsError."""
        checked_name(new)

        def change(held: ScriptSet) -> ScriptSet:
            entry = _known(held, old)
            if held.find(new) is not None:
                raise AlreadyExistsError(f'There is a script "{new}" already')
            renamed = msgspec.structs.replace(entry, name=new)
            scripts = sorted((renamed if one is entry else one for one in held.scripts), key=lambda one: one.name)
            return ScriptSet(tuple(scripts), new if held.active == old else held.active)

        await self._change(mailbox_id, change)

    async def remove(self, mailbox_id: str, name: str) -> None:
        """Remove a script. Raises NotFoundError, ActiveScriptError."""

        def change(held: ScriptSet) -> ScriptSet:
            entry = _known(held, name)
            if held.active == name:
                raise ActiveScriptError
            return msgspec.structs.replace(held, scripts=tuple(one for one in held.scripts if one is not entry))

        await self._change(mailbox_id, change)

    async def _change(self, mailbox_id: str, change: Callable[[ScriptSet], ScriptSet]) -> None:
        """Change the set in one step, again when somebody else was faster; contents that nobody names go after it."""
        collection = await self._collection()
        for _ in range(_ATTEMPTS):
            document = await collection.get(mailbox_id)
            held = ScriptSet() if document is None else msgspec.convert(document["set"], ScriptSet)
            changed = change(held)
            stored: dict[str, Any] = {"set": msgspec.to_builtins(changed)}
            try:
                if document is None:
                    await collection.insert({"id": mailbox_id, **stored})
                else:
                    await collection.update(mailbox_id, stored, version=document["version"])
            except (DuplicateError, ConflictError):
                continue
            await self._directory.announce()
            contents = await self._contents()
            for entry in held.scripts:
                if not any(one.content_id == entry.content_id for one in changed.scripts):
                    await contents.delete(entry.content_id)
            return
        raise ConflictError

    # running

    async def active(self, mailbox_id: str) -> ActiveScript | None:
        """The script that runs for a mailbox, None without one."""
        return await self._found(mailbox_id, lambda held: held.find(held.active) if held.active else None)

    async def included(self, mailbox_id: str, name: str) -> Program | None:
        """The program of a script by name, None when there is none that compiles."""
        found = await self._found(mailbox_id, lambda held: held.find(name))
        return None if found is None else found.program

    async def _found(self, mailbox_id: str, choose: Callable[[ScriptSet], ScriptEntry | None]) -> ActiveScript | None:
        for _ in range(_ATTEMPTS):
            entry = choose(await self._cached(mailbox_id))
            if entry is None:
                return None
            found = await self._program(entry)
            if found is not None:
                return found
            self._sets.pop(mailbox_id, None)  # replaced a moment ago, and the news is still on its way
        return None

    async def _cached(self, mailbox_id: str) -> ScriptSet:
        await self._directory.refresh()
        if self._directory.epoch != self._epoch:
            self._sets.clear()
            self._epoch = self._directory.epoch
        held = self._sets.get(mailbox_id)
        if held is None:
            epoch = self._epoch
            held = await self.all_of(mailbox_id)
            if epoch == self._directory.epoch:
                self._sets[mailbox_id] = held
                if len(self._sets) > _SETS:
                    self._sets.popitem(last=False)
        return held

    async def _program(self, entry: ScriptEntry) -> ActiveScript | None:
        """The compiled script, None when its content is gone. Contents never change: an id stands for one of them."""
        digest = self._digests.get(entry.content_id)
        found = None if digest is None else self._programs.get(digest)
        if found is None:
            document = await (await self._contents()).get(entry.content_id)
            if document is None:
                return None
            digest = hashlib.sha256(document["content"]).digest()
            found = self._programs.get(digest) or self._compiled(document["content"])
            self._digests[entry.content_id] = digest
            self._programs[digest] = found
            if len(self._programs) > _PROGRAMS:
                self._programs.popitem(last=False)
            if len(self._digests) > _SETS:
                self._digests.popitem(last=False)
        self._programs.move_to_end(digest or b"")
        return msgspec.structs.replace(found, name=entry.name)

    def _compiled(self, content: bytes) -> ActiveScript:
        try:
            return ActiveScript("", self.compile(content))
        except InvalidScriptError as error:
            return ActiveScript("", None, error.public_text)


def _known(held: ScriptSet, name: str) -> ScriptEntry:
    entry = held.find(name)
    if entry is None:
        raise NotFoundError(f'There is no script "{name}"')
    return entry
