"""Mail of one's own out of a backup: what it has and the mailbox lacks, and that brought back."""

from typing import Annotated, Any

from litestar import Controller, Request, Response, get, post
from litestar.params import QueryParameter

from mailstead.administration.backup.backups import Listed
from mailstead.administration.backup.retrieval import Contents, Retrieved, look, retrieve, snapshots
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.errors import InvalidError, MailsteadError
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.pages.login import moved
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import render

LOOK, RETRIEVE = "look", "retrieve"
_SHOWN = 300
_TEXT_LIMIT = 1000


class SnapshotPages(Controller):
    """/account/backups"""

    path = "/account/backups"
    include_in_schema = False

    @get("/")
    async def show(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        told: Annotated[str, QueryParameter(max_length=20)] = "",
    ) -> Response[bytes]:
        """The backups, and what was found in the one that was looked into."""
        chores, owner = services.chores, identity.mailbox_id
        looked, brought = chores.of(owner, LOOK), chores.of(owner, RETRIEVE)
        is_running = any(one is not None and one.state == "running" for one in (looked, brought))
        listed: list[Listed] = []
        problem = ""
        is_set = bool(services.api.settings.backup.repository)
        if is_set and not is_running:
            try:
                listed = await snapshots(services.api.backups, identity.actor, identity.address)
            except InvalidError as error:
                problem = error.public_text if await services.api.backups.last("run") else ""
            except MailsteadError as error:
                problem = error.public_text
        return render(
            request,
            services,
            "account/backups.html",
            identity=identity,
            is_set=is_set,
            listed=listed,
            looked=looked,
            brought=brought,
            is_running=is_running,
            problem=problem,
            told=told,
        )

    @post("/look", status_code=200)
    async def look(self, request: Request[Any, Any, Any], services: WebServices, identity: Identity) -> Response[bytes]:
        """Begin to look into a backup."""
        form = {name: str(value)[:_TEXT_LIMIT] for name, value in (await request.form()).items()}
        assert identity.key is not None
        snapshot, folder, text = form.get("snapshot", "latest"), form.get("folder", ""), form.get("text", "").strip()
        services.chores.forget(identity.mailbox_id, RETRIEVE)
        work = _look(services, identity, identity.key.copy(), snapshot, folder, text)
        services.chores.begin(identity.mailbox_id, LOOK, work)
        return moved("/account/backups")

    @post("/retrieve", status_code=200)
    async def retrieve(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity
    ) -> Response[bytes]:
        """Begin to bring back messages, or all of a folder that lacks."""
        form = await request.form()
        assert identity.key is not None
        snapshot, folder = str(form.get("snapshot", ""))[:100], str(form.get("folder") or "")[:_TEXT_LIMIT]
        messages = [str(one)[:100] for one in form.getall("message", [])][:_SHOWN]
        if not folder and not messages:
            raise InvalidError("Choose messages or a folder first")
        work = _retrieve(services, identity, identity.key.copy(), snapshot, folder, [] if folder else messages)
        services.chores.begin(identity.mailbox_id, RETRIEVE, work)
        return moved("/account/backups")


async def _look(
    services: WebServices, identity: Identity, key: DataKey, snapshot: str, folder: str, text: str
) -> Contents:
    with key:
        return await look(
            services.api.backups,
            identity.actor,
            identity.address,
            snapshot=snapshot,
            folder=folder or None,
            text=text,
            most=_SHOWN,
            current=key,
        )


async def _retrieve(
    services: WebServices, identity: Identity, key: DataKey, snapshot: str, folder: str, messages: list[str]
) -> Retrieved:
    with key:
        done = await retrieve(
            services.api.backups,
            identity.actor,
            identity.address,
            snapshot=snapshot,
            folder=folder or None,
            messages=messages,
            current=key,
        )
    services.chores.forget(identity.mailbox_id, LOOK)  # it lacks them no more
    return done
