"""What is asked when somebody submits a message, over SMTP or in the web: may this go out, and when."""

from collections.abc import Sequence

from mailstead.foundation.clock import Clock
from mailstead.foundation.config.sections.sending import SendingSettings
from mailstead.foundation.dns.resolver import Resolver
from mailstead.foundation.errors import InvalidError, PermissionDeniedError
from mailstead.mail.sending.limits import SendingLimits, Use
from mailstead.mail.sending.proof import Proofs, is_special_use
from mailstead.mail.sending.suppression import SuppressionList
from mailstead.mail.sending.unsubscribe import unsubscribe_fields
from mailstead.stores.bus.interface import Bus
from mailstead.stores.directory.directory import Directory
from mailstead.stores.directory.names import InvalidAddressError
from mailstead.stores.documents.interface import Documents


class UnprovedDomainError(PermissionDeniedError):
    """DNS does not show that the domain's mail comes from here."""

    public_text = "The domain may not send to others yet"


class TooFarAheadError(InvalidError):
    """A message may not wait so long (RFC 4865 §4.2)."""

    public_text = "The message is to be sent too far in the future"


class SendingPolicy:
    """The rules of this installation. `sender` is the return path, or the account's address for the null one."""

    def __init__(
        self,
        directory: Directory,
        documents: Documents,
        bus: Bus,
        resolver: Resolver,
        settings: SendingSettings,
        hostname: str,
        clock: Clock,
        *,
        is_relayed: bool = False,
    ) -> None:
        self._directory = directory
        self._settings = settings
        self._hostname = hostname
        self._clock = clock
        self.limits = SendingLimits(directory, documents, bus, settings, clock)
        self.suppressions = SuppressionList(documents, settings, clock)
        self.proofs = Proofs(directory, bus, resolver, hostname, clock, is_relayed=is_relayed)

    async def check_recipient(self, account: str, sender: str, recipient: str) -> None:
        """Whether mail may go to a recipient elsewhere; nothing is counted yet.

        Raises UnprovedDomainError, SuppressedError, StoreUnavailableError.
        """
        domain = _domain(sender or account)
        await self._check_proof(domain)
        await self.suppressions.check(domain, recipient)

    async def _check_proof(self, name: str) -> None:
        if self._settings.dns != "require" or is_special_use(name):
            return
        domain = await self._directory.domain(name)
        if domain is None or await self.proofs.is_proved(domain, self._settings.dns_grace):
            return
        current = await self._directory.domain(name)
        lacking = current.proof.lacking if current is not None else ()
        if lacking:
            raise UnprovedDomainError(f"{name} may not send to others yet, DNS lacks: {'; '.join(lacking[:3])}"[:400])

    async def concern(self, sender: str) -> str:
        """What the trace is told where unproved domains may send; "" when there is nothing to tell."""
        name = _domain(sender)
        domain = None if self._settings.dns != "tell" or is_special_use(name) else await self._directory.domain(name)
        if domain is None or await self.proofs.is_proved(domain, self._settings.dns_grace):
            return ""
        current = await self._directory.domain(name)
        lacking = current.proof.lacking if current is not None else ()
        return f"others may not believe mail of {name}, DNS lacks: {'; '.join(lacking[:3])}" if lacking else ""

    async def charge(self, account: str, sender: str, recipients: Sequence[str]) -> None:
        """Count a message to so many recipients elsewhere. Raises SendingLimitError, BusLostError."""
        await self.limits.charge(account, _domain(sender or account), len(recipients))

    def added_fields(self, header: bytes, sender: str, recipients: Sequence[str]) -> bytes:
        """Fields that submission puts before a message's header: those of bulk mail, where the setting says so."""
        if not self._settings.list_unsubscribe:
            return b""
        secret = self._directory.unsubscribe_secret
        return unsubscribe_fields(secret, self._hostname, header, sender, recipients)

    async def use(self, account: str) -> list[Use]:
        """What an account and its domain sent today."""
        return await self.limits.use(account, _domain(account))

    async def release_at(self, account: str, asked: float = 0.0) -> float:
        """When a message of `account` is let go, which `asked` for a time or for none (0).

        Raises TooFarAheadError.
        """
        now = self._clock.now()
        if asked > now + self._settings.future_release:
            raise TooFarAheadError
        try:
            alias = await self._directory.alias(account)
        except InvalidAddressError:
            alias = None
        own = alias.undo if alias is not None else None
        undo = self._settings.undo if own is None else own
        return max(asked, now + undo if undo > 0 else 0.0)


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()
