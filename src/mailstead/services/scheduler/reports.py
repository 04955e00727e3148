"""The job that sends yesterday's DMARC and TLS reports."""

from mailstead.mail.reports.collector import RESULTS, recover
from mailstead.services.definition import Wiring
from mailstead.services.reports import daily_reports


async def send_reports(wiring: Wiring) -> str:
    """Send what is due; reports put off are tried again an hour later. Raises StoreUnavailableError, OSError."""
    await recover(wiring.stores.documents, wiring.stores.data / RESULTS, wiring.stores.clock)
    sent = await daily_reports(wiring.stores, wiring.hostname).send()
    return f"{sent.reports} reports sent, {sent.put_off} put off"
