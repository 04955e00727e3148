"""Aliases of the domains that a user may see: found, made, changed, removed."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, QueryParameter

from mailstead.administration.aliases import add_alias, find_alias, list_aliases, remove_alias, set_alias
from mailstead.administration.domains import list_domains
from mailstead.foundation.errors import InvalidError, PermanentError, PermissionDeniedError
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.pages.login import moved
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import render
from mailstead.stores.directory.records import Alias, DisabledCode

PATH = "/account/aliases"
_SHOWN = 100
_MEGABYTE = 1024 * 1024
_CODES: dict[str, DisabledCode] = {"250": 250, "450": 450, "550": 550}
Address = Annotated[str, QueryParameter(max_length=600)]


class NewAlias(msgspec.Struct, frozen=True):
    """The form that makes an alias; `forward_to` has a target a line, `quota` is in megabytes."""

    name: Annotated[str, msgspec.Meta(max_length=200)] = ""
    domain: Annotated[str, msgspec.Meta(max_length=253)] = ""
    kind: Annotated[str, msgspec.Meta(max_length=20)] = "mailbox"
    forward_to: Annotated[str, msgspec.Meta(max_length=20_000)] = ""
    quota: Annotated[str, msgspec.Meta(max_length=20)] = ""
    description: Annotated[str, msgspec.Meta(max_length=150)] = ""


class AliasChange(msgspec.Struct, frozen=True):
    """The form that changes one; `enabled` is empty for no."""

    address: Annotated[str, msgspec.Meta(max_length=600)]
    forward_to: Annotated[str, msgspec.Meta(max_length=20_000)] = ""
    quota: Annotated[str, msgspec.Meta(max_length=20)] = ""
    description: Annotated[str, msgspec.Meta(max_length=150)] = ""
    enabled: Annotated[str, msgspec.Meta(max_length=20)] = ""
    disabled_code: Annotated[str, msgspec.Meta(max_length=3)] = "550"


class GoneAlias(msgspec.Struct, frozen=True):
    """The form that removes one."""

    address: Annotated[str, msgspec.Meta(max_length=600)]


def require_user(identity: Identity) -> None:
    """Raises PermissionDeniedError for a session that an app password of one mailbox opened."""
    if not identity.is_user:
        raise PermissionDeniedError("Log in with the account password to see this")


def _targets(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())


def _octets(text: str) -> int | None:
    """Octets of a number of megabytes, None of nothing. Raises InvalidError."""
    text = text.strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise InvalidError("A quota is a whole number of megabytes")
    return int(text) * _MEGABYTE


def _code(text: str) -> DisabledCode:
    if text not in _CODES:
        raise InvalidError("The answer is one of 250, 450 and 550")
    return _CODES[text]


def _megabytes(quota: int | None) -> str:
    return "" if quota is None else str(quota // _MEGABYTE)


def _is_found(alias: Alias, wanted: str) -> bool:
    return any(wanted in text.casefold() for text in (alias.address, alias.description, *alias.forward_to))


class AliasPages(Controller):
    """/account/aliases"""

    path = PATH
    include_in_schema = False

    @get("/")
    async def show(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        q: Annotated[str, QueryParameter(max_length=320)] = "",
        domain: Annotated[str, QueryParameter(max_length=253)] = "",
        offset: Annotated[int, QueryParameter(ge=0)] = 0,
    ) -> Response[bytes]:
        """The list, of all domains or one."""
        require_user(identity)
        administration = services.api.administration
        domains = await list_domains(administration, identity.actor)
        found = await list_aliases(administration, identity.actor, domain or None)
        wanted = q.strip().casefold()
        found = [alias for alias in found if _is_found(alias, wanted)]
        return render(
            request,
            services,
            "account/aliases.html",
            identity=identity,
            aliases=found[offset : offset + _SHOWN],
            total=len(found),
            offset=offset,
            before=max(offset - _SHOWN, 0),
            after=offset + _SHOWN,
            domains=[one.id for one in domains],
            domain=domain,
            q=q,
        )

    @get("/add")
    async def ask_new(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity
    ) -> Response[bytes]:
        """The form for a new one."""
        require_user(identity)
        return await self._new(request, services, identity, NewAlias(), None)

    @post("/add", status_code=200)
    async def add(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        data: Annotated[NewAlias, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[bytes]:
        """Make an alias; the page that answers shows its password this once."""
        require_user(identity)
        administration = services.api.administration
        try:
            alias, password = await add_alias(
                administration,
                identity.actor,
                f"{data.name.strip()}@{data.domain}",
                forward_to=_targets(data.forward_to),
                with_mailbox=data.kind == "mailbox",
                quota=_octets(data.quota),
            )
        except PermanentError as error:
            return await self._new(request, services, identity, data, error)
        if data.description:
            changes = {"description": data.description}
            alias = await set_alias(administration, identity.actor, alias.address, changes)
        return self._one(request, services, identity, alias, made=password, told="made")

    @get("/change")
    async def show_one(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity, address: Address
    ) -> Response[bytes]:
        """One alias in its form."""
        require_user(identity)
        alias = await find_alias(services.api.administration, identity.actor, address)
        return self._one(request, services, identity, alias)

    @post("/change", status_code=200)
    async def change(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        data: Annotated[AliasChange, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[bytes]:
        """Change it; what is wrong is told beside the form, which keeps what was written."""
        require_user(identity)
        alias = await find_alias(services.api.administration, identity.actor, data.address)
        try:
            changes: dict[str, Any] = {
                "forward_to": _targets(data.forward_to),
                "description": data.description,
                "enabled": bool(data.enabled),
                "disabled_code": _code(data.disabled_code),
            }
            if alias.mailbox_id and data.quota.strip() != _megabytes(alias.quota):
                changes["quota"] = _octets(data.quota)
            alias = await set_alias(services.api.administration, identity.actor, alias.address, changes)
        except PermanentError as error:
            return self._one(request, services, identity, alias, form=data, problem=error)
        return self._one(request, services, identity, alias, told="saved")

    @get("/remove")
    async def ask_remove(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity, address: Address
    ) -> Response[bytes]:
        """Ask once more."""
        require_user(identity)
        alias = await find_alias(services.api.administration, identity.actor, address)
        return render(request, services, "account/alias_remove.html", identity=identity, alias=alias)

    @post("/remove", status_code=200)
    async def remove(
        self,
        services: WebServices,
        identity: Identity,
        data: Annotated[GoneAlias, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[bytes]:
        """Remove it."""
        require_user(identity)
        await remove_alias(services.api.administration, identity.actor, data.address)
        return moved(f"{PATH}/")

    async def _new(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        form: NewAlias,
        problem: PermanentError | None,
    ) -> Response[bytes]:
        domains = await list_domains(services.api.administration, identity.actor)
        return render(
            request,
            services,
            "account/alias_new.html",
            identity=identity,
            status=200 if problem is None else problem.http_status,
            form=form,
            domains=[one.id for one in domains],
            problem="" if problem is None else problem.public_text,
        )

    def _one(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        alias: Alias,
        *,
        form: AliasChange | None = None,
        problem: PermanentError | None = None,
        made: str = "",
        told: str = "",
    ) -> Response[bytes]:
        stored = AliasChange(
            alias.address,
            "\n".join(alias.forward_to),
            _megabytes(alias.quota),
            alias.description,
            "yes" if alias.enabled else "",
            # 421 and 450 are one answer (docs/routing.md)
            str(450 if alias.disabled_code == 421 else alias.disabled_code),
        )
        return render(
            request,
            services,
            "account/alias.html",
            identity=identity,
            status=200 if problem is None else problem.http_status,
            alias=alias,
            form=form or stored,
            problem="" if problem is None else problem.public_text,
            made=made,
            told=told,
        )
