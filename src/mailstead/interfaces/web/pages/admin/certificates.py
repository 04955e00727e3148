"""Certificates: how each stands, obtained or renewed now, or put in from elsewhere."""

from typing import Annotated, Any

from litestar import Controller, Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import QueryParameter

from mailstead.foundation.errors import InvalidError, PermanentError
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.pages.admin import require_administrator
from mailstead.interfaces.web.pages.login import local_path, moved
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import render

OWNER, OBTAIN = "server", "certificates"
_FILE_LIMIT = 256 * 1024


class CertificatePages(Controller):
    """/admin/certificates"""

    path = "/admin/certificates"
    include_in_schema = False

    @get("/")
    async def show(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        told: Annotated[str, QueryParameter(max_length=20)] = "",
    ) -> Response[bytes]:
        """How each stands."""
        return await self._page(request, services, identity, told=told)

    @post("/obtain", status_code=200)
    async def obtain(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity
    ) -> Response[bytes]:
        """Begin to obtain what lacks or is due; with a name that one, due or not."""
        require_administrator(identity)
        form = await request.form()
        name = str(form.get("name") or "")[:253]
        work = services.certificates.obtain(identity.actor, only=[name] if name else [], force=bool(name))
        services.chores.begin(OWNER, OBTAIN, work)
        return moved(local_path(str(form.get("back") or "/admin/certificates")))

    @post("/import", status_code=200)
    async def put_in(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity
    ) -> Response[bytes]:
        """Put a certificate of another authority in place."""
        require_administrator(identity)
        form = await request.form()
        try:
            chain, key = [await _file(form.get(name)) for name in ("chain", "key")]
            name = str(form.get("name") or "").strip().lower()
            await services.certificates.import_pair(identity.actor, chain, key, name)
        except PermanentError as error:
            return await self._page(request, services, identity, problem=error.public_text, status=error.http_status)
        return moved("/admin/certificates?told=imported")

    @staticmethod
    async def _page(
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        *,
        problem: str = "",
        told: str = "",
        status: int = 200,
    ) -> Response[bytes]:
        require_administrator(identity)
        obtained = services.chores.of(OWNER, OBTAIN)
        return render(
            request,
            services,
            "admin/certificates.html",
            identity=identity,
            standings=await services.certificates.standings(),
            authority=services.api.settings.acme.directory,
            obtained=obtained,
            is_running=obtained is not None and obtained.state == "running",
            problem=problem,
            told=told,
            status=status,
        )


async def _file(given: object) -> bytes:
    content = await given.read(_FILE_LIMIT + 1) if isinstance(given, UploadFile) else b""
    if not content or len(content) > _FILE_LIMIT:
        raise InvalidError("A certificate and its key are two files in PEM")
    return content
