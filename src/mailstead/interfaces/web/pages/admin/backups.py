"""Backups of the installation: made, listed, verified."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body

from mailstead.administration.backup.backups import Listed
from mailstead.foundation.errors import InvalidError, MailsteadError
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.pages.admin import require_administrator
from mailstead.interfaces.web.pages.login import moved
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import render

_OWNER = "server"
RUN, VERIFY = "backup", "verify"


class BackupAction(msgspec.Struct, frozen=True):
    """What to do; `snapshot` is the backup to verify."""

    action: Annotated[str, msgspec.Meta(max_length=10)]
    snapshot: Annotated[str, msgspec.Meta(max_length=100)] = "latest"


class BackupPages(Controller):
    """/admin/backups"""

    path = "/admin/backups"
    include_in_schema = False

    @get("/")
    async def show(self, request: Request[Any, Any, Any], services: WebServices, identity: Identity) -> Response[bytes]:
        """All of them, and how what was begun stands."""
        require_administrator(identity)
        backups, chores = services.api.backups, services.chores
        made, verified = chores.of(_OWNER, RUN), chores.of(_OWNER, VERIFY)
        is_running = any(one is not None and one.state == "running" for one in (made, verified))
        listed: list[Listed] = []
        problem = ""
        is_set, last_run = bool(services.api.settings.backup.repository), await backups.last("run")
        if is_set and not is_running:
            try:
                listed = list(await backups.list(identity.actor))
            except InvalidError as error:
                problem = error.public_text if last_run else ""  # before the first there is no password yet
            except MailsteadError as error:
                problem = error.public_text
        return render(
            request,
            services,
            "admin/backups.html",
            identity=identity,
            listed=listed,
            is_set=is_set,
            settings=services.api.settings.backup,
            last_run=last_run,
            last_verify=await backups.last("verify"),
            made=made,
            verified=verified,
            is_running=is_running,
            problem=problem,
        )

    @post("/", status_code=200)
    async def act(
        self,
        services: WebServices,
        identity: Identity,
        data: Annotated[BackupAction, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[bytes]:
        """Begin a backup, or the verification of one."""
        require_administrator(identity)
        backups = services.api.backups
        match data.action:
            case "run":
                services.chores.begin(_OWNER, RUN, backups.run(identity.actor))
            case "verify":
                services.chores.begin(_OWNER, VERIFY, backups.verify(identity.actor, data.snapshot))
            case "seen":
                services.chores.forget(_OWNER, RUN)
                services.chores.forget(_OWNER, VERIFY)
            case _:
                raise InvalidError("This cannot be done with backups")
        return moved("/admin/backups")
