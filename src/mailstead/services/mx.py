"""The mx service: mail from other hosts."""

from collections.abc import Mapping

from mailstead.mail.authentication.inbound import InboundAuthentication
from mailstead.mail.reports.collector import RESULTS, ResultCollector
from mailstead.mail.screening.screening import Screening
from mailstead.protocols.smtp.roles.mx import MxRole
from mailstead.protocols.smtp.server import TOO_MANY, smtp_handler
from mailstead.services.definition import Wiring
from mailstead.services.delivery import smtp_services
from mailstead.services.lines import LineService, listener, serve_lines
from mailstead.services.ready import Endpoint


class Mx:
    """The listener, what it counts, and what screening has to write at the end."""

    def __init__(self, lines: LineService, collector: ResultCollector, screening: Screening) -> None:
        self._lines = lines
        self._collector = collector
        self._screening = screening

    @property
    def endpoints(self) -> Mapping[str, Endpoint]:
        """See Running."""
        return self._lines.endpoints

    async def drain(self, timeout: float) -> None:
        """See Running."""
        await self._lines.drain(timeout)
        await self._collector.close()
        await self._screening.close()


async def start(wiring: Wiring) -> Mx:
    """Listen on the MX port."""
    stores = wiring.stores
    settings = stores.settings
    authentication = InboundAuthentication(
        stores.resolver, settings.authentication, settings.dkim, wiring.hostname, stores.clock
    )
    collector = ResultCollector(stores.documents, settings.reports, stores.clock, stores.data / RESULTS)
    await collector.recover()
    screening = Screening(
        stores.resolver,
        stores.directory,
        stores.bus,
        stores.documents,
        settings,
        wiring.hostname,
        stores.clock,
        stores.junk,
    )
    services = smtp_services(
        wiring,
        "mx",
        authentication=authentication if settings.authentication.check else None,
        collector=collector,
        screening=screening,
    )
    listeners = [listener(wiring, "mx", settings.port.mx, "starttls")]
    lines = await serve_lines(wiring, "mx", smtp_handler(MxRole(services)), listeners, TOO_MANY)
    return Mx(lines, collector, screening)
