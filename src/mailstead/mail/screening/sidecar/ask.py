"""All other filters that Settings name, asked at once."""

import asyncio
from collections.abc import Sequence

import msgspec
import structlog

from mailstead.foundation.config.sections.sidecar import SidecarSettings
from mailstead.foundation.spool import Spool
from mailstead.mail.screening.case import Finding
from mailstead.mail.screening.sidecar.clamd import ask_clamd
from mailstead.mail.screening.sidecar.link import SidecarError
from mailstead.mail.screening.sidecar.rspamd import RspamdResult, ask_rspamd, verdict_of
from mailstead.mail.screening.sidecar.spamd import SpamdResult, ask_spamd

log = structlog.get_logger("mailstead.screening")


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """Who sends what to whom, as other filters want to know."""

    address: str
    hello: str
    hostname: str
    sender: str
    recipients: Sequence[str]
    identifier: str


class Opinions(msgspec.Struct, frozen=True, kw_only=True):
    """What they said. `virus` is None when clamd was not asked or did not answer, "" when it found nothing.

    `failed` names those that did not answer; `later`: one of them wants the sender to come back.
    """

    findings: tuple[Finding, ...] = ()
    virus: str | None = None
    failed: tuple[str, ...] = ()
    later: bool = False


class Sidecars:
    """Asks them; without any in Settings it does nothing."""

    def __init__(self, settings: SidecarSettings, threshold: float) -> None:
        self._settings = settings
        self._threshold = threshold

    @property
    def are_there(self) -> bool:
        """Whether Settings name any."""
        return bool(self._settings.rspamd or self._settings.spamd or self._settings.clamd)

    async def ask(self, message: Spool, client: Client) -> Opinions:
        """What all of them say of `message`. Raises nothing of theirs."""
        if not self.are_there:
            return Opinions()
        rspamd, spamd, virus = await asyncio.gather(
            self._rspamd(message, client), self._spamd(message), self._clamd(message)
        )
        findings = []
        failed = [str(one) for one in (rspamd, spamd, virus) if isinstance(one, SidecarError)]
        later = False
        if isinstance(rspamd, RspamdResult):
            later = verdict_of(rspamd) == "later"
            findings.append(self._finding("RSPAMD", "rspamd", rspamd.score, rspamd.required, rspamd.symbols))
        if isinstance(spamd, SpamdResult):
            findings.append(self._finding("SPAMASSASSIN", "SpamAssassin", spamd.score, spamd.required, spamd.symbols))
        for why in failed:
            log.warning("a filter does not answer", why=why)
        return Opinions(
            findings=tuple(findings),
            virus=virus if isinstance(virus, str) else None,
            failed=tuple(failed),
            later=later,
        )

    def _finding(self, name: str, who: str, score: float, required: float, symbols: Sequence[str]) -> Finding:
        """Its points, so that its threshold is worth ours."""
        scale = self._threshold / required if required > 0 else 1.0
        points = round(score * scale * self._settings.weight, 1)
        why = f": {', '.join(symbols[:8])}" if symbols else ""
        return Finding(name, points, f"{who} gives {score:g} of {required:g} points{why}")

    async def _rspamd(self, message: Spool, client: Client) -> RspamdResult | SidecarError | None:
        settings = self._settings
        if not settings.rspamd or message.size > settings.size_limit:
            return None
        try:
            async with asyncio.timeout(settings.timeout):
                return await ask_rspamd(
                    settings.rspamd,
                    message,
                    address=client.address,
                    hello=client.hello,
                    hostname=client.hostname,
                    sender=client.sender,
                    recipients=client.recipients,
                    identifier=client.identifier,
                    timeout=settings.timeout,
                )
        except SidecarError as error:
            return error
        except TimeoutError:
            return SidecarError(detail="rspamd takes too long")

    async def _spamd(self, message: Spool) -> SpamdResult | SidecarError | None:
        settings = self._settings
        if not settings.spamd or message.size > settings.size_limit:
            return None
        try:
            async with asyncio.timeout(settings.timeout):
                return await ask_spamd(settings.spamd, message, settings.timeout)
        except SidecarError as error:
            return error
        except TimeoutError:
            return SidecarError(detail="spamd takes too long")

    async def _clamd(self, message: Spool) -> str | SidecarError | None:
        settings = self._settings
        if not settings.clamd:
            return None
        try:
            async with asyncio.timeout(settings.timeout):
                return await ask_clamd(settings.clamd, message, settings.timeout, settings.size_limit)
        except SidecarError as error:
            return error
        except TimeoutError:
            return SidecarError(detail="clamd takes too long")
