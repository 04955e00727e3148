"""Mail brought in from another server or a file, and everything of the mailbox taken along, each with its progress."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Stream

from mailstead.administration.transfer.desk import ServerWanted
from mailstead.administration.transfer.export import Format
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.errors import InvalidError, MailsteadError
from mailstead.interfaces.api.endpoints.transfers import archive_headers, read_on_threads
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.pages.login import moved
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import render
from mailstead.stores.transfers.transfers import ENDED

_PIECE = 256 * 1024
_FORMATS: dict[str, Format] = {"mbox": "mbox", "maildir": "maildir"}


class ServerForm(msgspec.Struct, frozen=True):
    """The account elsewhere; `tls` is "yes" for implicit TLS, else STARTTLS is asked for."""

    host: Annotated[str, msgspec.Meta(max_length=255)] = ""
    port: Annotated[str, msgspec.Meta(max_length=5, pattern=r"^\d*$")] = ""
    user: Annotated[str, msgspec.Meta(max_length=255)] = ""
    password: Annotated[str, msgspec.Meta(max_length=1024)] = ""
    tls: Annotated[str, msgspec.Meta(max_length=5)] = "yes"
    into: Annotated[str, msgspec.Meta(max_length=1000)] = ""


class TransferAction(msgspec.Struct, frozen=True):
    """What to do: begin an export of `format`, or change the job called `id`."""

    action: Annotated[str, msgspec.Meta(max_length=10)]
    id: Annotated[str, msgspec.Meta(max_length=100)] = ""
    format: Annotated[str, msgspec.Meta(max_length=10)] = "mbox"


def _key(identity: Identity) -> DataKey:
    assert identity.key is not None
    return identity.key


async def _pieces(file: UploadFile) -> AsyncIterator[bytes]:
    while piece := await file.read(_PIECE):
        yield piece


class TransferPages(Controller):
    """/account/transfers"""

    path = "/account/transfers"
    include_in_schema = False

    @get("/")
    async def show(self, request: Request[Any, Any, Any], services: WebServices, identity: Identity) -> Response[bytes]:
        """What is under way and what was done, with the forms for more."""
        return await self._page(request, services, identity)

    @post("/server", status_code=200)
    async def from_server(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        data: Annotated[ServerForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[bytes]:
        """Begin to bring in an account of another server."""
        wanted = ServerWanted(
            data.host.strip(), data.user.strip(), data.password, int(data.port or 0), data.tls == "yes"
        )
        try:
            await services.api.transfers.from_server(
                identity.actor, identity.address, _key(identity), wanted, into=data.into.strip()
            )
        except MailsteadError as error:
            return await self._page(
                request, services, identity, form=data, problem=error.public_text, status=error.http_status
            )
        return moved("/account/transfers")

    @post("/file", status_code=200)
    async def upload(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity
    ) -> Response[bytes]:
        """Begin to bring in a file; with scripts large ones go straight to the API, a piece at a time."""
        form = await request.form()
        file, into = form.get("file"), str(form.get("into") or "").strip()
        try:
            if not isinstance(file, UploadFile) or not file.filename:
                raise InvalidError("Choose a file first")
            await services.api.transfers.upload(
                identity.actor, identity.address, _key(identity), _pieces(file), name=file.filename, into=into
            )
        except MailsteadError as error:
            return await self._page(request, services, identity, problem=error.public_text, status=error.http_status)
        return moved("/account/transfers")

    @post("/", status_code=200)
    async def act(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        data: Annotated[TransferAction, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[bytes]:
        """Begin an export, or stop a job, let it go on, take it off the list."""
        desk, actor, address = services.api.transfers, identity.actor, identity.address
        try:
            match data.action:
                case "export" if data.format in _FORMATS:
                    await desk.export(actor, address, _key(identity), _FORMATS[data.format])
                case "cancel":
                    await desk.cancel(actor, address, data.id)
                case "resume":
                    await desk.resume(actor, address, data.id, _key(identity))
                case "forget":
                    await desk.forget(actor, address, data.id)
                case _:
                    raise InvalidError("This cannot be done with imports and exports")
        except MailsteadError as error:
            return await self._page(request, services, identity, problem=error.public_text, status=error.http_status)
        return moved("/account/transfers")

    @get("/{transfer_id:str}/archive")
    async def archive(self, services: WebServices, identity: Identity, transfer_id: str) -> Stream:
        """What an export made."""
        job, pieces = await services.api.transfers.content(
            identity.actor, identity.address, transfer_id, _key(identity)
        )
        headers = archive_headers(identity) | {"Content-Length": str(job.size)}
        stream = read_on_threads(services.api.mailboxes, pieces)
        return Stream(stream, media_type="application/zip", headers=headers)

    @staticmethod
    async def _page(
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        *,
        form: ServerForm | None = None,
        problem: str = "",
        status: int = 200,
    ) -> Response[bytes]:
        jobs = await services.api.transfers.list(identity.actor, identity.address)
        return render(
            request,
            services,
            "account/transfers.html",
            identity=identity,
            jobs=jobs,
            ended=ENDED,
            is_running=any(job.state in ("waiting", "running") for job in jobs),
            form=form or ServerForm(),
            problem=problem,
            status=status,
        )
