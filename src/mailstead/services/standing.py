"""How the installation stands, for the API."""

import mailstead
from mailstead.interfaces.api.moments import moment
from mailstead.interfaces.api.status import JobShown, ListenerShown, StatusShown
from mailstead.services.definition import Wiring
from mailstead.services.lock import locked_services
from mailstead.services.ready import read_all_ready
from mailstead.services.scheduler.job import JobState, job_states
from mailstead.stores.directory.records import Alias, Domain, User


async def installation_status(wiring: Wiring) -> StatusShown:
    """Everything that runs on this data folder, the jobs, and counts. Raises StoreUnavailableError."""
    stores = wiring.stores
    ready = read_all_ready(stores.data, locked_services(stores.data))
    jobs = await job_states(stores.documents)
    started = min((one.started_at for one in ready), default=stores.clock.now())
    return StatusShown(
        version=mailstead.__version__,
        hostname=wiring.hostname,
        started_at=moment(started),
        is_healthy=not any(job.failures for job in jobs),
        bus_linked=stores.bus.is_linked,
        queued=await stores.queue.count(),
        users=await stores.directory.count(User),
        domains=await stores.directory.count(Domain),
        aliases=await stores.directory.count(Alias),
        listeners=[
            ListenerShown(name, endpoint.host, endpoint.port, endpoint.tls, one.pid)
            for one in ready
            for name, endpoint in one.services.items()
        ],
        jobs=[_job(job) for job in jobs],
    )


def _job(state: JobState) -> JobShown:
    return JobShown(
        state.id,
        state.outcome,
        state.text,
        state.failures,
        moment(state.finished_at) if state.finished_at else None,
        moment(state.next_at) if state.outcome != "running" else None,
    )
