"""What other servers report of a domain's mail: DMARC aggregates, TLS failures, complaints."""

from typing import Any

from litestar import Controller, Request, Response, get

from mailstead.administration.actor import require_domain
from mailstead.administration.aliases import find_domain
from mailstead.administration.reports import list_reports, summarize_reports
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.chart import Series, bars
from mailstead.interfaces.web.pages.aliases import require_user
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import language_of, render

_DAYS = 30
_CHARTED = 24
_LISTED = 50


class ReportPages(Controller):
    """/account/reports"""

    path = "/account/reports"
    include_in_schema = False

    @get("/{name:str}")
    async def show(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity, name: str
    ) -> Response[bytes]:
        """The last month of a domain."""
        require_user(identity)
        administration = services.api.administration
        domain = await find_domain(administration, name)
        require_domain(identity.actor, domain)
        summary = await summarize_reports(administration, identity.actor, domain.id, _DAYS)
        language = language_of(request, services)
        _ = language.gettext
        sources = summary.sources[:_CHARTED]
        chart = bars(
            [one.address for one in sources],
            [
                Series(_("accepted"), "good", [one.messages - one.refused for one in sources]),
                Series(_("refused or put into junk"), "danger", [one.refused for one in sources]),
            ],
            _("Messages by sending address"),
        )
        since = services.api.clock.now() - _DAYS * 86400
        return render(
            request,
            services,
            "account/reports.html",
            identity=identity,
            domain=domain,
            summary=summary,
            chart=chart,
            days=_DAYS,
            reports=await list_reports(administration, identity.actor, domain=domain.id, since=since, limit=_LISTED),
        )
