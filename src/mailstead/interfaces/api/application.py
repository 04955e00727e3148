"""The API as an ASGI application."""

from typing import Any

from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.di import Provide
from litestar.types import Message, Scope

from mailstead.interfaces.api.access import SERVICES, guard, keys_closed, provide_identity
from mailstead.interfaces.api.description import openapi, openapi_document, tell_octets, tell_problems
from mailstead.interfaces.api.endpoints.access_lists import DomainListController, ServerListController
from mailstead.interfaces.api.endpoints.account import AccountController
from mailstead.interfaces.api.endpoints.aliases import AliasController
from mailstead.interfaces.api.endpoints.audit import AuditController
from mailstead.interfaces.api.endpoints.backups import BackupController
from mailstead.interfaces.api.endpoints.calendar_events import CalendarEventController
from mailstead.interfaces.api.endpoints.calendars import CalendarController
from mailstead.interfaces.api.endpoints.contacts import ContactController
from mailstead.interfaces.api.endpoints.domain_passwords import DomainPasswordController
from mailstead.interfaces.api.endpoints.domains import DomainController
from mailstead.interfaces.api.endpoints.emails import EmailController
from mailstead.interfaces.api.endpoints.folders import FolderController
from mailstead.interfaces.api.endpoints.hooks import HookController
from mailstead.interfaces.api.endpoints.junk import JunkController
from mailstead.interfaces.api.endpoints.logs import LogController
from mailstead.interfaces.api.endpoints.members import InviteController, MemberController
from mailstead.interfaces.api.endpoints.messages import MessageController
from mailstead.interfaces.api.endpoints.passwords import PasswordController
from mailstead.interfaces.api.endpoints.queue import QueueController
from mailstead.interfaces.api.endpoints.reports import ReportController
from mailstead.interfaces.api.endpoints.server import ServerController
from mailstead.interfaces.api.endpoints.sessions import SessionController
from mailstead.interfaces.api.endpoints.sieve import AliasSieveController, SieveController
from mailstead.interfaces.api.endpoints.snapshots import SnapshotController
from mailstead.interfaces.api.endpoints.suppressions import SuppressionController
from mailstead.interfaces.api.endpoints.test import TestController
from mailstead.interfaces.api.endpoints.tokens import TokenController
from mailstead.interfaces.api.endpoints.trace import TraceController
from mailstead.interfaces.api.endpoints.transfers import ArchiveController, ExportController, ImportController
from mailstead.interfaces.api.endpoints.undelete import UndeleteController
from mailstead.interfaces.api.live.session import live
from mailstead.interfaces.api.problems import HANDLERS
from mailstead.interfaces.api.reference import reference
from mailstead.interfaces.api.services import ApiServices

CONTROLLERS: tuple[Any, ...] = (
    TestController,
    AccountController,
    TokenController,
    DomainController,
    AliasController,
    PasswordController,
    AliasSieveController,
    MemberController,
    InviteController,
    DomainPasswordController,
    HookController,
    DomainListController,
    SuppressionController,
    ReportController,
    FolderController,
    MessageController,
    UndeleteController,
    SnapshotController,
    ImportController,
    ExportController,
    ArchiveController,
    JunkController,
    SieveController,
    CalendarController,
    CalendarEventController,
    ContactController,
    EmailController,
    TraceController,
    LogController,
    QueueController,
    SessionController,
    AuditController,
    ServerController,
    ServerListController,
    BackupController,
)
PREFIX = "/v1"


def api_application(services: ApiServices) -> Litestar:
    """The application; the OpenAPI document is at /v1/openapi.json, a page to read it at /v1/docs."""

    def provide_services() -> ApiServices:
        return services

    app = Litestar(
        route_handlers=[
            Router(path="/", route_handlers=CONTROLLERS, guards=[guard]),
            reference,
            openapi_document,
            live,
        ],
        path=PREFIX,
        state=State({SERVICES: services}),
        middleware=[keys_closed],
        dependencies={
            "services": Provide(provide_services, sync_to_thread=False),
            "identity": Provide(provide_identity),
        },
        exception_handlers=HANDLERS,
        before_send=[_tell_rate],
        openapi_config=openapi(),
        request_max_body_size=services.settings.message.size_limit * 2,
        logging_config=None,
        debug=False,
    )
    tell_problems(app.openapi_schema)
    tell_octets(app)
    return app


async def _tell_rate(message: Message, scope: Scope) -> None:
    """Put the rate that was counted into the header."""
    if message["type"] == "http.response.start":
        rate: dict[str, str] = scope.get("state", {}).get("rate_headers", {})
        message["headers"] = [
            *message["headers"],
            *((name.lower().encode(), value.encode()) for name, value in rate.items()),
        ]
