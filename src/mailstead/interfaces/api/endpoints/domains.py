"""Domains and the DNS records that they need."""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, delete, get, post, put
from litestar.params import Parameter

from mailstead.administration.actor import require_domain
from mailstead.administration.aliases import FORWARDS_LIMIT, add_alias, find_domain
from mailstead.administration.dns_records import Checked, check_records, host_facts, records
from mailstead.administration.domains import (
    add_domain,
    list_domains,
    mark_verified,
    remove_domain,
    set_owner,
)
from mailstead.administration.event_hooks import BOUNCE_WEBHOOK, set_bounce_webhook
from mailstead.administration.sending import look_at_proof
from mailstead.foundation.errors import MailsteadError
from mailstead.interfaces.api.access import USER
from mailstead.interfaces.api.idempotency import HEADER, once
from mailstead.interfaces.api.moments import moment
from mailstead.interfaces.api.pages import PageLimit, PageNumber, Sort, in_order, page_of, paged
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.identity import Identity
from mailstead.mail.sending.proof import is_special_use
from mailstead.stores.directory.names import CATCH_ALL
from mailstead.stores.directory.records import Domain

DomainName = Annotated[str, Parameter(description="The domain's name")]


_ORDERS: dict[str, Callable[[Domain], Any]] = {"name": lambda one: one.id, "created_at": lambda one: one.created_at}


class DkimShown(msgspec.Struct, frozen=True):
    """A DKIM key's public side."""

    selector: str
    algorithm: str
    record: str
    retired: bool


class DomainShown(msgspec.Struct, frozen=True):
    """A domain."""

    id: str
    name: str
    owner_id: str
    is_verified: bool
    bounce_webhook: str
    dkim: tuple[DkimShown, ...]
    created_at: str
    object: str = "domain"


class DomainWanted(msgspec.Struct, frozen=True):
    """A domain to be served. `catchall`: where mail for names that are no aliases goes, true for the address of who asks."""

    domain: Annotated[str, msgspec.Meta(min_length=1, max_length=253)]
    catchall: bool | Annotated[list[str], msgspec.Meta(max_length=FORWARDS_LIMIT)] = False
    bounce_webhook: Annotated[str, msgspec.Meta(max_length=2048)] = ""


class DomainChange(msgspec.Struct, frozen=True):
    """What to change."""

    owner: str | None = None
    bounce_webhook: Annotated[str, msgspec.Meta(max_length=2048)] | None = None


class RecordShown(msgspec.Struct, frozen=True):
    """A DNS record to be published."""

    name: str
    type: str
    value: str
    purpose: str
    required: bool


class Verification(msgspec.Struct, frozen=True):
    """What DNS has of the records."""

    is_verified: bool
    message: str
    records: tuple[Checked, ...]


class SendingProof(msgspec.Struct, frozen=True):
    """Whether DNS proves that the domain's mail comes from here, and what lacks."""

    is_verified: bool
    message: str
    lacking: tuple[str, ...]


def shown(domain: Domain) -> DomainShown:
    """The domain as the API tells it."""
    keys = tuple(
        DkimShown(key.selector, key.algorithm, key.public_record, key.retired_at is not None)
        for key in domain.dkim_keys
    )
    return DomainShown(
        domain.id,
        domain.id,
        domain.owner_id,
        domain.verified_at is not None,
        next((hook.url for hook in domain.hooks if hook.description == BOUNCE_WEBHOOK), ""),
        keys,
        moment(domain.created_at),
    )


class DomainController(Controller):
    """/domains"""

    path = "/domains"
    tags = ("Domains",)
    opt = {"access": USER}

    @get("/", summary="Your domains")
    async def list_all(
        self,
        request: Request[Any, Any, Any],
        identity: Identity,
        services: ApiServices,
        q: Annotated[str, Parameter(max_length=253, description="Part of the name")] = "",
        name: Annotated[str, Parameter(max_length=253, description="The whole name")] = "",
        sort: Sort = "",
        number: PageNumber = 1,
        limit: PageLimit = None,
    ) -> Response[list[DomainShown]]:
        """By name; a server admin sees all."""
        found = await list_domains(services.administration, identity.actor)
        found = [one for one in found if q.casefold() in one.id and name.casefold() in ("", one.id)]
        found = in_order(found, sort, _ORDERS)
        page = page_of(number, limit, usual=1000, most=services.settings.api.page_limit)
        items = [shown(domain) for domain in found[page.offset : page.offset + page.limit]]
        return paged(request, items, len(found), page)

    @post("/", status_code=200, summary="Serve a domain")
    async def add(
        self, request: Request[Any, Any, Any], data: DomainWanted, identity: Identity, services: ApiServices
    ) -> DomainShown:
        """DKIM keys are made with it; for server admins. An Idempotency-Key makes it safe to repeat."""

        async def work() -> DomainShown:
            administration = services.administration
            domain = await add_domain(administration, identity.actor, data.domain)
            try:
                if data.catchall:
                    targets = [identity.address] if data.catchall is True else data.catchall
                    address = f"{CATCH_ALL}@{domain.id}"
                    await add_alias(administration, identity.actor, address, forward_to=targets, with_mailbox=False)
                if data.bounce_webhook:
                    domain = await set_bounce_webhook(administration, identity.actor, domain.id, data.bounce_webhook)
            except MailsteadError:
                await remove_domain(administration, identity.actor, domain.id, with_aliases=True)
                raise
            return shown(domain)

        key = request.headers.get(HEADER, "")
        return await once(services, identity, key, await request.body(), DomainShown, work)

    @get("/{name:str}", summary="One domain")
    async def show(self, name: DomainName, identity: Identity, services: ApiServices) -> DomainShown:
        """With the public side of its DKIM keys."""
        return shown(await self._own(name, identity, services))

    @put("/{name:str}", summary="Change a domain")
    async def change(
        self, name: DomainName, data: DomainChange, identity: Identity, services: ApiServices
    ) -> DomainShown:
        """Its owner, by address, for server admins; the URL that is told of bounces ("" for none)."""
        domain = await self._own(name, identity, services)
        if data.owner is not None:
            domain = await set_owner(services.administration, identity.actor, domain.id, data.owner)
        if data.bounce_webhook is not None:
            domain = await set_bounce_webhook(services.administration, identity.actor, domain.id, data.bounce_webhook)
        return shown(domain)

    @delete("/{name:str}", status_code=200, summary="Serve a domain no more")
    async def remove(
        self,
        name: DomainName,
        identity: Identity,
        services: ApiServices,
        with_aliases: Annotated[bool, Parameter(description="Remove its aliases too")] = False,
    ) -> DomainShown:
        """Refused while it has aliases, unless `with_aliases`."""
        domain = await self._own(name, identity, services)
        await remove_domain(services.administration, identity.actor, domain.id, with_aliases=with_aliases)
        return shown(domain)

    @get("/{name:str}/dns-records", summary="The DNS records to publish")
    async def dns_records(self, name: DomainName, identity: Identity, services: ApiServices) -> list[RecordShown]:
        """Everything the domain needs for mail through this server."""
        domain = await self._own(name, identity, services)
        return [
            RecordShown(record.name, record.type, record.value, record.purpose, record.required)
            for record in records(domain, host_facts(services.settings, services.hostname))
        ]

    @get("/{name:str}/verify-records", summary="Look whether DNS has the records")
    async def verify_records(self, name: DomainName, identity: Identity, services: ApiServices) -> Verification:
        """When every required record is there, the domain counts as verified."""
        domain = await self._own(name, identity, services)
        checked = await check_records(services.resolver, domain, host_facts(services.settings, services.hostname))
        missing = [record for record in checked if record.required and not record.ok]
        if missing:
            names = ", ".join(f"{record.type} {record.name}" for record in missing)
            return Verification(False, f"Not there yet: {names}", tuple(checked))
        await mark_verified(services.administration, identity.actor, domain.id)
        return Verification(True, "Domain's DNS records have been verified.", tuple(checked))

    @get("/{name:str}/verify-smtp", summary="Look whether the domain may send")
    async def verify_smtp(self, name: DomainName, identity: Identity, services: ApiServices) -> SendingProof:
        """SPF, DKIM and DMARC in DNS, without which mail is not believed elsewhere."""
        domain = await look_at_proof(services.administration, identity.actor, services.proofs, name)
        proof = domain.proof
        lacking = proof.lacking
        if is_special_use(domain.id):
            return SendingProof(True, "Nothing is to be proved for a name that is never in public DNS", ())
        if lacking or proof.proved_at is None:
            return SendingProof(False, f"Not there yet: {'; '.join(lacking) or 'DNS does not answer'}", lacking)
        return SendingProof(True, "The domain may send.", ())

    @staticmethod
    async def _own(name: str, identity: Identity, services: ApiServices) -> Domain:
        domain = await find_domain(services.administration, name)
        require_domain(identity.actor, domain)
        return domain
