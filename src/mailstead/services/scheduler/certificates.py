"""The job that renews our own certificate and watches the others. Running services load what changed by themselves."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from mailstead.foundation.errors import PermanentError
from mailstead.services.certificate import certificate_path, ensure_certificate
from mailstead.services.definition import Wiring

_NOTICE = timedelta(days=21)  # ours are renewed before that


class CertificateEndsError(PermanentError):
    """A certificate that somebody else has to renew is about to end."""


async def renew_certificates(wiring: Wiring) -> str:
    """Renew what is ours, and say until when the host's certificate is good.

    Raises CertificateEndsError less than three weeks before the end, AuthorityError, OSError.
    """
    return await asyncio.get_running_loop().run_in_executor(None, _renew, wiring)


def _renew(wiring: Wiring) -> str:
    stores = wiring.stores
    now = datetime.fromtimestamp(stores.clock.now(), UTC)
    path = certificate_path(stores.settings, stores.data)
    before = _end(path)
    ensure_certificate(stores.settings, stores.data, now)
    after = _end(path)
    if after - now < _NOTICE:
        raise CertificateEndsError(f"{path} ends on {after:%Y-%m-%d}: put a new one in its place")
    return f"{'renewed, ' if after != before else ''}good until {after:%Y-%m-%d}"


def _end(path: Path) -> datetime:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    except ValueError as error:
        raise CertificateEndsError(f"{path} is no certificate") from error
