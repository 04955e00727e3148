"""Domains: the DNS records that each needs, what DNS has of them, and the keys that sign."""

from collections.abc import Sequence
from typing import Any

from litestar import Controller, Request, Response, get, post

from mailstead.administration.actor import require_domain
from mailstead.administration.aliases import find_domain
from mailstead.administration.dns_records import Checked, HostFacts, check_records, host_facts, records, zone_file
from mailstead.administration.domains import list_domains, mark_verified, rotate_dkim
from mailstead.foundation.dns.answer import ResolutionError
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.pages.aliases import require_user
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import render
from mailstead.stores.directory.records import Domain


class DomainPages(Controller):
    """/account/domains"""

    path = "/account/domains"
    include_in_schema = False

    @get("/")
    async def show(self, request: Request[Any, Any, Any], services: WebServices, identity: Identity) -> Response[bytes]:
        """The list."""
        require_user(identity)
        domains = await list_domains(services.api.administration, identity.actor)
        return render(request, services, "account/domains.html", identity=identity, domains=domains)

    @get("/{name:str}")
    async def show_one(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity, name: str
    ) -> Response[bytes]:
        """One domain with its records."""
        return self._one(request, services, identity, await self._own(services, identity, name))

    @post("/{name:str}/check", status_code=200)
    async def check(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity, name: str
    ) -> Response[bytes]:
        """Ask DNS now; a domain whose required records are all there counts as verified."""
        domain = await self._own(services, identity, name)
        try:
            checked = await check_records(services.api.resolver, domain, _facts(services))
        except ResolutionError:
            return self._one(request, services, identity, domain, told="silent")
        if any(record.required and not record.ok for record in checked):
            return self._one(request, services, identity, domain, checked=checked, told="missing")
        domain = await mark_verified(services.api.administration, identity.actor, domain.id)
        return self._one(request, services, identity, domain, checked=checked, told="verified")

    @get("/{name:str}/zone")
    async def zone(self, services: WebServices, identity: Identity, name: str) -> Response[bytes]:
        """The records as a zone file to download."""
        domain = await self._own(services, identity, name)
        return Response(
            zone_file(domain, _facts(services)).encode(),
            media_type="text/dns; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{domain.id}.zone"'},
        )

    @post("/{name:str}/rotate", status_code=200)
    async def rotate(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity, name: str
    ) -> Response[bytes]:
        """Make new DKIM keys, which wait for their records."""
        domain = await self._own(services, identity, name)
        domain = await rotate_dkim(services.api.administration, identity.actor, domain.id)
        return self._one(request, services, identity, domain, told="rotated")

    @staticmethod
    async def _own(services: WebServices, identity: Identity, name: str) -> Domain:
        require_user(identity)
        domain = await find_domain(services.api.administration, name)
        require_domain(identity.actor, domain)
        return domain

    def _one(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        domain: Domain,
        *,
        checked: Sequence[Checked] = (),
        told: str = "",
    ) -> Response[bytes]:
        return render(
            request,
            services,
            "account/domain.html",
            identity=identity,
            domain=domain,
            records=checked or records(domain, _facts(services)),
            is_checked=bool(checked),
            told=told,
        )


def _facts(services: WebServices) -> HostFacts:
    return host_facts(services.api.settings, services.api.hostname)
