"""Where proofs for an ACME authority are shown (RFC 8555 §8): by the web service, or in DNS."""

import asyncio
from contextlib import suppress
from typing import Protocol

from mailstead.administration.dns_providers.opening import open_provider
from mailstead.administration.dns_providers.provider import DnsProvider
from mailstead.foundation.clock import Clock
from mailstead.foundation.config.sections.dns import DnsSettings
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.dns.answer import ResolutionError
from mailstead.foundation.dns.resolver import Resolver
from mailstead.foundation.errors import InvalidError, TemporaryError
from mailstead.foundation.tls.challenge import Challenge
from mailstead.stores.documents.interface import CollectionSpec, Documents, DuplicateError, Index

CHALLENGES = CollectionSpec("acme_challenge", (Index(("expires_at",), expire_after=0),))
_LIFETIME = 3600.0
_TOKEN_LIMIT = 200
_HOOK_SECONDS = 60.0
_LOOK_AGAIN = 2.0
_TTL = 60
_TEXT_LIMIT = 300


class NotShownError(TemporaryError):
    """A proof could not be shown."""

    public_text = "The proof for the certificate could not be published"


class Prover(Protocol):
    """Shows a proof and takes it away."""

    async def show(self, challenge: Challenge) -> None:
        """Return when the authority can see it. Raises NotShownError, StoreUnavailableError."""
        ...

    async def withdraw(self, challenge: Challenge) -> None:
        """Take it away; nothing when it is not there. Raises NotShownError, StoreUnavailableError."""
        ...


class WebProver:
    """http-01: the web service of any process of this installation shows what is written here (RFC 8555 §8.3)."""

    def __init__(self, documents: Documents, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock

    async def show(self, challenge: Challenge) -> None:
        """See Prover."""
        collection = await self._documents.collection(CHALLENGES)
        document = {"id": challenge.token, "text": challenge.text, "expires_at": self._clock.now() + _LIFETIME}
        with suppress(DuplicateError):  # shown already: the text follows from the token
            await collection.insert(document)

    async def withdraw(self, challenge: Challenge) -> None:
        """See Prover."""
        await (await self._documents.collection(CHALLENGES)).delete(challenge.token)


async def shown_proof(documents: Documents, token: str) -> str | None:
    """The text to be served under a token (at most 200 characters are looked up)."""
    document = await (await documents.collection(CHALLENGES)).get(token[:_TOKEN_LIMIT])
    return None if document is None else str(document["text"])


class _Watch:
    """Looks whether a TXT record is seen, anew each time: nothing is remembered of the time before."""

    def __init__(self, dns_servers: tuple[str, ...], dns: DnsSettings, wait: float) -> None:
        """`wait`: seconds that a record may take to be seen."""
        self._servers = dns_servers
        self._dns = dns
        self._wait = wait

    async def seen(self, challenge: Challenge) -> None:
        """Return when it is seen, or the time is over: the authority asks elsewhere, and has the last word."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._wait):
                while not await self._is_seen(challenge):  # noqa: ASYNC110 asked again and again
                    await asyncio.sleep(_LOOK_AGAIN)

    async def _is_seen(self, challenge: Challenge) -> bool:
        resolver = Resolver(self._servers, self._dns)
        try:
            return challenge.text in (await resolver.query(challenge.record, "TXT")).records
        except ResolutionError:
            return False
        finally:
            await resolver.close()


class ProviderProver:
    """dns-01 by the provider that publishes the domains' records, too (RFC 8555 §8.4)."""

    def __init__(self, provider: DnsProvider, watch: _Watch) -> None:
        self._provider = provider
        self._watch = watch

    async def show(self, challenge: Challenge) -> None:
        """See Prover. Raises DnsProviderError."""
        await self._provider.add(challenge.record, "TXT", challenge.text, _TTL)
        await self._watch.seen(challenge)

    async def withdraw(self, challenge: Challenge) -> None:
        """See Prover. Raises DnsProviderError."""
        await self._provider.remove(challenge.record, "TXT", challenge.text)


class HookProver:
    """dns-01 by a program of the administrator: `HOOK add|remove NAME TEXT` (RFC 8555 §8.4)."""

    def __init__(self, hook: str, watch: _Watch) -> None:
        self._hook = hook
        self._watch = watch

    async def show(self, challenge: Challenge) -> None:
        """See Prover."""
        await self._call("add", challenge)
        await self._watch.seen(challenge)

    async def withdraw(self, challenge: Challenge) -> None:
        """See Prover."""
        await self._call("remove", challenge)

    async def _call(self, verb: str, challenge: Challenge) -> None:
        try:
            process = await asyncio.create_subprocess_exec(
                self._hook,
                verb,
                challenge.record,
                challenge.text,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            raise NotShownError(detail=f"{self._hook}: {error.strerror}") from error
        try:
            async with asyncio.timeout(_HOOK_SECONDS):
                _, said = await process.communicate()
        except TimeoutError as error:
            process.kill()
            await process.wait()
            raise NotShownError(detail=f"{self._hook} {verb} takes longer than {_HOOK_SECONDS:g} s") from error
        if process.returncode:
            words = " ".join(said.decode("utf-8", "replace").split())[:_TEXT_LIMIT]
            raise NotShownError(detail=f"{self._hook} {verb}: {words or f'exit code {process.returncode}'}")


def open_prover(settings: Settings, documents: Documents, clock: Clock) -> Prover:
    """The prover that Settings ask for. Raises InvalidError when there is no way into DNS for dns-01."""
    acme, dns = settings.acme, settings.dns
    if acme.challenge == "http-01":
        return WebProver(documents, clock)
    watch = _Watch(settings.server.dns_servers, dns, acme.dns_wait)
    if acme.dns_hook:
        return HookProver(acme.dns_hook, watch)
    if dns.publish_url:
        return ProviderProver(
            open_provider(dns.publish_url, authorities=settings.tls.authorities, timeout=dns.publish_timeout), watch
        )
    raise InvalidError("dns-01 needs a way into DNS: set MAILSTEAD_DNS_PUBLISH_URL or MAILSTEAD_ACME_DNS_HOOK")
