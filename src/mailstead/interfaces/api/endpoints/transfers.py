"""Imports and exports of mailboxes."""

from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any, Literal

import msgspec
from litestar import Controller, Request, Response, delete, get, post
from litestar.params import QueryParameter
from litestar.response import Stream

from mailstead.administration.transfer.desk import GivenForm, ServerWanted
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.errors import NotFoundError, PermissionDeniedError
from mailstead.interfaces.api.access import MAILBOX
from mailstead.interfaces.api.description import OCTETS
from mailstead.interfaces.api.moments import moment
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.identity import Identity
from mailstead.stores.mailbox.mailboxes import Mailboxes
from mailstead.stores.transfers.transfers import Form, Kind, State, Transfer

_ZIP = "application/zip"
ExportForm = Literal["mbox", "maildir"]
Into = Annotated[
    str,
    QueryParameter(
        max_length=1000, description="The folder that all goes below; of a .ics or .vcf file, the collection"
    ),
]


class TransferShown(msgspec.Struct, frozen=True):
    """An import or export. `done` of `total` are looked at (null: only reading tells), `taken` of them were new, `known`
    there before; `failures` are the first things that were left out. `held`: it waits for you to let it go on.
    """

    id: str
    kind: Kind
    format: Form
    source: str
    folder: str
    state: State
    done: int
    total: int | None
    taken: int
    known: int
    failures: list[str]
    message: str
    size: int
    created_at: str
    started_at: str | None
    finished_at: str | None
    object: str = "transfer"


class ServerBody(msgspec.Struct, frozen=True):
    """An account on another IMAP server; `port` null is the usual one, without `tls` STARTTLS is asked for."""

    host: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    user: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] | None = None
    tls: bool = True
    folder: Annotated[str, msgspec.Meta(max_length=1000)] = ""


class ExportWanted(msgspec.Struct, frozen=True):
    """How mail is written into the archive."""

    format: ExportForm = "mbox"


def transfer_shown(job: Transfer) -> TransferShown:
    """A job as the API tells it."""
    return TransferShown(
        id=job.id,
        kind=job.kind,
        format=job.form,
        source=job.source,
        folder=job.into,
        state=job.state,
        done=job.done,
        total=job.total,
        taken=job.taken,
        known=job.known,
        failures=list(job.failures),
        message=job.text,
        size=job.size,
        created_at=moment(job.created_at),
        started_at=moment(job.started_at) if job.started_at else None,
        finished_at=moment(job.finished_at) if job.finished_at else None,
    )


def _key(identity: Identity) -> DataKey:
    if identity.key is None:
        raise PermissionDeniedError("Log in with an address and its password, or name a mailbox with `alias`")
    return identity.key


async def _one(services: ApiServices, identity: Identity, kind: Kind, identifier: str) -> Transfer:
    job = await services.transfers.get(identity.actor, identity.address, identifier)
    if job.kind != kind:
        raise NotFoundError(f"There is no such {kind}")
    return job


async def _listed(services: ApiServices, identity: Identity, kind: Kind) -> list[TransferShown]:
    return [transfer_shown(job) for job in await services.transfers.list(identity.actor, identity.address, kind)]


async def _removed(services: ApiServices, identity: Identity, kind: Kind, identifier: str) -> TransferShown:
    """Cancelled when it has not ended, else forgotten."""
    job = await _one(services, identity, kind, identifier)
    if job.state in ("waiting", "running", "held"):
        return transfer_shown(await services.transfers.cancel(identity.actor, identity.address, identifier))
    await services.transfers.forget(identity.actor, identity.address, identifier)
    return transfer_shown(job)


async def read_on_threads(mailboxes: Mailboxes, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Pieces that are each made on a thread when the one before is on its way."""
    while (piece := await mailboxes.run(next, pieces, None)) is not None:
        yield piece


def archive_headers(identity: Identity) -> dict[str, str]:
    """The header fields of an archive."""
    name = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in identity.address)
    return {"Content-Disposition": f'attachment; filename="{name}.zip"', "Cache-Control": "private, no-store"}


class ImportController(Controller):
    """/imports"""

    path = "/imports"
    tags = ("Imports and exports",)
    opt = {"access": MAILBOX}

    @get("/", summary="Imports of the mailbox")
    async def list_all(self, identity: Identity, services: ApiServices) -> list[TransferShown]:
        """The newest first; those that ended long ago are forgotten."""
        return await _listed(services, identity, "import")

    @post("/", status_code=202, summary="Import a file", opt={OCTETS: True}, request_max_body_size=None)
    async def upload(
        self,
        request: Request[Any, Any, Any],
        identity: Identity,
        services: ApiServices,
        form: Annotated[GivenForm, QueryParameter(name="format", description="What the file is")] = "auto",
        name: Annotated[str, QueryParameter(max_length=1000, description="What the file is called")] = "",
        folder: Into = "",
    ) -> TransferShown:
        """The body is the file: a ZIP archive (an export from here, a Maildir, mbox or .eml files), an mbox, a message, a
        .ics or .vcf file. What was taken before, or in a run that was cut off, is not taken again.
        """
        job = await services.transfers.upload(
            identity.actor, identity.address, _key(identity), request.stream(), name=name, form=form, into=folder
        )
        return transfer_shown(job)

    @post("/server", status_code=202, summary="Import from another server")
    async def from_server(self, data: ServerBody, identity: Identity, services: ApiServices) -> TransferShown:
        """All folders and messages of an account over IMAP, by TLS alone; nothing is changed there."""
        wanted = ServerWanted(data.host, data.user, data.password, data.port or 0, data.tls)
        job = await services.transfers.from_server(
            identity.actor, identity.address, _key(identity), wanted, into=data.folder
        )
        return transfer_shown(job)

    @get("/{transfer_id:str}", summary="How far an import is")
    async def show(self, transfer_id: str, identity: Identity, services: ApiServices) -> TransferShown:
        """Brought up to date every second."""
        return transfer_shown(await _one(services, identity, "import", transfer_id))

    @post("/{transfer_id:str}/resume", status_code=200, summary="Let an import go on")
    async def resume(self, transfer_id: str, identity: Identity, services: ApiServices) -> TransferShown:
        """One that failed or is held; it goes on where it was."""
        await _one(services, identity, "import", transfer_id)
        job = await services.transfers.resume(identity.actor, identity.address, transfer_id, _key(identity))
        return transfer_shown(job)

    @delete("/{transfer_id:str}", status_code=200, summary="Cancel or forget an import")
    async def remove(self, transfer_id: str, identity: Identity, services: ApiServices) -> TransferShown:
        """One that has not ended is stopped, what it took in stays; one that has ended is taken off the list."""
        return await _removed(services, identity, "import", transfer_id)


class ExportController(Controller):
    """/exports"""

    path = "/exports"
    tags = ("Imports and exports",)
    opt = {"access": MAILBOX}

    @get("/", summary="Exports of the mailbox")
    async def list_all(self, identity: Identity, services: ApiServices) -> list[TransferShown]:
        """The newest first; those that ended long ago are forgotten."""
        return await _listed(services, identity, "export")

    @post("/", status_code=202, summary="Export everything")
    async def begin(self, data: ExportWanted, identity: Identity, services: ApiServices) -> TransferShown:
        """Mail, calendars, address books and filter scripts as a ZIP archive, to be fetched when it is done."""
        job = await services.transfers.export(identity.actor, identity.address, _key(identity), data.format)
        return transfer_shown(job)

    @get("/{transfer_id:str}", summary="How far an export is")
    async def show(self, transfer_id: str, identity: Identity, services: ApiServices) -> TransferShown:
        """Brought up to date every second."""
        return transfer_shown(await _one(services, identity, "export", transfer_id))

    @get("/{transfer_id:str}/file", summary="The archive of an export", media_type=_ZIP)
    async def file(self, transfer_id: str, identity: Identity, services: ApiServices) -> Response[Any]:
        """Kept for some days, sealed with the mailbox's key."""
        await _one(services, identity, "export", transfer_id)
        job, pieces = await services.transfers.content(identity.actor, identity.address, transfer_id, _key(identity))
        headers = archive_headers(identity) | {"Content-Length": str(job.size)}
        return Stream(read_on_threads(services.mailboxes, pieces), media_type=_ZIP, headers=headers)

    @post("/{transfer_id:str}/resume", status_code=200, summary="Let an export begin again")
    async def resume(self, transfer_id: str, identity: Identity, services: ApiServices) -> TransferShown:
        """One that failed or is held."""
        await _one(services, identity, "export", transfer_id)
        job = await services.transfers.resume(identity.actor, identity.address, transfer_id, _key(identity))
        return transfer_shown(job)

    @delete("/{transfer_id:str}", status_code=200, summary="Cancel or forget an export")
    async def remove(self, transfer_id: str, identity: Identity, services: ApiServices) -> TransferShown:
        """One that has not ended is stopped; one that has ended is taken off the list, and its archive removed."""
        return await _removed(services, identity, "export", transfer_id)


class ArchiveController(Controller):
    """/archive"""

    path = "/archive"
    tags = ("Imports and exports",)
    opt = {"access": MAILBOX}

    @get("/", summary="Everything of the mailbox at once", media_type=_ZIP)
    async def stream(
        self,
        identity: Identity,
        services: ApiServices,
        form: Annotated[ExportForm, QueryParameter(name="format", description="How mail is written")] = "mbox",
    ) -> Response[Any]:
        """The archive of an export as it is made, without a job and without room for it on the server's disk."""
        _, pieces = await services.transfers.stream(identity.actor, identity.address, _key(identity), form)
        return Stream(read_on_threads(services.mailboxes, pieces), media_type=_ZIP, headers=archive_headers(identity))
