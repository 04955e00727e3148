"""The wizard: the first administrator by a one-time link; then a domain's records, a mailbox, and test mail both ways."""

from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, QueryParameter

from mailstead.administration.aliases import add_alias, find_alias, find_domain
from mailstead.administration.dns_records import check_records, host_facts, records
from mailstead.administration.doctor.names import check_ptr
from mailstead.administration.setup import PASSWORD_LEAST, check_setup_token, set_up
from mailstead.formats.message.compose import text_message
from mailstead.foundation.dns.answer import ResolutionError
from mailstead.foundation.errors import MailsteadError, PermanentError
from mailstead.foundation.identifiers import new_ulid
from mailstead.interfaces.api.access import is_safe, peer_of
from mailstead.interfaces.credentials import InsecureError
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.pages.admin import require_administrator
from mailstead.interfaces.web.pages.login import begin_session, moved
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import language_of, render
from mailstead.interfaces.web.visitor import require_own_origin

_DAY = 86400.0


class FirstAdministrator(msgspec.Struct, frozen=True):
    """The form behind the link."""

    domain: Annotated[str, msgspec.Meta(max_length=253)] = ""
    name: Annotated[str, msgspec.Meta(max_length=64)] = "admin"
    password: Annotated[str, msgspec.Meta(max_length=1024)] = ""


class NewMailbox(msgspec.Struct, frozen=True):
    """The form of the first mailbox."""

    name: Annotated[str, msgspec.Meta(max_length=64)]


class TestMail(msgspec.Struct, frozen=True):
    """The form of the test out."""

    to: Annotated[str, msgspec.Meta(max_length=320)]


class SetupPages(Controller):
    """/setup and /admin/setup"""

    include_in_schema = False

    @get("/setup/{token:str}")
    async def first(self, request: Request[Any, Any, Any], services: WebServices, token: str) -> Response[bytes]:
        """The form, for who has the link."""
        await check_setup_token(services.api.administration, token)
        return self._first(request, services, token, FirstAdministrator())

    @post("/setup/{token:str}", status_code=200)
    async def make(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        token: str,
        data: Annotated[FirstAdministrator, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[bytes]:
        """Make the domain and the administrator, and log in."""
        require_own_origin(request)
        if not is_safe(request, services.api):
            raise InsecureError
        api = services.api
        try:
            domain = await set_up(
                api.administration,
                token,
                domain=data.domain.strip(),
                name=data.name.strip(),
                password=data.password,
            )
        except PermanentError as error:
            if error.http_status == 404:
                raise
            return self._first(request, services, token, data, problem=error.public_text, status=error.http_status)
        identity = await api.identification.by_password(
            f"{data.name.strip()}@{domain.id}", data.password, service="web", peer=peer_of(request)
        )
        try:
            header = await begin_session(request, services, identity, confirmed=True)
        finally:
            identity.close()
        return moved(f"/admin/setup/{domain.id}", header)

    @get("/admin/setup/{name:str}")
    async def records(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity, name: str
    ) -> Response[bytes]:
        """The records with what DNS has of each just now; the list goes on asking by itself where it can."""
        require_administrator(identity)
        domain = await find_domain(services.api.administration, name)
        try:
            listed: list[Any] = list(
                await check_records(
                    services.api.resolver, domain, host_facts(services.api.settings, services.api.hostname)
                )
            )
            is_checked = True
        except ResolutionError:
            listed, is_checked = list(records(domain, host_facts(services.api.settings, services.api.hostname))), False
        missing = sum(1 for record in listed if record.required and not (is_checked and record.ok))
        return render(
            request,
            services,
            "admin/setup_records.html",
            identity=identity,
            domain=domain,
            records=listed,
            is_checked=is_checked,
            missing=missing,
            reverse=await check_ptr(services.examination()),
        )

    @get("/admin/setup/{name:str}/mailbox")
    async def mailbox(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity, name: str
    ) -> Response[bytes]:
        """The form of the first mailbox."""
        require_administrator(identity)
        domain = await find_domain(services.api.administration, name)
        return render(
            request,
            services,
            "admin/setup_mailbox.html",
            identity=identity,
            domain=domain,
            made="",
            address="",
            problem="",
        )

    @post("/admin/setup/{name:str}/mailbox", status_code=200)
    async def make_mailbox(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        name: str,
        data: Annotated[NewMailbox, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[bytes]:
        """Make it; the page that answers shows its password this once."""
        require_administrator(identity)
        domain = await find_domain(services.api.administration, name)
        made = address = problem = ""
        status = 200
        try:
            alias, made = await add_alias(
                services.api.administration, identity.actor, f"{data.name.strip()}@{domain.id}"
            )
            address = alias.address
        except PermanentError as error:
            problem, status = error.public_text, error.http_status
        return render(
            request,
            services,
            "admin/setup_mailbox.html",
            identity=identity,
            domain=domain,
            made=made,
            address=address,
            problem=problem,
            status=status,
        )

    @get("/admin/setup/{name:str}/test")
    async def test(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        name: str,
        sent: Annotated[str, QueryParameter(max_length=200)] = "",
    ) -> Response[bytes]:
        """Test mail out and in, and how each fares."""
        require_administrator(identity)
        return await self._test(request, services, identity, name, sent=sent)

    @post("/admin/setup/{name:str}/test", status_code=200)
    async def send(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        name: str,
        data: Annotated[TestMail, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[bytes]:
        """Send a test out."""
        require_administrator(identity)
        domain = await find_domain(services.api.administration, name)
        language, now = language_of(request, services), services.api.clock.now()
        try:
            submitted = await services.api.agent.submit(
                user_id=identity.actor.user_id,
                sender=identity.address,
                recipients=[data.to.strip()],
                message=text_message(
                    sender=identity.address,
                    recipient=data.to.strip(),
                    subject=language.gettext("Test of %(domain)s").replace("%(domain)s", domain.id),
                    text=language.gettext(
                        "This message was sent to see whether mail leaves the server. Please answer it."
                    ),
                    message_id=f"{new_ulid(now)}@{domain.id}",
                    now=now,
                ),
                service="web",
            )
        except MailsteadError as error:
            return await self._test(
                request, services, identity, name, problem=error.public_text, status=error.http_status
            )
        return moved(f"/admin/setup/{domain.id}/test?sent={quote(submitted.trace_id)}")

    async def _test(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        name: str,
        *,
        sent: str = "",
        problem: str = "",
        status: int = 200,
    ) -> Response[bytes]:
        domain = await find_domain(services.api.administration, name)
        trace, since = services.api.trace, services.api.clock.now() - _DAY
        await trace.flush()  # what this process just did is to be seen
        await find_alias(services.api.administration, identity.actor, identity.address)
        came = [
            way
            for way in await trace.ways(identity.address, since, 10)
            if any(entry.service == "mx" for entry in way.entries)
        ]
        return render(
            request,
            services,
            "admin/setup_test.html",
            identity=identity,
            domain=domain,
            sent=sent,
            went=await trace.ways(sent, since, 1) if sent else [],
            came=list(reversed(came)),
            problem=problem,
            status=status,
        )

    @staticmethod
    def _first(
        request: Request[Any, Any, Any],
        services: WebServices,
        token: str,
        form: FirstAdministrator,
        *,
        problem: str = "",
        status: int = 200,
    ) -> Response[bytes]:
        return render(
            request,
            services,
            "setup.html",
            token=token,
            form=form,
            problem=problem,
            least=PASSWORD_LEAST,
            hostname=services.api.hostname,
            status=status,
        )
