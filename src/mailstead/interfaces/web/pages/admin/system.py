"""Where messages went, the settings, and the record of what was done."""

from typing import Annotated, Any

from litestar import Controller, Request, Response, get
from litestar.params import QueryParameter

from mailstead.administration.auditing import list_audit
from mailstead.foundation.config.document import shown, written
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.pages.admin import require_administrator
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import render

_SPANS = {"1d": 86400.0, "7d": 7 * 86400.0, "30d": 30 * 86400.0}
_PAGE = 50
Key = Annotated[str, QueryParameter(name="q", max_length=320)]


class SystemPages(Controller):
    """/admin/trace, /admin/settings, /admin/audit"""

    path = "/admin"
    include_in_schema = False

    @get("/trace")
    async def trace(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        key: Key = "",
        since: str = "7d",
    ) -> Response[bytes]:
        """The way of the messages that an address, a Message-ID or a queue id finds."""
        require_administrator(identity)
        start = services.api.clock.now() - _SPANS.get(since, _SPANS["7d"])
        ways = await services.api.trace.ways(key, start) if key.strip() else []
        return render(
            request,
            services,
            "admin/trace.html",
            identity=identity,
            key=key,
            since=since,
            ways=list(reversed(ways)),
        )

    @get("/settings")
    async def settings(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        key: Key = "",
        changed: str = "",
    ) -> Response[bytes]:
        """Every setting with its value; secrets are not shown."""
        require_administrator(identity)
        wanted = key.strip().casefold()
        rows = []
        for option, value in shown(services.api.settings):
            default = written(option, option.default)
            is_changed = value != default
            if (changed and not is_changed) or not (
                wanted in option.environment.casefold() or wanted in option.sentence.casefold()
            ):
                continue
            rows.append((option, value, default, is_changed))
        return render(
            request, services, "admin/settings.html", identity=identity, rows=rows, key=key, changed=bool(changed)
        )

    @get("/audit")
    async def audit(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        target: Annotated[str, QueryParameter(max_length=320)] = "",
        after: Annotated[str, QueryParameter(max_length=40)] = "",
    ) -> Response[bytes]:
        """What was done, by whom."""
        require_administrator(identity)
        found = await list_audit(
            services.api.administration, identity.actor, target=target.strip(), after=after, limit=_PAGE + 1
        )
        return render(
            request,
            services,
            "admin/audit.html",
            identity=identity,
            entries=found[:_PAGE],
            last=found[_PAGE - 1] if len(found) > _PAGE else None,
            target=target,
        )
