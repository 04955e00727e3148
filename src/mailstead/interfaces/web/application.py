"""The web as an ASGI application."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from litestar import Litestar, Request, Response
from litestar.di import Provide
from litestar.exceptions import HTTPException

from mailstead.administration.certificates.certificates import Certificates
from mailstead.administration.doctor.finding import Examination
from mailstead.administration.updating import Updating
from mailstead.foundation.errors import MailsteadError
from mailstead.foundation.tls.contexts import TLSContexts
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.web.assets import Assets, serve_asset
from mailstead.interfaces.web.chores import Chores
from mailstead.interfaces.web.headers import harden
from mailstead.interfaces.web.health import ReadHealth
from mailstead.interfaces.web.language import Languages
from mailstead.interfaces.web.outside import Outside
from mailstead.interfaces.web.pages.access import AccessPages
from mailstead.interfaces.web.pages.account import AccountPages
from mailstead.interfaces.web.pages.acme import AcmePages
from mailstead.interfaces.web.pages.admin.backups import BackupPages
from mailstead.interfaces.web.pages.admin.certificates import CertificatePages
from mailstead.interfaces.web.pages.admin.dashboard import DashboardPages
from mailstead.interfaces.web.pages.admin.doctor import DoctorPages
from mailstead.interfaces.web.pages.admin.domains import AdminDomainPages
from mailstead.interfaces.web.pages.admin.publishing import PublishingPages
from mailstead.interfaces.web.pages.admin.queue import QueuePages
from mailstead.interfaces.web.pages.admin.setup import SetupPages
from mailstead.interfaces.web.pages.admin.system import SystemPages
from mailstead.interfaces.web.pages.admin.updates import UpdatePages
from mailstead.interfaces.web.pages.admin.users import UserPages
from mailstead.interfaces.web.pages.aliases import AliasPages
from mailstead.interfaces.web.pages.bulk_aliases import BulkAliasPages
from mailstead.interfaces.web.pages.calendar import CalendarPages
from mailstead.interfaces.web.pages.calendar_events import CalendarEventPages
from mailstead.interfaces.web.pages.calendar_settings import CalendarSettingsPages
from mailstead.interfaces.web.pages.compose import ComposePages
from mailstead.interfaces.web.pages.contacts import ContactPages
from mailstead.interfaces.web.pages.discovery import DiscoveryPages
from mailstead.interfaces.web.pages.domains import DomainPages
from mailstead.interfaces.web.pages.encryption import EncryptionPages
from mailstead.interfaces.web.pages.filters import FilterPages
from mailstead.interfaces.web.pages.installed import InstalledPages
from mailstead.interfaces.web.pages.login import LoginPages
from mailstead.interfaces.web.pages.mail import MailPages
from mailstead.interfaces.web.pages.mail_actions import MailActionPages
from mailstead.interfaces.web.pages.mail_events import MailEventPages
from mailstead.interfaces.web.pages.mail_parts import MailPartPages
from mailstead.interfaces.web.pages.members import MemberPages
from mailstead.interfaces.web.pages.mta_sts import MtaStsPages
from mailstead.interfaces.web.pages.notifications import NotificationPages
from mailstead.interfaces.web.pages.openpgp_keys import OpenPgpKeyPages
from mailstead.interfaces.web.pages.passkeys import PasskeyPages
from mailstead.interfaces.web.pages.recovery import RecoveryPages
from mailstead.interfaces.web.pages.reports import ReportPages
from mailstead.interfaces.web.pages.scheduled import ScheduledPages
from mailstead.interfaces.web.pages.second_factor import SecondFactorPages
from mailstead.interfaces.web.pages.security import SecurityPages
from mailstead.interfaces.web.pages.snapshots import SnapshotPages
from mailstead.interfaces.web.pages.styleguide import StyleguidePages
from mailstead.interfaces.web.pages.tokens import TokenPages
from mailstead.interfaces.web.pages.transfers import TransferPages
from mailstead.interfaces.web.pages.unsubscribe import UnsubscribePages
from mailstead.interfaces.web.pages.ways import WayPages
from mailstead.interfaces.web.pages.writing import WritingPages
from mailstead.interfaces.web.pages.zero_access import ZeroAccessPages
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import environment, render
from mailstead.interfaces.web.visitor import LoginNeededError, provide_visitor
from mailstead.mail.push.post import PushServices

PAGES: tuple[Any, ...] = (
    LoginPages,
    InstalledPages,
    SecondFactorPages,
    PasskeyPages,
    DiscoveryPages,
    MailPages,
    MailPartPages,
    MailActionPages,
    MailEventPages,
    ComposePages,
    ScheduledPages,
    CalendarPages,
    CalendarEventPages,
    CalendarSettingsPages,
    ContactPages,
    AccountPages,
    SecurityPages,
    WritingPages,
    WayPages,
    FilterPages,
    RecoveryPages,
    NotificationPages,
    AliasPages,
    BulkAliasPages,
    DomainPages,
    ReportPages,
    TokenPages,
    DashboardPages,
    DoctorPages,
    AccessPages,
    UserPages,
    AdminDomainPages,
    QueuePages,
    SystemPages,
    BackupPages,
    CertificatePages,
    UpdatePages,
    SnapshotPages,
    TransferPages,
    EncryptionPages,
    MemberPages,
    ZeroAccessPages,
    SetupPages,
    PublishingPages,
    StyleguidePages,
    AcmePages,
    MtaStsPages,
    UnsubscribePages,
    OpenPgpKeyPages,
)


def web_application(
    api: ApiServices,
    contexts: TLSContexts,
    certificates: Certificates,
    health: ReadHealth,
    examination: Callable[[], Examination],
    updating: Updating,
    chores: Chores,
    push: PushServices,
) -> Litestar:
    """The application; `contexts` has the host's certificate and what we trust of others."""
    assets = Assets()
    settings = api.settings
    outside = Outside(
        api.resolver,
        lambda: contexts.client(verify=True),
        allowed=settings.web.picture_networks,
        timeout=settings.web.picture_timeout,
        size_limit=settings.web.picture_limit,
    )
    services = WebServices(
        api,
        assets,
        Languages(),
        environment(assets),
        contexts.own,
        certificates,
        health,
        outside,
        examination,
        updating,
        chores,
        push,
    )

    def provide_services() -> WebServices:
        return services

    def provide_assets() -> Assets:
        return assets

    def failed(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
        status, text = _told(error)
        return render(request, services, "problem.html", status=status, text=text, code=status)

    def to_login(request: Request[Any, Any, Any], _: LoginNeededError) -> Response[bytes]:
        target = f"/login?next={quote(request.url.path if request.method == 'GET' else '/')}"
        if request.headers.get("hx-request") == "true":
            return Response(b"", status_code=200, headers={"HX-Redirect": target})
        return Response(b"", status_code=303, headers={"Location": target})

    return Litestar(
        route_handlers=[serve_asset, *PAGES],
        dependencies={
            "services": Provide(provide_services, sync_to_thread=False),
            "assets": Provide(provide_assets, sync_to_thread=False),
            "identity": Provide(provide_visitor),
        },
        exception_handlers={LoginNeededError: to_login, MailsteadError: failed, HTTPException: failed},
        before_send=[harden],
        openapi_config=None,
        request_max_body_size=api.settings.message.size_limit * 2,
        logging_config=None,
        debug=False,
    )


def _told(error: Exception) -> tuple[int, str]:
    if isinstance(error, MailsteadError):
        return error.http_status, error.public_text
    if isinstance(error, HTTPException):
        return error.status_code, "" if error.status_code == 404 else error.detail
    raise error
