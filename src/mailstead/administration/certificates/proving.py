"""Where proofs for an ACME authority are shown (RFC 8555 §8): by the web service, or in DNS by a program."""

import asyncio
from contextlib import suppress
from typing import Protocol

from mailstead.foundation.clock import Clock
from mailstead.foundation.config.sections.dns import DnsSettings
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


class HookProver:
    """dns-01 by a program of the administrator: `HOOK add|remove NAME TEXT` (RFC 8555 §8.4)."""

    def __init__(self, hook: str, dns_servers: tuple[str, ...], dns: DnsSettings, wait: float) -> None:
        """`wait`: seconds that a record may take to be seen."""
        if not hook:
            raise InvalidError("dns-01 needs a way into DNS: set MAILSTEAD_ACME_DNS_HOOK")
        self._hook = hook
        self._servers = dns_servers
        self._dns = dns
        self._wait = wait

    async def show(self, challenge: Challenge) -> None:
        """See Prover."""
        await self._call("add", challenge)
        with suppress(TimeoutError):  # the authority asks elsewhere, and has the last word
            async with asyncio.timeout(self._wait):
                while not await self._is_seen(challenge):  # noqa: ASYNC110 asked again and again
                    await asyncio.sleep(_LOOK_AGAIN)

    async def withdraw(self, challenge: Challenge) -> None:
        """See Prover."""
        await self._call("remove", challenge)

    async def _is_seen(self, challenge: Challenge) -> bool:
        resolver = Resolver(self._servers, self._dns)  # anew each time: nothing remembered of the time before
        try:
            return challenge.text in (await resolver.query(challenge.record, "TXT")).records
        except ResolutionError:
            return False
        finally:
            await resolver.close()

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
