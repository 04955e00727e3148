"""Aliases of a domain."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
from litestar import Controller, Request, Response, delete, get, post, put
from litestar.params import Parameter

from mailstead.administration.aliases import add_alias, find_alias, list_aliases, remove_alias, set_alias
from mailstead.administration.encryption import set_encryption
from mailstead.administration.passwords import add_password
from mailstead.foundation.crypto.passwords import new_app_password
from mailstead.foundation.errors import MailsteadError, NotFoundError
from mailstead.interfaces.api.access import USER
from mailstead.interfaces.api.moments import moment, parse_moment
from mailstead.interfaces.api.pages import PageLimit, PageNumber, Sort, in_order, page_of, paged
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.identity import Identity
from mailstead.stores.directory.records import Alias, DisabledCode, VacationResponder

DomainName = Annotated[str, Parameter(description="The domain's name")]
AliasName = Annotated[str, Parameter(description="The alias's id or name")]
PublicKey = Annotated[str, msgspec.Meta(max_length=512 * 1024)]
Recipients = Annotated[list[str], msgspec.Meta(max_length=1000)]


class VacationShown(msgspec.Struct, frozen=True):
    """The reply while the owner is away; dates are null where they bound nothing."""

    is_enabled: bool
    start_date: str | None
    end_date: str | None
    subject: str
    message: str


class AliasShown(msgspec.Struct, frozen=True):
    """An alias. `recipients` are forwarding targets; `max_quota` is in octets, null for the server's default."""

    id: str
    name: str
    domain: str
    email: str
    user_id: str
    is_enabled: bool
    error_code_if_disabled: int
    has_imap: bool
    is_locked: bool
    recipients: tuple[str, ...]
    description: str
    labels: tuple[str, ...]
    max_quota: int | None
    vacation_responder: VacationShown
    has_pgp: bool
    key_fingerprint: str
    junk_filter: bool
    junk_threshold: float | None
    created_at: str
    updated_at: str
    object: str = "alias"


class AliasWanted(msgspec.Struct, frozen=True):
    """An alias to be made; a random name is chosen where none is given. See AliasChange for the reply and the key."""

    name: Annotated[str, msgspec.Meta(max_length=200)] = ""
    recipients: Recipients = msgspec.field(default_factory=list)
    description: Annotated[str, msgspec.Meta(max_length=150)] = ""
    labels: list[Annotated[str, msgspec.Meta(max_length=100)]] = msgspec.field(default_factory=list)
    is_enabled: bool = True
    error_code_if_disabled: DisabledCode = 550
    has_imap: bool = True
    max_quota: Annotated[int, msgspec.Meta(ge=0)] | None = None
    vacation_responder_is_enabled: bool | msgspec.UnsetType = msgspec.UNSET
    vacation_responder_start_date: str | msgspec.UnsetType | None = msgspec.UNSET
    vacation_responder_end_date: str | msgspec.UnsetType | None = msgspec.UNSET
    vacation_responder_subject: str | msgspec.UnsetType = msgspec.UNSET
    vacation_responder_message: str | msgspec.UnsetType = msgspec.UNSET
    public_key: PublicKey | msgspec.UnsetType = msgspec.UNSET


class AliasChange(msgspec.Struct, frozen=True):
    """What to change; what is left out stays, null removes. Mail that arrives is encrypted to `public_key`, "" for none."""

    recipients: Recipients | msgspec.UnsetType = msgspec.UNSET
    description: Annotated[str, msgspec.Meta(max_length=150)] | msgspec.UnsetType = msgspec.UNSET
    labels: list[Annotated[str, msgspec.Meta(max_length=100)]] | msgspec.UnsetType = msgspec.UNSET
    is_enabled: bool | msgspec.UnsetType = msgspec.UNSET
    error_code_if_disabled: DisabledCode | msgspec.UnsetType = msgspec.UNSET
    max_quota: Annotated[int, msgspec.Meta(ge=0)] | msgspec.UnsetType | None = msgspec.UNSET
    vacation_responder_is_enabled: bool | msgspec.UnsetType = msgspec.UNSET
    vacation_responder_start_date: str | msgspec.UnsetType | None = msgspec.UNSET
    vacation_responder_end_date: str | msgspec.UnsetType | None = msgspec.UNSET
    vacation_responder_subject: str | msgspec.UnsetType = msgspec.UNSET
    vacation_responder_message: str | msgspec.UnsetType = msgspec.UNSET
    public_key: PublicKey | msgspec.UnsetType = msgspec.UNSET
    junk_filter: bool | msgspec.UnsetType = msgspec.UNSET
    junk_threshold: Annotated[float, msgspec.Meta(ge=0, le=1000)] | msgspec.UnsetType | None = msgspec.UNSET


class PasswordWanted(msgspec.Struct, frozen=True):
    """A password to be made: `new_password`, or a generated one; `password` opens a locked mailbox."""

    new_password: Annotated[str, msgspec.Meta(min_length=12, max_length=1024)] | None = None
    password: Annotated[str, msgspec.Meta(max_length=1024)] | None = None
    label: Annotated[str, msgspec.Meta(max_length=100)] = "made over the API"


class PasswordMade(msgspec.Struct, frozen=True):
    """The login, shown this once."""

    username: str
    password: str
    object: Literal["password"] = "password"


_ID_LIMIT = 100
_ORDERS: dict[str, Callable[[Alias], Any]] = {
    "name": lambda one: one.name,
    "created_at": lambda one: one.created_at,
    "updated_at": lambda one: one.updated_at or one.created_at,
}
_NAMES = {
    "recipients": "forward_to",
    "is_enabled": "enabled",
    "error_code_if_disabled": "disabled_code",
    "max_quota": "quota",
    "labels": "labels",
    "description": "description",
    "junk_filter": "junk_filter",
    "junk_threshold": "junk_threshold",
}
_VACATION = {
    "is_enabled": "enabled",
    "start_date": "start",
    "end_date": "end",
    "subject": "subject",
    "message": "message",
}


def _vacation(alias: Alias, change: AliasChange | AliasWanted) -> VacationResponder | None:
    """The reply with what is to change; None when nothing is."""
    given = {
        ours: value
        for theirs, ours in _VACATION.items()
        if (value := getattr(change, f"vacation_responder_{theirs}")) is not msgspec.UNSET
    }
    for name in ("start", "end"):
        if given.get(name):
            given[name] = parse_moment(given[name])
        elif name in given:
            given[name] = None
    return msgspec.structs.replace(alias.vacation or VacationResponder(), **given) if given else None


def _vacation_shown(vacation: VacationResponder) -> VacationShown:
    start, end = (None if one is None else moment(one) for one in (vacation.start, vacation.end))
    return VacationShown(vacation.enabled, start, end, vacation.subject, vacation.message)


def shown(alias: Alias) -> AliasShown:
    """The alias as the API tells it."""
    return AliasShown(
        alias.id,
        alias.name,
        alias.domain,
        alias.address,
        alias.user_id,
        alias.enabled,
        alias.disabled_code,
        bool(alias.mailbox_id),
        alias.is_locked,
        alias.forward_to,
        alias.description,
        alias.labels,
        alias.quota,
        _vacation_shown(alias.vacation or VacationResponder()),
        alias.encryption is not None,
        alias.encryption.fingerprint if alias.encryption is not None else "",
        alias.junk_filter,
        alias.junk_threshold,
        moment(alias.created_at),
        moment(alias.updated_at or alias.created_at),
    )


async def found_alias(domain: str, name: str, identity: Identity, services: ApiServices) -> Alias:
    """The alias by id or name, when it is the user's or in a domain that the user administers.

    Raises NotFoundError, PermissionDeniedError.
    """
    found = await services.administration.directory.get(Alias, name[:_ID_LIMIT])
    if found is not None and found.domain == domain.lower():
        name = found.name
    elif found is not None:
        raise NotFoundError(f"There is no alias {name} in {domain}")
    return await find_alias(services.administration, identity.actor, f"{name}@{domain}")


async def _changed(
    services: ApiServices, identity: Identity, alias: Alias, changes: dict[str, Any], data: AliasChange | AliasWanted
) -> Alias:
    """The alias with `changes`, and the reply and the key of `data`."""
    vacation = _vacation(alias, data)
    if vacation is not None:
        changes["vacation"] = vacation
    if changes:
        alias = await set_alias(services.administration, identity.actor, alias.address, changes)
    if data.public_key is not msgspec.UNSET:
        key = data.public_key.encode("utf-8", "replace") or None
        alias = await set_encryption(services.administration, identity.actor, alias.address, key)
    return alias


class AliasController(Controller):
    """/domains/{domain}/aliases"""

    path = "/domains/{domain:str}/aliases"
    tags = ("Aliases",)
    opt = {"access": USER}

    @get("/", summary="Aliases of a domain")
    async def list_all(
        self,
        request: Request[Any, Any, Any],
        domain: DomainName,
        identity: Identity,
        services: ApiServices,
        q: Annotated[str, Parameter(description="Part of the name, the description or a recipient")] = "",
        name: Annotated[str, Parameter(max_length=200, description="Part of the name")] = "",
        recipient: Annotated[str, Parameter(max_length=2048, description="Part of a recipient")] = "",
        sort: Sort = "",
        number: PageNumber = 1,
        limit: PageLimit = None,
    ) -> Response[list[AliasShown]]:
        """By name."""
        found = await list_aliases(services.administration, identity.actor, domain)
        if q:
            wanted = q.casefold()
            found = [alias for alias in found if wanted in _searched(alias)]
        targets = recipient.casefold()
        found = [one for one in found if name.casefold() in one.name and _has_target(one, targets)]
        found = in_order(found, sort, _ORDERS)
        page = page_of(number, limit, usual=1000, most=services.settings.api.page_limit)
        items = [shown(alias) for alias in found[page.offset : page.offset + page.limit]]
        return paged(request, items, len(found), page)

    @post("/", status_code=200, summary="Make an alias")
    async def add(self, domain: DomainName, data: AliasWanted, identity: Identity, services: ApiServices) -> AliasShown:
        """With a mailbox where `has_imap`; its password is made by generate-password."""
        name = data.name or new_app_password().replace("-", "")[:10]
        alias, _ = await add_alias(
            services.administration,
            identity.actor,
            f"{name}@{domain}",
            forward_to=data.recipients,
            with_mailbox=data.has_imap,
            quota=data.max_quota,
        )
        changes: dict[str, Any] = {
            "description": data.description,
            "labels": tuple(data.labels),
            "enabled": data.is_enabled,
            "disabled_code": data.error_code_if_disabled,
        }
        changed = {key: value for key, value in changes.items() if value != getattr(alias, key)}
        try:
            return shown(await _changed(services, identity, alias, changed, data))
        except MailsteadError:
            await remove_alias(services.administration, identity.actor, alias.address)
            raise

    @get("/{name:str}", summary="One alias")
    async def show(self, domain: DomainName, name: AliasName, identity: Identity, services: ApiServices) -> AliasShown:
        """By id or name."""
        return shown(await found_alias(domain, name, identity, services))

    @put("/{name:str}", summary="Change an alias")
    async def change(
        self, domain: DomainName, name: AliasName, data: AliasChange, identity: Identity, services: ApiServices
    ) -> AliasShown:
        """What is left out stays."""
        alias = await found_alias(domain, name, identity, services)
        changes = {
            ours: tuple(value) if isinstance(value, list) else value
            for theirs, ours in _NAMES.items()
            if (value := getattr(data, theirs)) is not msgspec.UNSET
        }
        return shown(await _changed(services, identity, alias, changes, data))

    @delete("/{name:str}", status_code=200, summary="Remove an alias")
    async def remove(
        self, domain: DomainName, name: AliasName, identity: Identity, services: ApiServices
    ) -> AliasShown:
        """Its mailbox can be read no more."""
        alias = await found_alias(domain, name, identity, services)
        return shown(await remove_alias(services.administration, identity.actor, alias.address))

    @post("/{name:str}/generate-password", status_code=200, summary="Make a password of the alias's mailbox")
    async def generate_password(
        self, domain: DomainName, name: AliasName, data: PasswordWanted, identity: Identity, services: ApiServices
    ) -> PasswordMade:
        """Passwords made before stay valid. A locked mailbox needs one of them in `password`."""
        alias = await found_alias(domain, name, identity, services)
        alias, password = await add_password(
            services.administration,
            identity.actor,
            alias.address,
            password=data.new_password,
            label=data.label,
            current=data.password,
        )
        return PasswordMade(alias.address, password)


def _has_target(alias: Alias, part: str) -> bool:
    return not part or any(part in target.casefold() for target in alias.forward_to)


def _searched(alias: Alias) -> str:
    return "\n".join((alias.name, alias.description, *alias.forward_to)).casefold()
