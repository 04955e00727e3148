"""The wizard's DNS records published through the API of the domain's provider, and its certificate."""

from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body

from mailstead.administration.aliases import find_domain
from mailstead.administration.dns_providers.opening import open_provider
from mailstead.administration.dns_providers.provider import DnsProvider
from mailstead.administration.dns_publishing import Published, publish
from mailstead.administration.dns_records import host_facts, records
from mailstead.foundation.errors import InvalidError, MailsteadError
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.pages.admin import require_administrator
from mailstead.interfaces.web.pages.admin.certificates import OBTAIN, OWNER
from mailstead.interfaces.web.pages.login import moved
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import render
from mailstead.stores.directory.records import Domain

PROVIDERS = ("cloudflare", "digitalocean", "route53", "rfc2136")
_WITH_NAME = ("route53", "rfc2136")


class ProviderForm(msgspec.Struct, frozen=True):
    """Through whom to publish. Without a provider the one of Settings; what is typed here is used once and not kept."""

    provider: Annotated[str, msgspec.Meta(max_length=20)] = ""
    name: Annotated[str, msgspec.Meta(max_length=253)] = ""
    secret: Annotated[str, msgspec.Meta(max_length=1024)] = ""
    server: Annotated[str, msgspec.Meta(max_length=100)] = ""
    replace: Annotated[str, msgspec.Meta(max_length=5)] = ""


def _url(form: ProviderForm) -> str:
    """The provider as open_provider takes it. Raises InvalidError."""
    if form.provider not in PROVIDERS or not form.secret:
        raise InvalidError("Choose a provider and give its key")
    secret = quote(form.secret.strip(), safe="")
    user = f"{quote(form.name.strip(), safe='')}:{secret}" if form.provider in _WITH_NAME else secret
    server = form.server.strip() if form.provider == "rfc2136" else ""
    return f"{form.provider}://{user}@{server}"


def chore_name(domain: Domain) -> str:
    """What the publishing of a domain is called among the chores."""
    return f"publish {domain.id}"


class PublishingPages(Controller):
    """/admin/setup/NAME/publish and /admin/setup/NAME/certificate"""

    path = "/admin/setup"
    include_in_schema = False

    @get("/{name:str}/publish")
    async def ask(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity, name: str
    ) -> Response[bytes]:
        """The form, and what came of the last time."""
        return await self._page(request, services, identity, name, ProviderForm())

    @post("/{name:str}/publish", status_code=200)
    async def publish(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        name: str,
        data: Annotated[ProviderForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[bytes]:
        """Begin to publish what lacks."""
        require_administrator(identity)
        domain, settings = await find_domain(services.api.administration, name), services.api.settings
        own = settings.dns.publish_url if not data.provider else ""
        try:
            provider = open_provider(
                own or _url(data), authorities=settings.tls.authorities, timeout=settings.dns.publish_timeout
            )
        except MailsteadError as error:
            return await self._page(
                request, services, identity, name, data, problem=error.public_text, status=error.http_status
            )
        work = _publish(services, identity, domain, provider, replace=bool(data.replace))
        services.chores.begin(OWNER, chore_name(domain), work)
        return moved(f"/admin/setup/{domain.id}/publish")

    @get("/{name:str}/certificate")
    async def certificate(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity, name: str
    ) -> Response[bytes]:
        """How the certificates for the host and the domain stand."""
        require_administrator(identity)
        domain = await find_domain(services.api.administration, name)
        obtained = services.chores.of(OWNER, OBTAIN)
        standings = [
            (standing, state)
            for standing, state in await services.certificates.standings()
            if standing.name in ("", domain.id)
        ]
        return render(
            request,
            services,
            "admin/setup_certificate.html",
            identity=identity,
            domain=domain,
            standings=standings,
            authority=services.api.settings.acme.directory,
            obtained=obtained,
            is_running=obtained is not None and obtained.state == "running",
        )

    @staticmethod
    async def _page(
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        name: str,
        form: ProviderForm,
        *,
        problem: str = "",
        status: int = 200,
    ) -> Response[bytes]:
        require_administrator(identity)
        domain = await find_domain(services.api.administration, name)
        done = services.chores.of(OWNER, chore_name(domain))
        return render(
            request,
            services,
            "admin/setup_publish.html",
            identity=identity,
            domain=domain,
            done=done,
            is_running=done is not None and done.state == "running",
            own=services.api.settings.dns.publish_url.partition(":")[0],
            form=form,
            problem=problem,
            status=status,
        )


async def _publish(
    services: WebServices, identity: Identity, domain: Domain, provider: DnsProvider, *, replace: bool
) -> list[Published]:
    api = services.api
    wanted = records(domain, host_facts(api.settings, api.hostname))
    done = await publish(provider, wanted, replace=replace, ttl=api.settings.dns.publish_ttl)
    count = sum(one.outcome in ("published", "replaced") for one in done)
    await api.administration.audit(identity.actor, "dns.publish", domain.id, published=count)
    return done
