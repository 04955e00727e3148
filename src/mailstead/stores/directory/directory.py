"""The directory: who and what exists here, resolved and authenticated from caches that follow every change."""

from collections import OrderedDict
from functools import partial
from typing import Any

import msgspec

from mailstead.foundation.clock import Clock
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.crypto.derive import derive_key
from mailstead.foundation.crypto.slot import unwrap
from mailstead.foundation.errors import NotFoundError
from mailstead.stores.bus.interface import Bus, Subscription
from mailstead.stores.directory.access import AccessEntry, AccessIndex
from mailstead.stores.directory.names import (
    CATCH_ALL,
    InvalidAddressError,
    Match,
    checked_pattern,
    is_pattern,
    split_address,
)
from mailstead.stores.directory.records import (
    Account,
    Alias,
    Destination,
    Domain,
    Kind,
    Record,
    Resolution,
    User,
    from_document,
    to_document,
)
from mailstead.stores.directory.targets import filled, target_kind, with_tag
from mailstead.stores.documents.interface import Collection, CollectionSpec, Documents, DuplicateError, Index

CHANNEL = "directory"
REPORTS = "reports:"  # before an address, in place of a mailbox's id
_CACHE_ENTRIES = 20_000
_LOOK_AGAIN = 0.5
_GENERATION = "directory"
_POSTMASTERS = ("postmaster", "abuse")  # always there (RFC 5321 §4.5.1, RFC 2142 §4)

_SPECS: dict[type[Any], CollectionSpec] = {
    User: CollectionSpec("user", (Index(("address",), unique=True),)),
    Domain: CollectionSpec("domain", (Index(("owner_id",)),)),
    Alias: CollectionSpec(
        "alias", (Index(("domain", "name"), unique=True), Index(("user_id",)), Index(("mailbox_id",)))
    ),
    AccessEntry: CollectionSpec("access", (Index(("scope", "kind", "value"), unique=True),)),
}


class Directory:
    """Users, domains and aliases over documents; answers are cached until anything changes, here or elsewhere."""

    def __init__(self, documents: Documents, bus: Bus, settings: Settings, secret: bytes, clock: Clock) -> None:
        self._documents = documents
        self._bus = bus
        self._settings = settings
        self._clock = clock
        self.server_key = derive_key(secret, "mailbox")
        self.dkim_secret = derive_key(secret, "dkim")
        self.factor_secret = derive_key(secret, "second factor")
        self._webhook_secret = derive_key(secret, "webhook")
        self.relay_secret = derive_key(secret, "relay")
        self.unsubscribe_secret = derive_key(secret, "unsubscribe")
        self.verp_secret = derive_key(secret, "verp")
        self._collections: dict[type[Any], Collection] = {}
        self._state: Collection | None = None
        self._subscription: Subscription | None = None
        self._cache: OrderedDict[tuple[str, str], Any] = OrderedDict()
        self._generation = -1
        self._looked_at = float("-inf")
        self.epoch = 0  # changes whenever the caches were emptied

    async def open(self) -> None:
        """Prepare the collections and follow changes."""
        for kind, spec in _SPECS.items():
            self._collections[kind] = await self._documents.collection(spec)
        self._state = await self._documents.collection(CollectionSpec("generation"))
        self._subscription = await self._bus.subscribe(CHANNEL, lambda _, __: self._forget(), on_gap=self._forget)

    async def close(self) -> None:
        """Stop following changes."""
        if self._subscription is not None:
            self._subscription.close()

    # records

    def _of(self, kind: type[Any]) -> Collection:
        return self._collections[kind]

    async def get(self, kind: type[Kind], identifier: str) -> Kind | None:
        """The record of that id, from the store."""
        document = await self._of(kind).get(identifier)
        return None if document is None else from_document(document, kind)

    async def known(self, kind: type[Kind], identifier: str) -> Kind | None:
        """The record of that id, cached."""
        found: Kind | None = await self._cached(kind.__name__, identifier, lambda: self.get(kind, identifier))
        return found

    async def find(self, kind: type[Kind], **where: Any) -> list[Kind]:
        """Records whose fields equal those given, by id."""
        return [from_document(document, kind) for document in await self._of(kind).find(where)]

    async def count(self, kind: type[Kind]) -> int:
        """How many records of a kind there are."""
        return await self._of(kind).count({})

    async def add(self, record: Record) -> None:
        """Store a new record. Raises DuplicateError."""
        await self._of(type(record)).insert(to_document(record))
        await self.announce()

    async def replace(self, record: Kind) -> Kind:
        """Store a changed record. Raises ConflictError when somebody else changed it since, NotFoundError."""
        document = to_document(record)
        identifier = document.pop("id")
        stored = await self._of(type(record)).update(identifier, document, version=record.version)
        await self.announce()
        return from_document(stored, type(record))

    async def remove(self, record: Record) -> None:
        """Remove a record."""
        await self._of(type(record)).delete(record.id)
        await self.announce()

    async def announce(self) -> None:
        """Tell every process that something changed: over the bus at once, and by a counter for those on another bus."""
        assert self._state is not None
        document = await self._state.claim({"id": _GENERATION}, {"at": self._clock.now()})
        if document is None:
            try:
                await self._state.insert({"id": _GENERATION, "at": self._clock.now()})
            except DuplicateError:
                await self._state.claim({"id": _GENERATION}, {"at": self._clock.now()})
        self._forget()
        await self._bus.publish(CHANNEL, b"")

    def _forget(self) -> None:
        self._cache.clear()
        self._looked_at = float("-inf")
        self.epoch += 1

    async def refresh(self) -> None:
        """Notice changes of processes that share no bus with this one; looks at most twice a second."""
        now = self._clock.monotonic()
        if now - self._looked_at < _LOOK_AGAIN:
            return
        self._looked_at = now
        assert self._state is not None
        document = await self._state.get(_GENERATION)
        generation = 0 if document is None else int(document["version"])
        if generation != self._generation:
            self._generation = generation
            self._cache.clear()
            self.epoch += 1

    async def _cached(self, what: str, name: str, load: Any) -> Any:
        await self.refresh()
        key = (what, name)
        if key in self._cache:
            self._cache.move_to_end(key)
            return self._cache[key]
        epoch = self.epoch
        value = await load()
        if epoch == self.epoch:
            self._cache[key] = value
            if len(self._cache) > _CACHE_ENTRIES:
                self._cache.popitem(last=False)
        return value

    async def domain(self, name: str) -> Domain | None:
        """The domain of that compared name, cached."""
        found: Domain | None = await self._cached("domain", name, lambda: self.get(Domain, name))
        return found

    async def is_local_domain(self, name: str) -> bool:
        """Whether mail for the domain belongs here."""
        return await self.domain(name.lower()) is not None

    async def alias(self, address: str) -> Alias | None:
        """The alias of exactly that address, cached. Raises InvalidAddressError."""
        local, domain = split_address(address)

        async def load() -> Alias | None:
            found = await self.find(Alias, domain=domain, name=local)
            return found[0] if found else None

        found: Alias | None = await self._cached("alias", f"{local}@{domain}", load)
        return found

    async def alias_of_mailbox(self, mailbox_id: str) -> Alias | None:
        """The alias that owns a mailbox, cached."""

        async def load() -> Alias | None:
            found = await self.find(Alias, mailbox_id=mailbox_id)
            return found[0] if found else None

        found: Alias | None = await self._cached("mailbox", mailbox_id, load)
        return found

    async def access(self, scope: str) -> AccessIndex:
        """Who may and may not send to a domain of ours, or for "" to all of them; cached."""

        async def load() -> AccessIndex:
            return AccessIndex(await self.find(AccessEntry, scope=scope))

        found: AccessIndex = await self._cached("access", scope, load)
        return found

    async def encrypting_aliases(self, domain: str) -> list[Alias]:
        """The enabled aliases of a domain whose mail is encrypted to a key, cached."""

        async def load() -> list[Alias]:
            found = await self.find(Alias, domain=domain)
            return [alias for alias in found if alias.enabled and alias.encryption is not None]

        found: list[Alias] = await self._cached("encrypting", domain.lower(), load)
        return found

    # resolution

    async def resolve(self, address: str) -> Resolution:
        """What an address is here: exact name, then without its +tag, then the oldest pattern that matches, then the
        catch-all.

        Never raises for what a peer sends: text that is no address is unknown.
        """
        try:
            local, domain = split_address(address)
        except InvalidAddressError:
            return Resolution(address, "unknown")
        found: Resolution = await self._cached(
            "resolution", f"{local}@{domain}", lambda: self._resolve(address, local, domain)
        )
        return found if found.address == address else msgspec.structs.replace(found, address=address)

    async def _resolve(self, address: str, local: str, domain: str) -> Resolution:
        if await self.domain(domain) is None:
            return Resolution(address, "not_local")
        base = local.partition("+")[0]
        for name in dict.fromkeys((local, base or local)):
            alias = await self.alias(f"{name}@{domain}")
            if alias is not None:
                return self._answer(address, alias, None, tag=local[len(name) + 1 :])
        patterns: list[Alias] = await self._cached("patterns", domain, lambda: self._patterns(domain))
        for alias in patterns:
            match = checked_pattern(alias.name).fullmatch(local)
            if match is not None:
                return self._answer(address, alias, match)
        if base == self._settings.reports.mailbox:
            return Resolution(
                address, "accepted", None, None, (Destination("reports", address, f"{REPORTS}{address}"),)
            )
        if base in _POSTMASTERS:
            owner = await self._owner_alias(domain)
            if owner is not None:
                return self._answer(address, owner, None)
        catch_all = await self.alias(f"{CATCH_ALL}@{domain}")
        return Resolution(address, "unknown") if catch_all is None else self._answer(address, catch_all, None)

    async def _patterns(self, domain: str) -> list[Alias]:
        return [alias for alias in await self.find(Alias, domain=domain) if is_pattern(alias.name)]

    async def _owner_alias(self, domain: str) -> Alias | None:
        found = await self.domain(domain)
        owner = await self.get(User, found.owner_id) if found is not None else None
        if owner is None:
            return None
        return await self.alias(owner.address)

    def _answer(self, address: str, alias: Alias, match: Match | None, *, tag: str = "") -> Resolution:
        if not alias.enabled:
            return Resolution(address, "disabled", alias.disabled_code, alias)
        destinations = []
        if alias.mailbox_id:
            destinations.append(Destination("mailbox", address, alias.mailbox_id, alias.id))
        for target in alias.forward_to:
            made = target if match is None else filled(target, partial(_group, match))
            if made is None:
                continue
            kind = target_kind(made)
            if kind == "address" and tag and self._settings.forward.keep_tag:
                made = with_tag(made, tag)
            destinations.append(Destination(kind, made, "", alias.id))
        if not destinations:
            return Resolution(address, "unknown")  # what the pattern matched makes no target
        return Resolution(address, "accepted", None, alias, tuple(destinations))

    # keys and rights

    async def mailbox_key(self, mailbox_id: str) -> DataKey | None:
        """The data key through the server slot; None for a zero-access mailbox. Raises NotFoundError."""
        alias = await self.alias_of_mailbox(mailbox_id)
        if alias is None:
            raise NotFoundError("No such mailbox", detail=mailbox_id)
        slot = next((slot for slot in alias.slots if slot.kind == "server"), None)
        return None if slot is None else unwrap(slot, self.server_key)

    async def webhook_key(self, domain: str) -> str:
        """The key that signs a domain's webhook deliveries, as its owner is shown it."""
        found = await self.domain(domain.lower())
        number = 0 if found is None else found.webhook_key_number
        return "whsec_" + derive_key(self._webhook_secret, f"webhook {domain.lower()} {number}").hex()

    async def may_send_as(self, user_id: str, address: str) -> bool:
        """Whether a user may write as an address: an enabled alias of theirs in a local domain, +tags allowed."""
        resolution = await self.resolve(address)
        if resolution.outcome != "accepted" or resolution.alias is None:
            return False
        return resolution.alias.user_id == user_id

    async def account_may_send_as(self, account: Account, address: str) -> bool:
        """The same of who logged in; a domain's password writes as any address of its domain."""
        if not account.domain:
            return await self.may_send_as(account.user_id, address)
        try:
            return split_address(address)[1] == account.domain
        except InvalidAddressError:
            return False


def _group(match: Match, number: int) -> str:
    try:
        return match.group(number) or ""
    except IndexError:
        return ""
