"""Logins: from an address and a password to an account with its mailbox's key.

Time must not tell whether an account exists. A password of the app-password form is tried against app-password slots
only, which takes microseconds with or without an account. Any other text costs exactly one slow derivation: against
the account's password slot, or against a made-up one when there is no account or no such slot.
"""

import asyncio
import hashlib
import hmac
import os
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

import msgspec
import structlog

from mailstead.foundation.clock import Clock
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.crypto.derive import keyed_hash
from mailstead.foundation.crypto.passwords import has_app_password_form
from mailstead.foundation.crypto.slot import Argon2Cost, Slot, unwrap, wrap
from mailstead.foundation.errors import AuthenticationError, LimitExceededError
from mailstead.foundation.net.limits import address_group
from mailstead.stores.bus.interface import Bus, Subscription
from mailstead.stores.directory.directory import CHANNEL, Directory
from mailstead.stores.directory.names import InvalidAddressError, split_address
from mailstead.stores.directory.records import ACCOUNT_LABEL, Account, Alias, User

log = structlog.get_logger("mailstead.login")
WEB = "web"
"""The service that asks for second factors itself."""
_CACHE_ENTRIES = 10_000
_PASSWORD_LIMIT = 1024
_SENDING_SERVICES = ("submission",)  # where a domain's password logs in
P = ParamSpec("P")
T = TypeVar("T")


class TooManyFailuresError(LimitExceededError):
    """Too many failed logins of late."""

    smtp_code = 454
    enhanced_code = "4.7.0"
    public_text = "Too many failed logins, try again later"


class _Verified(msgspec.Struct):
    epoch: int
    expires_at: float
    alias: Alias
    key: DataKey
    credential_id: str
    is_first_factor: bool


class Authenticator:
    """Verifies logins and remembers them for some minutes under a hash keyed with a secret of this process."""

    def __init__(self, directory: Directory, bus: Bus, settings: Settings, clock: Clock) -> None:
        self._directory = directory
        self._bus = bus
        self._settings = settings.login
        self._clock = clock
        self._cache: OrderedDict[bytes, _Verified] = OrderedDict()
        self._cache_key = os.urandom(32)
        self._pool = ThreadPoolExecutor(settings.login.argon2_parallel, thread_name_prefix="argon2")
        self._nobody: Slot | None = None

    @property
    def cost(self) -> Argon2Cost:
        """What new password slots cost."""
        return Argon2Cost(self._settings.argon2_memory // 1024, self._settings.argon2_passes)

    async def authenticate(self, login: str, password: str, *, service: str, peer: str) -> Account:
        """The account. Raises AuthenticationError and TooManyFailuresError.

        `login` is a full address, its +tag is ignored; `peer` the client's address, `service` the protocol's name.
        """
        try:
            local, domain = split_address(login)
        except InvalidAddressError:
            local, domain = "", ""
        address = f"{local.partition('+')[0]}@{domain}"
        await self._directory.refresh()
        remembered = keyed_hash(self._cache_key, f"{address}\0{password}".encode())
        found = self._cache.get(remembered)
        if found is not None and found.epoch == self._directory.epoch and found.expires_at > self._clock.monotonic():
            self._cache.move_to_end(remembered)
            if service != WEB and found.is_first_factor:
                raise AuthenticationError
            return _account(found)
        await self._check_failures(address, peer)
        alias = await self._directory.alias(address) if domain else None
        usable = alias is not None and alias.enabled and bool(alias.mailbox_id)
        verified = await self._verify(alias if usable else None, password)
        if verified is None and service in _SENDING_SERVICES and has_app_password_form(password):
            sender = await self._domain_account(address, domain, password)
            if sender is not None:
                return sender
        if verified is None or alias is None:
            await self._count_failure(address, peer)
            log.info("login refused", service=service, address=address, peer=peer)
            raise AuthenticationError
        slot_id, key = verified
        is_first_factor = await self._is_first_factor(alias, slot_id)
        expires_at = self._clock.monotonic() + self._settings.cache
        entry = _Verified(self._directory.epoch, expires_at, alias, key, slot_id, is_first_factor)
        if found is not None:
            found.key.close()
        self._cache[remembered] = entry
        while len(self._cache) > _CACHE_ENTRIES:
            self._cache.popitem(last=False)[1].key.close()
        if service != WEB and is_first_factor:
            log.info(
                "login refused: a program needs a password of its own", service=service, address=address, peer=peer
            )
            raise AuthenticationError
        return _account(entry)

    async def _is_first_factor(self, alias: Alias, slot_id: str) -> bool:
        """Whether the password is the account's, and its user has a second factor, which programs cannot ask for."""
        if not any(slot.id == slot_id and slot.label == ACCOUNT_LABEL for slot in alias.slots):
            return False
        user = await self._directory.get(User, alias.user_id)
        return user is not None and user.has_second_factor

    async def _domain_account(self, address: str, name: str, password: str) -> Account | None:
        """The account of a domain's password, under whatever address of the domain it logs in."""
        domain = await self._directory.domain(name) if name else None
        given = hashlib.sha256(password.encode()).digest()
        for held in domain.passwords if domain is not None else ():
            if hmac.compare_digest(held.hash, given):
                nothing = DataKey.generate()  # what opens no mailbox
                return Account(address, "", "", "", nothing, None, held.id, domain=name)
        return None

    @property
    def epoch(self) -> int:
        """Changes whenever an account may have changed; see `is_current`."""
        return self._directory.epoch

    async def is_current(self, account: Account) -> bool:
        """Whether a session may go on: its alias is enabled, and its credential still opens the same mailbox.

        A mailbox that was locked meanwhile is to be logged in to again.
        """
        if account.domain:
            domain = await self._directory.domain(account.domain)
            return domain is not None and any(one.id == account.credential_id for one in domain.passwords)
        alias = await self._directory.alias(account.address)
        if alias is None or not alias.enabled or alias.mailbox_id != account.mailbox_id:
            return False
        if alias.is_locked and not account.locked:
            return False
        return any(slot.id == account.credential_id for slot in alias.slots)

    async def follow(self, callback: Callable[[], None]) -> Subscription:
        """Call `callback` whenever an account may have changed, until the subscription is closed."""
        return await self._bus.subscribe(CHANNEL, lambda _, __: callback(), on_gap=callback)

    async def _verify(self, alias: Alias | None, password: str) -> tuple[str, DataKey] | None:
        secret = password.encode("utf-8", "surrogatepass")
        if len(secret) > _PASSWORD_LIMIT or not secret:
            return None
        slots = alias.slots if alias is not None else ()
        if has_app_password_form(password):
            for slot in slots:
                if slot.kind == "app_password":
                    try:
                        return slot.id, unwrap(slot, secret)
                    except AuthenticationError:
                        continue
            return None
        slow = [slot for slot in slots if slot.kind == "password"] or [await self._made_up()]
        for slot in slow:
            try:
                key = await self.derive(unwrap, slot, secret)
            except AuthenticationError:
                continue
            return None if slot is self._nobody else (slot.id, key)
        return None

    async def open_slots(self, slots: Sequence[Slot], secret: str) -> DataKey:
        """The data key by a password, app password or recovery code. Raises AuthenticationError.

        Slow derivations wait for their turn like those of logins.
        """
        octets = secret.encode("utf-8", "surrogatepass")
        if 0 < len(octets) <= _PASSWORD_LIMIT:
            for slot in sorted(slots, key=lambda slot: slot.kind == "password"):
                try:
                    if slot.kind != "password":
                        return unwrap(slot, octets)
                    return await self.derive(unwrap, slot, octets)
                except AuthenticationError:
                    continue
        raise AuthenticationError

    async def derive(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a slow derivation off the event loop, at most so many at once as the settings say."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, lambda: function(*args, **kwargs))

    async def _made_up(self) -> Slot:
        if self._nobody is None:
            key = DataKey.generate()
            self._nobody = await self.wrap_password(key, os.urandom(16).hex(), "nobody")
        return self._nobody

    async def wrap_password(self, key: DataKey, password: str, label: str) -> Slot:
        """A password slot, derived off the event loop."""
        now = self._clock.now()
        return await self.derive(wrap, key, "password", password.encode(), label=label, now=now, cost=self.cost)

    async def _check_failures(self, address: str, peer: str) -> None:
        by_address = await self._bus.counter(f"login.peer.{address_group(peer)}")
        by_account = await self._bus.counter(f"login.account.{address}.{address_group(peer)}")
        if by_address >= self._settings.failures_per_address or by_account >= self._settings.failures_per_account:
            raise TooManyFailuresError

    async def _count_failure(self, address: str, peer: str) -> None:
        window = self._settings.failures_window
        await self._bus.increment(f"login.peer.{address_group(peer)}", window)
        await self._bus.increment(f"login.account.{address}.{address_group(peer)}", window)

    def close(self) -> None:
        """Forget every login and zero the keys."""
        for entry in self._cache.values():
            entry.key.close()
        self._cache.clear()
        self._pool.shutdown()


def _account(entry: _Verified) -> Account:
    alias = entry.alias
    return Account(
        address=alias.address,
        user_id=alias.user_id,
        alias_id=alias.id,
        mailbox_id=alias.mailbox_id,
        key=entry.key.copy(),
        quota=alias.quota,
        credential_id=entry.credential_id,
        locked=alias.is_locked,
    )
