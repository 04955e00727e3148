"""Aliases: names in a domain, with a mailbox, forwarding targets, or both."""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from mailstead.administration.actor import Actor, Administration, administers, require_domain, require_member
from mailstead.administration.slots import keep_keyring
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.crypto.passwords import has_app_password_form, new_app_password
from mailstead.foundation.crypto.slot import Slot, wrap
from mailstead.foundation.errors import AlreadyExistsError, InvalidError, NotFoundError, PermissionDeniedError
from mailstead.foundation.identifiers import new_ulid
from mailstead.stores.directory.names import CATCH_ALL, checked_pattern, domain_name, is_pattern, split_address
from mailstead.stores.directory.records import Alias, Domain, VacationResponder
from mailstead.stores.directory.targets import checked_target
from mailstead.stores.documents.interface import DuplicateError
from mailstead.stores.mailbox.sealed import key_pair

THRESHOLD_MOST = 1000.0
FORWARDS_LIMIT = 50
VACATION_SUBJECT_LIMIT = 100
VACATION_MESSAGE_LIMIT = 10_000
VACATION_DAYS_LIMIT = 90
RESERVED_NAMES = frozenset(
    {
        *("abuse", "admin", "administrator", "hostmaster", "info", "mailer-daemon", "no-reply", "noc", "noreply"),
        *("postmaster", "root", "security", "ssladmin", "ssladministrator", "sslwebmaster", "support", "sysadmin"),
        "webmaster",
    }
)
"""What only those who administer a domain may take: others would take such an address for the domain's own."""

_UNFIT = frozenset(' "<>()[],;:\\@')  # what would need quotes in an address (RFC 5322 §3.2.3)
_ADMINISTRATIVE = frozenset(("enabled", "disabled_code", "quota"))


class UnknownNameError(NotFoundError):
    """There is no `what` (domain, alias, user) of that `name` here."""

    def __init__(self, what: Literal["domain", "alias", "user"], name: str) -> None:
        super().__init__(f"There is no {what} {name}{' here' if what == 'domain' else ''}")
        self.what = what
        self.name = name


async def find_domain(administration: Administration, name: str) -> Domain:
    """The domain. Raises UnknownNameError."""
    domain = await administration.directory.get(Domain, domain_name(name))
    if domain is None:
        raise UnknownNameError("domain", name)
    return domain


def _split(address: str) -> tuple[str, str]:
    name, at, domain = address.rpartition("@")
    if not at:
        raise InvalidError(f"{address}: not an address")
    if is_pattern(name):
        checked_pattern(name)
        return name, domain_name(domain)
    if name == CATCH_ALL:
        return name, domain_name(domain)
    return split_address(address)


async def find_alias(administration: Administration, actor: Actor, address: str) -> Alias:
    """The alias of that address, when `actor` may see it. Raises UnknownNameError, PermissionDeniedError."""
    name, domain_text = _split(address)
    domain = await find_domain(administration, domain_text)
    found = await administration.directory.find(Alias, domain=domain.id, name=name)
    if not found:
        raise UnknownNameError("alias", address)
    if found[0].user_id != actor.user_id:
        require_domain(actor, domain)
    return found[0]


def _checked_targets(targets: Sequence[str]) -> tuple[str, ...]:
    if len(targets) > FORWARDS_LIMIT:
        raise InvalidError(f"At most {FORWARDS_LIMIT} forwarding targets")
    return tuple(dict.fromkeys(checked_target(target) for target in targets))


def _check_vacation(vacation: VacationResponder) -> None:
    """Raises InvalidError."""
    if len(vacation.subject) > VACATION_SUBJECT_LIMIT or any(not one.isprintable() for one in vacation.subject):
        raise InvalidError(
            f"The subject of a vacation reply is one line of at most {VACATION_SUBJECT_LIMIT} characters"
        )
    if len(vacation.message) > VACATION_MESSAGE_LIMIT:
        raise InvalidError(f"A vacation reply has at most {VACATION_MESSAGE_LIMIT} characters")
    if vacation.enabled and not vacation.message.strip():
        raise InvalidError("A vacation reply needs a text")
    if not 1 <= vacation.days <= VACATION_DAYS_LIMIT:
        raise InvalidError(f"Each sender is answered once in 1 to {VACATION_DAYS_LIMIT} days")
    if vacation.start is not None and vacation.end is not None and vacation.end <= vacation.start:
        raise InvalidError("A vacation ends after it begins")


async def new_credential(administration: Administration, key: DataKey, password: str, label: str) -> Slot:
    """A slot for `password`: fast for one of our own making, slow for one that a person chose."""
    if has_app_password_form(password):
        return wrap(key, "app_password", password.encode(), label=label, now=administration.clock.now())
    return await administration.authenticator.wrap_password(key, password, label)


async def add_alias(
    administration: Administration,
    actor: Actor,
    address: str,
    *,
    user_id: str = "",
    forward_to: Sequence[str] = (),
    with_mailbox: bool = True,
    quota: int | None = None,
    password: str | None = None,
    label: str = "first password",
) -> tuple[Alias, str]:
    """Add an alias; returns it and the password of its mailbox ("" without one), generated when None is given.

    Raises AlreadyExistsError, InvalidError, NotFoundError, PermissionDeniedError.
    """
    name, domain_text = _split(address)
    domain = await find_domain(administration, domain_text)
    require_member(actor, domain)
    if not administers(actor, domain):
        _check_member_s_alias(actor, name, user_id, quota)
    if not is_pattern(name) and _UNFIT & set(name):
        raise InvalidError("An alias's name has no spaces, quotes, brackets or @")
    with_mailbox = with_mailbox and name != CATCH_ALL and not is_pattern(name)
    if not with_mailbox and not forward_to:
        raise InvalidError("An alias without a mailbox needs forwarding targets")
    now = administration.clock.now()
    alias = Alias(
        id=new_ulid(now),
        domain=domain.id,
        name=name,
        user_id=user_id or actor.user_id or domain.owner_id,
        quota=quota,
        forward_to=_checked_targets(forward_to),
        created_at=now,
        version=1,
    )
    generated = ""
    if with_mailbox:
        generated = password or new_app_password()
        with DataKey.generate() as key:
            server = wrap(key, "server", administration.directory.server_key, label="server", now=now)
            credential = await new_credential(administration, key, generated, label)
            alias = msgspec.structs.replace(
                alias, mailbox_id=new_ulid(now), slots=(server, credential), public_key=key_pair(key).public
            )
    try:
        await administration.directory.add(alias)
    except DuplicateError:
        raise AlreadyExistsError(f"There is an alias {alias.address} already") from None
    await keep_keyring(administration, alias)
    await administration.audit(
        actor, "alias.add", alias.address, forward_to=list(alias.forward_to), mailbox=with_mailbox
    )
    return alias, generated


def _check_member_s_alias(actor: Actor, name: str, user_id: str, quota: int | None) -> None:
    """What a member without more rights may take: one plain name for themselves, with the usual room."""
    if name == CATCH_ALL or is_pattern(name) or name in RESERVED_NAMES:
        raise PermissionDeniedError("Only those who administer the domain may make this alias")
    if quota is not None or user_id not in ("", actor.user_id):
        raise PermissionDeniedError


async def list_aliases(administration: Administration, actor: Actor, domain: str | None) -> list[Alias]:
    """Aliases that `actor` may see, of one domain or all, by domain and name."""
    if domain is not None:
        found_domain = await find_domain(administration, domain)
        require_member(actor, found_domain)
        found = await administration.directory.find(Alias, domain=found_domain.id)
        if not administers(actor, found_domain):
            found = [alias for alias in found if alias.user_id == actor.user_id]
    elif actor.is_admin:
        found = await administration.directory.find(Alias)
    else:
        found = await administration.directory.find(Alias, user_id=actor.user_id)
    return sorted(found, key=lambda alias: (alias.domain, alias.name))


async def set_alias(administration: Administration, actor: Actor, address: str, changes: dict[str, Any]) -> Alias:
    """Change `enabled`, `disabled_code`, `quota`, `forward_to`, `vacation`, `junk_filter`, `junk_threshold`,
    `description` or `labels`.

    The first three are for those who administer the domain; whose alias it is may change the rest. Raises
    InvalidError, PermissionDeniedError.
    """
    alias = await find_alias(administration, actor, address)
    threshold = changes.get("junk_threshold")
    if threshold is not None and not 0 < threshold <= THRESHOLD_MOST:
        raise InvalidError(f"A junk threshold is more than 0 and at most {THRESHOLD_MOST:g}")
    if "forward_to" in changes:
        changes = changes | {"forward_to": _checked_targets(changes["forward_to"])}
    if changes.get("vacation") is not None:
        _check_vacation(changes["vacation"])
    changes = {name: value for name, value in changes.items() if getattr(alias, name) != value}
    if not changes:
        return alias
    if _ADMINISTRATIVE & changes.keys():
        require_domain(actor, await find_domain(administration, alias.domain))
    changed: Alias = msgspec.structs.replace(alias, **changes, updated_at=administration.clock.now())
    if not changed.mailbox_id and not changed.forward_to:
        raise InvalidError("An alias without a mailbox needs forwarding targets")
    stored = await administration.directory.replace(changed)
    await administration.audit(actor, "alias.set", alias.address, changed=sorted(changes))
    return stored


async def remove_alias(administration: Administration, actor: Actor, address: str) -> Alias:
    """Remove an alias; its mailbox's files stay on disk, readable with its keyring (mailbox recover)."""
    alias = await find_alias(administration, actor, address)
    await administration.directory.remove(alias)
    await administration.audit(actor, "alias.remove", alias.address)
    return alias
