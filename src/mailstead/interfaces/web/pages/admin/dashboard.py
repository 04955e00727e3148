"""The state of the installation at one glance."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from litestar import Controller, Request, Response, get

from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.chart import Series, bars
from mailstead.interfaces.web.pages.admin import require_administrator
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import language_of, render
from mailstead.stores.directory.records import Alias, Domain, User

_HOURS = 24
_EVENTS = ("received", "delivered", "refused", "bounced")
_LARGEST = 10


class Room(msgspec.Struct, frozen=True):
    """What a mailbox takes on disk, in octets."""

    address: str
    size: int


def _rooms(folders: list[tuple[str, Path]]) -> list[Room]:
    """Runs on a thread."""
    return [
        Room(address, sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()))
        for address, folder in folders
        if folder.is_dir()
    ]


class DashboardPages(Controller):
    """/admin"""

    path = "/admin"
    include_in_schema = False

    @get("/")
    async def show(self, request: Request[Any, Any, Any], services: WebServices, identity: Identity) -> Response[bytes]:
        """The dashboard."""
        require_administrator(identity)
        administration = services.api.administration
        directory = administration.directory
        aliases = await directory.find(Alias)
        folders = [
            (one.address, administration.mailboxes.directory(one.mailbox_id)) for one in aliases if one.mailbox_id
        ]
        rooms = await administration.mailboxes.run(_rooms, folders)
        end = (int(services.api.clock.now()) // 3600 + 1) * 3600
        hours = [end - 3600 * (number + 1) for number in reversed(range(_HOURS))]
        counts = {event: await self._counts(services, event, hours) for event in _EVENTS}
        language = language_of(request, services)
        _ = language.gettext
        series = [
            Series(_("Delivered"), "good", counts["delivered"]),
            Series(_("Refused"), "warn", counts["refused"]),
            Series(_("Bounced"), "danger", counts["bounced"]),
        ]
        labels = [datetime.fromtimestamp(hour, UTC).strftime("%H") for hour in hours]
        return render(
            request,
            services,
            "admin/dashboard.html",
            identity=identity,
            health=await services.health(),
            chart=bars(labels, series, language.gettext("Messages of the last 24 hours, by the hour")),
            series=series,
            totals={event: sum(values) for event, values in counts.items()},
            queued=await services.api.queue.count(),
            users=len(await directory.find(User)),
            domains=await directory.find(Domain),
            aliases=len(aliases),
            mailboxes=len(rooms),
            stored=sum(room.size for room in rooms),
            largest=sorted(rooms, key=lambda room: -room.size)[:_LARGEST],
            is_linked=services.api.bus.is_linked,
        )

    @staticmethod
    async def _counts(services: WebServices, event: str, hours: list[int]) -> list[int]:
        trace = services.api.trace
        return list(await asyncio.gather(*(trace.count(event, hour, hour + 3600) for hour in hours)))
