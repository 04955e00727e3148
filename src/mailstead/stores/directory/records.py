"""What the directory holds, and what it answers."""

from typing import Any, Literal, TypeAlias, TypeVar

import msgspec

from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.crypto.slot import Slot
from mailstead.stores.directory.access import AccessEntry

DisabledCode = Literal[250, 421, 450, 550]
ACCOUNT_LABEL = "account password"
"""The label of the password that makes a login at the user's own address the user; nobody else may choose it."""
Group = Literal["admin", "user"]


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A person with an account; `password` is an Argon2id hash, empty without one.

    With a second factor the account password logs in to the web alone; programs have passwords of their own.
    """

    id: str
    address: str
    is_admin: bool = False
    password: str = ""
    has_second_factor: bool = False
    created_at: float = 0.0
    version: int = 0


class DkimKey(msgspec.Struct, frozen=True, kw_only=True):
    """A signing key; `private_key` (PKCS 8, DER) is encrypted under the server secret.

    It waits until DNS shows it (`is_waiting`), then signs, then is retired and stays published for a while.
    """

    selector: str
    algorithm: Literal["rsa-sha256", "ed25519-sha256"]
    private_key: bytes
    public_record: str
    created_at: float
    retired_at: float | None = None
    is_waiting: bool = False


class Member(msgspec.Struct, frozen=True):
    """A user with rights in a domain: `admin` all that its owner has, `user` aliases of their own."""

    user_id: str
    group: Group


class Invite(msgspec.Struct, frozen=True, kw_only=True):
    """An offer to become a member; `token_hash` is of the text that was mailed to `address`."""

    address: str
    group: Group
    token_hash: bytes
    created_at: float
    expires_at: float


class DomainPassword(msgspec.Struct, frozen=True, kw_only=True):
    """A password that sends as any address of its domain and opens no mailbox; `hash` is of a generated text."""

    id: str
    hash: bytes
    description: str = ""
    created_at: float = 0.0


class DnsProof(msgspec.Struct, frozen=True, kw_only=True):
    """What DNS said of a domain that sends: when it was right last, when it was looked at, and what lacked then."""

    proved_at: float | None = None
    checked_at: float = 0.0
    lacking: tuple[str, ...] = ()


EventKind = Literal["message", "delivered", "deferred", "bounce", "complaint", "quota"]


class EventHook(msgspec.Struct, frozen=True, kw_only=True):
    """A URL that is told of events of a domain's mail."""

    id: str
    url: str
    events: tuple[EventKind, ...]
    description: str = ""
    enabled: bool = True
    created_at: float = 0.0


class Domain(msgspec.Struct, frozen=True, kw_only=True):
    """A domain served here; `id` is its name. Its webhook key changes with `webhook_key_number`.

    `sending_limit`: recipients elsewhere a day, None for the setting's; `source` and `relay` (URLs, encrypted under
    the server secret) are the domain's own in place of the settings'.
    """

    id: str
    owner_id: str
    members: tuple[Member, ...] = ()
    invites: tuple[Invite, ...] = ()
    passwords: tuple[DomainPassword, ...] = ()
    hooks: tuple[EventHook, ...] = ()
    dkim_keys: tuple[DkimKey, ...] = ()
    webhook_key_number: int = 0
    verified_at: float | None = None
    proof: DnsProof = DnsProof()
    sending_limit: int | None = None
    source: tuple[str, ...] = ()
    relay: bytes = b""
    created_at: float = 0.0
    version: int = 0

    def group_of(self, user_id: str) -> Group | None:
        """What a user is in the domain: its owner is an admin; None for strangers."""
        if not user_id:
            return None
        if user_id == self.owner_id:
            return "admin"
        return next((member.group for member in self.members if member.user_id == user_id), None)


class VacationResponder(msgspec.Struct, frozen=True, kw_only=True):
    """Answers an alias's mail while its owner is away, each sender once in `days`.

    From `start` to `end`, in seconds since the epoch, None without such a bound. Without `subject` the reply names the
    message's.
    """

    enabled: bool = False
    start: float | None = None
    end: float | None = None
    subject: str = ""
    message: str = ""
    days: int = 4

    def is_active(self, now: float) -> bool:
        """Whether it answers at `now`."""
        begun = self.start is None or self.start <= now
        return self.enabled and bool(self.message) and begun and (self.end is None or now < self.end)


class Encryption(msgspec.Struct, frozen=True, kw_only=True):
    """The public key that arriving mail is encrypted to: an OpenPGP key, or an X.509 certificate (DER).

    `addresses` are those that the key names.
    """

    kind: Literal["openpgp", "smime"]
    key: bytes
    fingerprint: str
    addresses: tuple[str, ...] = ()
    expires_at: float | None = None


class Alias(msgspec.Struct, frozen=True, kw_only=True):
    """A name in a domain: a local part, `*` for all others, or `/regex/`.

    `sending_limit`: recipients elsewhere a day, `undo`: seconds its mail waits; None for the settings' values.
    `junk_filter` off puts nothing into Junk; `junk_threshold` is the points that do, None for the server's setting.
    """

    id: str
    domain: str
    name: str
    user_id: str
    enabled: bool = True
    disabled_code: DisabledCode = 550
    mailbox_id: str = ""
    node: str = ""
    quota: int | None = None
    sending_limit: int | None = None
    undo: float | None = None
    forward_to: tuple[str, ...] = ()
    vacation: VacationResponder | None = None
    encryption: Encryption | None = None
    public_key: bytes = b""
    slots: tuple[Slot, ...] = ()
    description: str = ""
    labels: tuple[str, ...] = ()
    junk_filter: bool = True
    junk_threshold: float | None = None
    created_at: float = 0.0
    updated_at: float = 0.0
    version: int = 0

    @property
    def address(self) -> str:
        """name@domain."""
        return f"{self.name}@{self.domain}"

    @property
    def is_locked(self) -> bool:
        """Zero-access: the server alone cannot open the mailbox."""
        return bool(self.mailbox_id) and not any(slot.kind == "server" for slot in self.slots)


class Destination(msgspec.Struct, frozen=True):
    """Where mail for an address goes. `address` is the target as it is written, of a mailbox the address that led there."""

    kind: Literal["mailbox", "address", "host", "webhook", "reports"]
    address: str
    mailbox_id: str = ""
    alias_id: str = ""


class Resolution(msgspec.Struct, frozen=True):
    """What an address is here."""

    address: str
    outcome: Literal["accepted", "unknown", "disabled", "not_local"]
    disabled_code: int | None = None
    alias: Alias | None = None
    destinations: tuple[Destination, ...] = ()


class Account(msgspec.Struct, frozen=True):
    """Who logged in. `key` is the session's own copy: close it with the session.

    With `domain` a domain's password did: it sends as any address of that, and there is no mailbox.
    """

    address: str
    user_id: str
    alias_id: str
    mailbox_id: str
    key: DataKey
    quota: int | None
    credential_id: str
    locked: bool = False
    domain: str = ""


Record: TypeAlias = User | Domain | Alias | AccessEntry
Kind = TypeVar("Kind", User, Domain, Alias, AccessEntry)


def to_document(record: Record) -> dict[str, Any]:
    """The record as a document; `version` is the store's own."""
    document: dict[str, Any] = msgspec.to_builtins(record, builtin_types=(bytes,))
    del document["version"]
    return document


def from_document(document: dict[str, Any], kind: type[Kind]) -> Kind:
    """The record of a document."""
    return msgspec.convert(document, kind)
