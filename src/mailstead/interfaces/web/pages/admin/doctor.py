"""The doctor: what stands in the way of this installation's mail, with what to do about it."""

from typing import Any

from litestar import Controller, Request, Response, get

from mailstead.administration.doctor.examine import examine, worst
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.pages.admin import require_administrator
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import render

_ORDER = ("problem", "warning", "unknown", "ok")


class DoctorPages(Controller):
    """/admin/doctor"""

    path = "/admin/doctor"
    include_in_schema = False

    @get("/")
    async def show(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity, run: str = ""
    ) -> Response[bytes]:
        """An examination takes some seconds and asks others: it is made when it is asked for."""
        require_administrator(identity)
        findings = await examine(identity.actor, services.examination()) if run else []
        return render(
            request,
            services,
            "admin/doctor.html",
            identity=identity,
            findings=sorted(findings, key=lambda one: (_ORDER.index(one.status), one.check)),
            state=worst(findings) if findings else "",
            was_run=bool(run),
        )
