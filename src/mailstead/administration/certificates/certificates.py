"""The certificates of an installation: obtained, renewed, imported."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import structlog

from mailstead.administration.actor import Actor, Administration, require_admin
from mailstead.administration.certificates.proving import Prover, open_prover
from mailstead.administration.certificates.wanted import (
    Standing,
    Wanted,
    folder_of,
    names_at,
    standing,
    wanted_certificates,
)
from mailstead.foundation.dns.resolver import Resolver
from mailstead.foundation.errors import InvalidError, MailsteadError, NotFoundError, TemporaryError
from mailstead.foundation.tls.authority import alone
from mailstead.foundation.tls.challenge import Challenge
from mailstead.foundation.tls.files import KEY, install_pair
from mailstead.stores.directory.records import Domain
from mailstead.stores.documents.interface import CollectionSpec

CERTIFICATES = CollectionSpec("certificate")
HOST = "host"
_FIRST_RETRY, _LAST_RETRY = 3600.0, 86400.0
_LOOK_AGAIN = 0.5
_TEXT_LIMIT = 400
log = structlog.get_logger("mailstead.certificates")


class CertificatesBusyError(TemporaryError):
    """Another process of this installation obtains certificates at this moment."""

    public_text = "Certificates are being obtained already"


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered of a certificate: `serial` of the last one obtained; failures in a row and when it is tried
    again; `noticed`, the least number of days before the end that the administrators were told of (0: none)."""

    id: str
    serial: str = ""
    failures: int = 0
    next_at: float = 0.0
    error: str = ""
    noticed: int = 0


class Renewed(msgspec.Struct, frozen=True):
    """What came of one certificate; `error` is empty when it was obtained."""

    name: str
    names: tuple[str, ...]
    error: str = ""


class Certificates:
    """Certificates under `tls` of the host called `hostname`."""

    def __init__(self, administration: Administration, resolver: Resolver, tls: Path, hostname: str) -> None:
        self._administration = administration
        self._settings = administration.settings
        self._resolver = resolver
        self._tls = tls
        self._hostname = hostname

    async def standings(self) -> list[tuple[Standing, State]]:
        """Every certificate that lies here or was tried for, the host's own first."""
        states = await self._states()
        names = dict.fromkeys([*names_at(self._tls), *("" if one == HOST else one for one in states)])
        return [(self._standing(name, states), _state(states, name)) for name in names]

    async def import_pair(self, actor: Actor, chain: bytes, key: bytes, name: str = "") -> Standing:
        """Put a certificate of somebody else's in place: the host's own, or one more called `name`.

        It is shown to clients that ask for one of its names, and never renewed by ACME. Raises InvalidError, OSError.
        """
        require_admin(actor)
        if self._settings.tls.certificate and not name:
            raise InvalidError("MAILSTEAD_TLS_CERTIFICATE names the host's certificate: put it there, or unset it")
        if name and (name.startswith(".") or "/" in name or "." not in name):
            raise InvalidError("A certificate is called by the domain it is for")
        await asyncio.to_thread(install_pair, folder_of(self._tls, name), chain, key)
        await self._remember(State(id=name or HOST))
        await self._administration.audit(actor, "certificate.import", name or self._hostname)
        return self._standing(name, {})

    async def obtain(
        self, actor: Actor, *, only: Sequence[str] = (), force: bool = False, new_key: bool = False
    ) -> list[Renewed]:
        """Obtain what lacks or is due; the rest too with `force`, which also replaces imported ones that are named.

        `only`: names of certificates (`host` is the host's own). Without `new_key` a key is kept over renewals, so that
        TLSA records stay true (RFC 7671 §5.1). One that fails is remembered and tried again later, the others go on.
        Raises InvalidError, CertificatesBusyError, StoreUnavailableError.
        """
        require_admin(actor)
        if not self._settings.acme.directory:
            raise InvalidError("No ACME authority is set: MAILSTEAD_ACME_DIRECTORY")
        folder = self._tls / "acme"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        async with AsyncExitStack() as stack:
            try:
                stack.enter_context(alone(folder, wait=False))
            except BlockingIOError as error:
                raise CertificatesBusyError from error
            domains = [domain.id for domain in await self._administration.directory.find(Domain)]
            wanted = await wanted_certificates(self._settings, self._hostname, domains, self._resolver)
            unknown = set(only) - {one.name or HOST for one in wanted}
            if unknown:
                raise InvalidError(f"No certificate is wanted for {', '.join(sorted(unknown))}")
            states = await self._states()
            results = []
            for one in wanted:
                chosen = not only or (one.name or HOST) in only
                if chosen and self._is_due(one, states, force=force, named=bool(only)):
                    results.append(await self._obtain(actor, one, _state(states, one.name), new_key=new_key))
            return results

    async def noticed(self, name: str, days: int) -> None:
        """Remember that the administrators were told `days` before the end."""
        await self._remember(msgspec.structs.replace(_state(await self._states(), name), noticed=days))

    def _is_due(self, wanted: Wanted, states: dict[str, State], *, force: bool, named: bool) -> bool:
        found, state = self._standing(wanted.name, states), _state(states, wanted.name)
        if found.source == "settings":
            return False
        if force:
            return named or found.source != "imported"
        now = self._administration.clock.now()
        if found.source == "imported" or state.next_at > now:
            return False
        complete = set(wanted.names) <= set(found.names)
        return found.source != "acme" or not complete or found.renew_at <= now

    async def _obtain(self, actor: Actor, wanted: Wanted, state: State, *, new_key: bool) -> Renewed:
        name = wanted.name or HOST
        try:
            serial = await self._ask(wanted, keep_key=bool(state.serial) and not new_key)
        except (MailsteadError, OSError, TimeoutError) as error:
            text = "it took too long" if isinstance(error, TimeoutError) else str(error)[:_TEXT_LIMIT]
            failures = state.failures + 1
            pause = min(_FIRST_RETRY * 2 ** (failures - 1), _LAST_RETRY)
            next_at = self._administration.clock.now() + pause
            await self._remember(msgspec.structs.replace(state, failures=failures, next_at=next_at, error=text))
            log.warning("no certificate", name=name, names=wanted.names, why=text)
            return Renewed(name, wanted.names, text)
        await self._remember(State(id=name, serial=serial))
        await self._administration.audit(actor, "certificate.obtain", name, names=list(wanted.names))
        log.info("certificate obtained", name=name, names=wanted.names)
        return Renewed(name, wanted.names)

    async def _ask(self, wanted: Wanted, *, keep_key: bool) -> str:
        """The whole way with the authority (RFC 8555 §7); returns the new certificate's serial number."""
        from mailstead.foundation.tls.acme import AcmeClient, new_key, signing_request  # noqa: PLC0415 8 MB, used rarely

        settings = self._settings.acme
        folder = folder_of(self._tls, wanted.name)
        kept = await asyncio.to_thread(_read, folder / KEY) if keep_key else b""
        key = kept or new_key()
        client = AcmeClient(settings, self._tls / "acme")
        prover = open_prover(self._settings, self._administration.documents, self._administration.clock)
        async with AsyncExitStack() as stack, asyncio.timeout(settings.timeout):
            order = await asyncio.to_thread(client.order, signing_request(wanted.names, key))
            proofs = await asyncio.to_thread(client.proofs, order)
            for proof in proofs:
                stack.push_async_callback(_withdraw, prover, proof.challenge)
                await prover.show(proof.challenge)
            for proof in proofs:
                await asyncio.to_thread(client.answer, proof)
            for proof in proofs:
                while not await asyncio.to_thread(client.is_proved, proof):  # noqa: ASYNC110 asked again and again
                    await asyncio.sleep(_LOOK_AGAIN)
            chain = await asyncio.to_thread(client.finish, order, settings.timeout)
        certificate = await asyncio.to_thread(install_pair, folder, chain, key)
        return f"{certificate.serial_number:x}"

    def _standing(self, name: str, states: dict[str, State]) -> Standing:
        return standing(self._settings, self._tls, name, _state(states, name).serial)

    async def _states(self) -> dict[str, State]:
        collection = await self._administration.documents.collection(CERTIFICATES)
        return {document["id"]: msgspec.convert(document, State) for document in await collection.find({})}

    async def _remember(self, state: State) -> None:
        collection = await self._administration.documents.collection(CERTIFICATES)
        document: dict[str, object] = msgspec.to_builtins(state)
        try:
            await collection.update(state.id, {name: value for name, value in document.items() if name != "id"})
        except NotFoundError:
            await collection.insert(document)


def _state(states: dict[str, State], name: str) -> State:
    return states.get(name or HOST, State(id=name or HOST))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


async def _withdraw(prover: Prover, challenge: Challenge) -> None:
    try:
        await prover.withdraw(challenge)
    except MailsteadError as error:
        log.warning("proof not taken away", name=challenge.name, why=str(error))
