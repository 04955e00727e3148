"""The job that renews certificates and watches those it cannot renew. Running services load what changed by themselves."""

import asyncio
from datetime import UTC, datetime

from mailstead.administration.actor import Actor
from mailstead.administration.certificates.certificates import HOST, State
from mailstead.administration.certificates.wanted import Standing
from mailstead.foundation.errors import PermanentError
from mailstead.services.certificate import certificates, ensure_certificate
from mailstead.services.definition import Wiring
from mailstead.services.notice import write_to_administrators

_DAY = 86400.0
_NOTICE_DAYS = (1, 7, 21)
_NOTICE_SHARE = 1 / 3  # of the lifetime: what lives for days only is not told of weeks before
_SCHEDULER = Actor("scheduler", "server", is_admin=True)
_TEXT = """The certificate {name} of this mail server ends on {end:%Y-%m-%d %H:%M} UTC.

  for:    {names}
  file:   {path}
{error}
{cure}
See also: mailstead cert status
"""
_RENEWED_BY_US = "It should have been renewed by now: mailstead cert renew tries it at once and says what is wrong."
_RENEWED_BY_YOU = "It is not renewed from here: put a new one in its place, or: mailstead cert import CERTIFICATE KEY"


class CertificatesTroubledError(PermanentError):
    """A certificate could not be renewed; the text names it."""

    public_text = "No new certificate"


async def renew_certificates(wiring: Wiring) -> str:
    """Renew what is ours or from the ACME authority, tell the administrators of those about to end.

    Raises CertificatesTroubledError, AuthorityError, StoreUnavailableError, OSError.
    """
    stores = wiring.stores
    now = datetime.fromtimestamp(stores.clock.now(), UTC)
    await asyncio.to_thread(ensure_certificate, stores.settings, stores.data, now)
    ours = certificates(stores)
    renewed = await ours.obtain(_SCHEDULER) if stores.settings.acme.directory else []
    for found, state in await ours.standings():
        days = _due_notice(found, state, stores.clock.now())
        if days:
            await write_to_administrators(
                wiring.stores, f"the certificate {found.name or HOST} ends soon", _words(found, state)
            )
            await ours.noticed(found.name, days)
    troubled = [one for one in renewed if one.error]
    if troubled:
        raise CertificatesTroubledError(detail="; ".join(f"{one.name}: {one.error}" for one in troubled))
    host = (await ours.standings())[0][0]
    end = datetime.fromtimestamp(host.not_after, UTC)
    return f"{len(renewed)} renewed; the host's is good until {end:%Y-%m-%d}"


def _due_notice(found: Standing, state: State, now: float) -> int:
    """The number of days before the end that are to be told of now; 0 for none."""
    if not found.not_after:
        return 0
    lifetime = found.not_after - found.not_before
    for days in _NOTICE_DAYS:
        if days * _DAY > lifetime * _NOTICE_SHARE:
            break
        if found.not_after - now <= days * _DAY:
            return 0 if state.noticed and state.noticed <= days else days
    return 0


def _words(found: Standing, state: State) -> str:
    return _TEXT.format(
        name=found.name or HOST,
        names=", ".join(found.names),
        path=found.path,
        end=datetime.fromtimestamp(found.not_after, UTC),
        error=f"  tried:  {state.error}\n" if state.error else "",
        cure=_RENEWED_BY_US if found.source in {"acme", "own authority"} else _RENEWED_BY_YOU,
    )
