"""Connections, senders and recipients: what is decided before a message is sent."""

import asyncio
from typing import Literal

import structlog

from mailstead.foundation.clock import Clock
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.dns.answer import ResolutionError
from mailstead.foundation.net.limits import Networks, address_group
from mailstead.mail.authentication.resolving import Resolving, lookup
from mailstead.mail.authentication.spf.check import Client, check_spf, client_address
from mailstead.mail.authentication.spf.result import SpfResult
from mailstead.mail.screening.gateway import Gateways
from mailstead.mail.screening.greylist import Greylist
from mailstead.mail.screening.hello import HelloOutcome, hello_outcome
from mailstead.mail.screening.limits import Limits
from mailstead.mail.screening.lists import DnsLists
from mailstead.mail.screening.refusal import Refusal, sayable
from mailstead.mail.screening.reputation import Reputation
from mailstead.mail.screening.reverse import looks_dynamic, reverse_name
from mailstead.mail.screening.visit import ClientFacts, Visit
from mailstead.stores.bus.interface import Bus
from mailstead.stores.directory.access import AccessEntry, narrowest
from mailstead.stores.directory.directory import Directory
from mailstead.stores.documents.interface import Documents

log = structlog.get_logger("mailstead.screening")
_PATIENT_FOR = 7 * 86400.0
_EARLY = Refusal(554, "5.5.1", "Talked before the greeting", closes=True)
_SenderProblem = Literal["", "nxdomain", "null"]


class Admission:
    """One for all connections of a service."""

    def __init__(
        self,
        resolver: Resolving,
        directory: Directory,
        bus: Bus,
        documents: Documents,
        settings: Settings,
        hostname: str,
        clock: Clock,
        reputation: Reputation,
    ) -> None:
        self._resolver = resolver
        self._directory = directory
        self._bus = bus
        self._settings = settings.screening
        self._greylist_mode = settings.greylist.mode
        self._spf_timeout = settings.authentication.spf_timeout
        self._hostname = hostname
        self._clock = clock
        self._exempt = Networks(settings.screening.exempt)
        self._blocklists = DnsLists(resolver, settings.screening.blocklists)
        self._allowlists = DnsLists(resolver, settings.screening.allowlists)
        self._limits = Limits(bus, settings.screening)
        self._gateways = Gateways(documents, bus, settings.screening, clock)
        self._greylist = Greylist(documents, settings.greylist, clock)
        self._reputation = reputation

    @property
    def refusing_lists(self) -> frozenset[str]:
        """Lists in DNS that do not answer us."""
        return self._blocklists.refusing | self._allowlists.refusing

    # the connection

    def visit(self, address: str, *, is_own: bool) -> Visit:
        """A connection begins; looking up its client begins, too."""
        is_exempt = is_own or address in self._exempt or not _is_address(address)
        visit = Visit(address, is_exempt=is_exempt, is_own=is_own)
        if not is_exempt:
            visit.look_up(asyncio.get_running_loop().create_task(self._look_up(address)))
        return visit

    async def _look_up(self, address: str) -> ClientFacts:
        try:
            async with asyncio.timeout(self._settings.lookup_timeout):
                return ClientFacts(
                    *await asyncio.gather(
                        reverse_name(self._resolver, address),
                        self._blocklists.find(address),
                        self._allowlists.find(address),
                    )
                )
        except TimeoutError:
            log.info("questions about a client took too long", client=address)
            return ClientFacts()

    async def connection(self, visit: Visit) -> Refusal | None:
        """Why the client is not listened to at all, or None."""
        if visit.is_own:
            return None
        entry = (await self._directory.access("")).of_client(visit.address)
        if entry is not None and entry.verdict == "deny":
            return Refusal(
                554, "5.7.1", f"Mail from {visit.address} is not taken here", closes=True, words=_because(entry)
            )
        if visit.is_exempt:
            return None
        visit.is_hidden = await self._gateways.is_known(visit.address)
        return None if visit.is_hidden else await self._limits.guesses(visit.address)

    async def greet_delay(self, visit: Visit) -> float:
        """Seconds that the client has to wait for the greeting: none when it did before."""
        if visit.is_exempt or visit.is_hidden or not self._settings.greet_delay:
            return 0.0
        known = await self._bus.fetch(_patient(visit))
        return 0.0 if known is not None else self._settings.greet_delay

    async def waited(self, visit: Visit, *, talked: bool) -> Refusal | None:
        """What the client did in that time, and why that is the end of it, or None."""
        visit.talked_early = talked
        if not talked:
            await self._bus.store(_patient(visit), b"1", _PATIENT_FOR)
            return None
        return _EARLY if self._settings.on_early_talk == "refuse" else None

    # the sender

    async def sender(self, visit: Visit, sender: str) -> Refusal | None:
        """Why a message of this sender is not taken now, or None."""
        visit.begin_message()
        if visit.is_exempt:
            return None
        visit.is_hidden = visit.is_hidden or await self._gateways.is_known(visit.address)
        return await self._limits.message(visit.address, sender.rpartition("@")[2].lower(), is_hidden=visit.is_hidden)

    # the recipient

    async def unknown_recipient(self, visit: Visit) -> Refusal | None:
        """The client named a recipient who does not exist; why that is too much, or None."""
        if visit.is_exempt or visit.is_hidden:
            return None
        return await self._limits.unknown_recipient(visit.address)

    async def recipient(self, visit: Visit, hello: str, sender: str, recipient: str) -> Refusal | None:
        """Why the recipient, who exists, does not get mail of this sender from this client, or None."""
        if visit.is_own:
            return None
        if not visit.is_exempt and not visit.is_hidden:
            visit.is_hidden = await self._gateways.greeted(visit.address, hello)
        facts = await visit.facts()
        entry = await self._entry(visit, facts, sender, recipient.rpartition("@")[2])
        if entry is not None and entry.verdict == "deny":
            named = sayable(sender or visit.address)
            return Refusal(550, "5.7.1", f"<{sayable(recipient)}> takes no mail from {named}", words=_because(entry))
        if entry is not None and await self._is_proven(visit, hello, sender, entry):
            visit.allowed.add(recipient)
            return None
        if visit.is_exempt:
            return None
        if visit.is_hidden:  # what the address did may be anybody's doing
            return await self._false_name(hello, facts) or await self._no_sender(visit, sender)
        return (
            await self._limits.recipient(visit.address)
            or self._listed(visit, facts)
            or self._nameless(visit, facts)
            or await self._false_name(hello, facts)
            or await self._no_sender(visit, sender)
            or await self._unknown(visit, hello, sender, recipient, facts)
        )

    async def _entry(self, visit: Visit, facts: ClientFacts, sender: str, domain: str) -> AccessEntry | None:
        """The entry that decides: the domain's own before the server's."""
        for scope in (domain.lower(), ""):
            index = await self._directory.access(scope)
            if not index:
                continue
            found = narrowest(
                (
                    index.of_sender(sender) if sender else None,
                    index.of_host(facts.reverse.name) if facts.reverse.name else None,
                    index.of_client(visit.address),
                )
            )
            if found is not None:
                return found
        return None

    async def _is_proven(self, visit: Visit, hello: str, sender: str, entry: AccessEntry) -> bool:
        """Whether what an entry allows is who sends: an address is seen, a sender's name has to be proven by SPF."""
        if entry.kind == "network":
            return True
        host = visit.known_facts.reverse.name
        if entry.kind == "domain" and host and (host == entry.value or host.endswith(f".{entry.value}")):
            return True
        return (await self.spf(visit, hello, sender)).result == "pass"

    async def spf(self, visit: Visit, hello: str, sender: str) -> SpfResult:
        """SPF of the sender, looked at once in a visit."""
        key = (hello, sender)
        if key not in visit.spf:
            if visit.is_hidden or not _is_address(visit.address):
                return SpfResult("none", "")
            client = Client(client_address(visit.address), hello, sender, self._hostname)
            visit.spf[key] = await check_spf(self._resolver, client, now=self._clock.now(), timeout=self._spf_timeout)
        return visit.spf[key]

    def _listed(self, visit: Visit, facts: ClientFacts) -> Refusal | None:
        if not facts.blocked or facts.vouched or self._settings.on_blocklist != "refuse":
            return None
        zone = facts.blocked[0].zone
        return Refusal(550, "5.7.1", f"{visit.address} is on the blocklist {zone}, ask there why")

    def _nameless(self, visit: Visit, facts: ClientFacts) -> Refusal | None:
        if self._settings.on_reverse != "refuse" or facts.reverse.outcome == "confirmed":
            return None
        if facts.reverse.outcome == "unknown":
            return Refusal(450, "4.7.25", f"The host name of {visit.address} cannot be looked up now")  # RFC 7372 §3.3
        return Refusal(550, "5.7.25", f"{visit.address} has no host name that leads back to it")

    async def hello(self, hello: str, facts: ClientFacts) -> HelloOutcome:
        """What the greeting says about the client."""
        return await hello_outcome(hello, facts.reverse, self._hostname, self._directory.is_local_domain)

    async def _false_name(self, hello: str, facts: ClientFacts) -> Refusal | None:
        if self._settings.on_hello != "refuse" or await self.hello(hello, facts) != "ours":
            return None
        return Refusal(550, "5.7.1", f"{sayable(hello)} is not your name but ours")

    async def sender_problem(self, visit: Visit, sender: str) -> str:
        """Why nobody could answer the sender: its domain does not exist (nxdomain) or takes no mail (null), or ""."""
        domain = sender.rpartition("@")[2].lower()
        if not domain or domain.startswith("[") or self._settings.on_sender_domain == "off":
            return ""
        if domain not in visit.sender_problem:
            visit.sender_problem[domain] = await self._domain_problem(domain)
        return visit.sender_problem[domain]

    async def _domain_problem(self, domain: str) -> _SenderProblem:
        try:
            answer = await lookup(self._resolver, domain, "MX")
            if answer.outcome == "nxdomain":
                return "nxdomain"
            # RFC 7505 §3: one MX of preference 0 with the root as host
            if answer.records and all(record.partition(" ")[2] == "." for record in answer.records):
                return "null"
        except ResolutionError:
            pass  # nothing is known: counts for nothing
        return ""

    async def _no_sender(self, visit: Visit, sender: str) -> Refusal | None:
        if self._settings.on_sender_domain != "refuse":
            return None
        domain = sayable(sender.rpartition("@")[2])
        match await self.sender_problem(visit, sender):
            case "nxdomain":
                return Refusal(550, "5.1.8", f"The sender's domain {domain} does not exist")
            case "null":
                return Refusal(550, "5.7.27", f"The sender's domain {domain} takes no mail")  # RFC 7505 §4.2
            case _:
                return None

    async def _unknown(
        self, visit: Visit, hello: str, sender: str, recipient: str, facts: ClientFacts
    ) -> Refusal | None:
        if self._greylist_mode == "off":
            return None
        domain = sender.rpartition("@")[2].lower()
        spf = await self.spf(visit, hello, sender)
        is_proven = spf.result == "pass"
        if is_proven and (facts.vouched or await self._reputation.knows_good(f"domain:{domain}")):
            return None
        if self._greylist_mode == "suspicious" and not await self._is_suspicious(visit, hello, spf, facts):
            return None
        return await self._greylist.refusal(visit.address, domain, recipient)

    async def _is_suspicious(self, visit: Visit, hello: str, spf: SpfResult, facts: ClientFacts) -> bool:
        return (
            facts.reverse.outcome in ("none", "unconfirmed")
            or bool(facts.blocked)
            or spf.result in ("fail", "softfail")
            or visit.talked_early
            or looks_dynamic(facts.reverse.name, visit.address)
            or await self.hello(hello, facts) in ("ours", "bare", "address")
        )


def _patient(visit: Visit) -> str:
    return f"screening.patient.{address_group(visit.address)}"


def _because(entry: AccessEntry) -> str:
    whose = f"the list of {entry.scope}" if entry.scope else "the server's list"
    note = f" ({entry.note})" if entry.note else ""
    return f"{whose} {'allows' if entry.verdict == 'allow' else 'denies'} {entry.value}{note}"


def _is_address(text: str) -> bool:
    try:
        client_address(text)
    except ValueError:
        return False
    return True
