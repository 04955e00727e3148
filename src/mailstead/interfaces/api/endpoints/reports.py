"""Reports of others about a domain's mail: DMARC, TLS, complaints."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, get
from litestar.params import Parameter, QueryParameter

from mailstead.administration.reports import ReportsSummary, list_reports, show_report, summarize_reports
from mailstead.formats.reports.attached import Kind
from mailstead.foundation.errors import NotFoundError
from mailstead.interfaces.api.access import USER
from mailstead.interfaces.api.moments import moment, parse_moment
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.identity import Identity
from mailstead.mail.reports.received import ReceivedReport
from mailstead.stores.directory.names import domain_name

DomainName = Annotated[str, Parameter(description="The domain's name")]


class ReportShown(msgspec.Struct, frozen=True):
    """A report; numbers are of messages (dmarc), sessions (tls) or incidents (feedback)."""

    id: str
    kind: Kind
    domain: str
    submitter: str
    report_id: str
    begin_at: str
    end_at: str
    received_at: str
    sender: str
    count: int
    failed: int
    object: str = "report"


class ReportWhole(msgspec.Struct, frozen=True):
    """A report with what it says; `content` is null when it was too large to keep."""

    report: ReportShown
    content: dict[str, Any] | None
    object: str = "report"


def _shown(one: ReceivedReport) -> ReportShown:
    return ReportShown(
        one.id,
        one.kind,
        one.domain,
        one.submitter,
        one.report_id,
        moment(one.begin),
        moment(one.end),
        moment(one.at),
        one.sender,
        one.count,
        one.failed,
    )


class ReportController(Controller):
    """/domains/{domain}/reports"""

    path = "/domains/{domain:str}/reports"
    tags = ("Reports",)
    opt = {"access": USER}

    @get("/", summary="Reports about a domain")
    async def list_all(
        self,
        domain: DomainName,
        identity: Identity,
        services: ApiServices,
        kind: Kind | None = None,
        since: str = "",
        limit: Annotated[int, QueryParameter(ge=1, le=1000)] = 100,
    ) -> list[ReportShown]:
        """Newest first."""
        found = await list_reports(
            services.administration,
            identity.actor,
            domain=domain_name(domain),
            kind=kind,
            since=parse_moment(since) if since else 0.0,
            limit=limit,
        )
        return [_shown(one) for one in found]

    @get("/summary", summary="What the reports come to")
    async def summary(
        self,
        domain: DomainName,
        identity: Identity,
        services: ApiServices,
        days: Annotated[float, QueryParameter(gt=0, le=400)] = 30.0,
    ) -> ReportsSummary:
        """Who sent in the domain's name, and TLS sessions that failed."""
        return await summarize_reports(services.administration, identity.actor, domain_name(domain), days)

    @get("/{report_id:str}", summary="One report")
    async def show(self, domain: DomainName, report_id: str, identity: Identity, services: ApiServices) -> ReportWhole:
        """With its rows."""
        name = domain_name(domain)
        await list_reports(services.administration, identity.actor, domain=name, limit=1)  # whose it may be
        described, report = await show_report(services.administration, identity.actor, report_id)
        if described.domain != name:
            raise NotFoundError("There is no such report")
        content = None if report is None else msgspec.to_builtins(report)
        return ReportWhole(_shown(described), content)
