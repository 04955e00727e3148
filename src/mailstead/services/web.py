"""The web service: pages, the API under /v1, calendars and contacts under /dav/, on one address."""

import asyncio
import shutil
from collections.abc import Mapping
from typing import Any

import mailstead
from mailstead.administration.doctor.finding import Examination
from mailstead.administration.updating import Updating
from mailstead.interfaces.api.application import PREFIX, api_application
from mailstead.interfaces.dav.application import WELL_KNOWN
from mailstead.interfaces.web.application import web_application
from mailstead.interfaces.web.chores import Chores
from mailstead.interfaces.web.health import Health, JobShown, ReadHealth, ServiceShown
from mailstead.protocols.dav.hrefs import PREFIX as DAV_PREFIX
from mailstead.services.api import api_services
from mailstead.services.certificate import certificates
from mailstead.services.dav import dav_application
from mailstead.services.definition import Wiring
from mailstead.services.doctor import examination
from mailstead.services.http import serve_http
from mailstead.services.lines import listener
from mailstead.services.lock import LOCKS
from mailstead.services.push import Pusher, push_services
from mailstead.services.ready import Endpoint, read_all_ready
from mailstead.services.scheduler.job import job_states
from mailstead.services.stores import Stores
from mailstead.services.transfers import WithTransfers, transfer_desk


def read_health(stores: Stores) -> ReadHealth:
    """How pages learn what runs on this data folder."""

    def running() -> tuple[ServiceShown, ...]:
        names = [path.stem for path in (stores.data / LOCKS).glob("*.lock")]
        return tuple(
            ServiceShown(name, endpoint.host, endpoint.port, endpoint.tls)
            for ready in read_all_ready(stores.data, names)
            for name, endpoint in ready.services.items()
        )

    async def read() -> Health:
        disk = shutil.disk_usage(stores.data)
        jobs = [
            JobShown(one.id, one.outcome, one.finished_at, one.next_at, one.failures, one.text)
            for one in await job_states(stores.documents)
        ]
        services = await asyncio.to_thread(running)
        return Health(mailstead.__version__, services, tuple(jobs), disk.free, disk.total)

    return read


class Web:
    """The web's listeners, the work that its pages began, and what tells browsers of new mail."""

    def __init__(self, lines: WithTransfers, chores: Chores, pusher: Pusher | None) -> None:
        self._lines = lines
        self._chores = chores
        self._pushing = None if pusher is None else asyncio.get_running_loop().create_task(pusher.run())

    @property
    def endpoints(self) -> Mapping[str, Endpoint]:
        """See Running."""
        return self._lines.endpoints

    async def drain(self, timeout: float) -> None:
        """See Running."""
        await self._lines.drain(timeout)
        await self._chores.close()
        if self._pushing is not None:
            self._pushing.cancel()
            await asyncio.wait([self._pushing])


async def start(wiring: Wiring) -> Web:
    """Listen on the web's ports."""
    stores = wiring.stores
    desk, transfers = transfer_desk(stores)
    services = api_services(wiring, desk, "web")

    def examined() -> Examination:
        return examination(stores, wiring.hostname)

    chores, push = Chores(stores.clock), push_services(wiring)
    pages = web_application(
        services,
        wiring.contexts,
        certificates(stores),
        read_health(stores),
        examined,
        Updating(stores.administration, stores.data),
        chores,
        push,
    )
    api = api_application(services)
    dav = dav_application(wiring, "dav")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        path: str = scope.get("path", "")
        await _chosen(path)(scope, receive, send)

    def _chosen(path: str) -> Any:
        if path == PREFIX or path.startswith(f"{PREFIX}/"):
            return api
        return dav if path.startswith(DAV_PREFIX) or path == DAV_PREFIX.rstrip("/") or path in WELL_KNOWN else pages

    ports = wiring.stores.settings.port
    listeners = [listener(wiring, "http", ports.http, "none"), listener(wiring, "https", ports.https, "implicit")]
    lines = await serve_http(wiring, "web", app, listeners)
    pusher = Pusher(wiring, push) if stores.settings.web.push else None
    return Web(WithTransfers(lines, transfers), chores, pusher)
