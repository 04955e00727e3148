"""check_host (RFC 7208 §4)."""

import asyncio
import ipaddress
import re
from collections.abc import Mapping
from typing import Literal

import msgspec

from mailstead.foundation.dns.answer import Answer, ResolutionError
from mailstead.mail.authentication.resolving import Resolving, lookup
from mailstead.mail.authentication.spf.errors import SpfSyntaxError
from mailstead.mail.authentication.spf.macro import MacroString, expand, fitted, letters, parse_macro_string
from mailstead.mail.authentication.spf.record import Directive, Record, is_spf_record, parse_record
from mailstead.mail.authentication.spf.result import Outcome, SpfResult

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_LOOKUPS_LIMIT = 10  # RFC 7208 §4.6.4: terms that ask DNS
_VOID_LIMIT = 2  # of them without an answer
_HOSTS_LIMIT = 10  # MX hosts and PTR names looked at per term
_EXPLANATION_LIMIT = 512
_LABELS = re.compile(r"(?=.{1,253}\Z)(?:[!-\-/-~]{1,63}\.)+[!-\-/-~]{1,63}")


class Client(msgspec.Struct, frozen=True):
    """Who sends: address, greeting, and the envelope's sender ("" for the null one); `host` is who receives."""

    address: Address
    helo: str
    sender: str
    host: str = "unknown"


class _PermanentError(Exception):
    """The records cannot be interpreted."""


def client_address(text: str) -> Address:
    """The address, an IPv4 one written as IPv6 as IPv4 (RFC 7208 §5). Raises ValueError."""
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            address = ipaddress.IPv6Address(int(address))
        return address.ipv4_mapped or address
    return address


async def check_spf(resolver: Resolving, client: Client, *, now: float, timeout: float) -> SpfResult:
    """Whether `client` may send for the domain of its sender, of its greeting when the sender is null (RFC 7208 §2.4).

    `now` is the time that `%{t}` tells; an evaluation that takes longer than `timeout` seconds is a temperror. Raises
    nothing of its own.
    """
    identity: Literal["mailfrom", "helo"] = "mailfrom" if client.sender else "helo"
    sender = client.sender or f"postmaster@{client.helo}"
    local, _, domain = sender.rpartition("@")
    evaluation = _Evaluation(resolver, client, local or "postmaster", domain, now)
    if not _is_domain(domain):
        return SpfResult("none", domain, identity, reason="not a domain name")
    try:
        async with asyncio.timeout(timeout):
            result, reason, explanation = await evaluation.run(domain)
    except TimeoutError:
        return SpfResult("temperror", domain, identity, reason="took too long")
    except ResolutionError as error:
        return SpfResult("temperror", domain, identity, reason=str(error))
    except _PermanentError as error:
        return SpfResult("permerror", domain, identity, reason=str(error))
    return SpfResult(result, domain, identity, explanation, reason)


def _is_domain(domain: str) -> bool:
    """Of several labels that fit into DNS (RFC 7208 §4.3)."""
    try:
        ascii_form = domain if domain.isascii() else domain.encode("idna").decode("ascii")
    except UnicodeError:
        return False
    return _LABELS.fullmatch(ascii_form.removesuffix(".")) is not None


class _Evaluation:
    """One evaluation with all that is included."""

    def __init__(self, resolver: Resolving, client: Client, local: str, sender_domain: str, now: float) -> None:
        self._resolver = resolver
        self._client = client
        self._local = local
        self._sender_domain = sender_domain
        self._now = now
        self._kind = "A" if client.address.version == 4 else "AAAA"
        self._lookups = 0
        self._voids = 0
        self._validated: list[str] | None = None

    async def run(self, domain: str) -> tuple[Outcome, str, str | None]:
        """Result, what led to it, and for a fail the domain's explanation. Raises ResolutionError, _PermanentError."""
        while True:
            record = await self._record(domain)
            if record is None:
                return "none", f"{domain} has no SPF record", None
            for directive in record.directives:
                if await self._matches(directive, domain):
                    explanation = None
                    if directive.qualifier == "fail" and record.explanation:
                        explanation = await self._explanation(record.explanation, domain)
                    return directive.qualifier, f"{directive.text} of {domain}", explanation
            if not record.redirect:
                return "neutral", f"nothing in the record of {domain} matches", None
            domain = await self._redirected(record, domain)

    async def _redirected(self, record: Record, domain: str) -> str:
        """RFC 7208 §6.1."""
        self._count()
        target = await self._expanded(record.redirect, domain)
        if target is None or not _is_domain(target) or await self._record(target) is None:
            raise _PermanentError(f"{domain} redirects to {target}, which has no SPF record")
        return target

    async def _record(self, domain: str) -> Record | None:
        answer = await lookup(self._resolver, domain, "TXT")
        found = [text for text in answer.records if is_spf_record(text)]
        if not found:
            return None
        if len(found) > 1:
            raise _PermanentError(f"{domain} has {len(found)} SPF records")
        try:
            return parse_record(found[0])
        except SpfSyntaxError as error:
            raise _PermanentError(f"record of {domain}: {error}") from error

    async def _matches(self, directive: Directive, domain: str) -> bool:
        match directive.kind:
            case "all":
                return True
            case "ip4" | "ip6":
                network = directive.network
                assert network is not None
                return network.version == self._client.address.version and self._client.address in network
        self._count()
        target: str | None = domain
        if directive.domain:
            target = await self._expanded(directive.domain, domain)
            if target is None:
                return False
        assert target is not None
        match directive.kind:
            case "include":
                return await self._included(target, domain)
            case "a":
                return self._is_among((await self._asked(target, self._kind)).records, directive)
            case "mx":
                return await self._is_exchanger(target, directive)
            case "ptr":
                return await self._is_named(target)
            case _:
                return (await self._asked(target, "A")).outcome == "found"

    async def _included(self, target: str, domain: str) -> bool:
        """RFC 7208 §5.2."""
        result, _, _ = await self.run(target) if _is_domain(target) else ("none", "", None)
        if result == "none":
            raise _PermanentError(f"{domain} includes {target}, which has no SPF record")
        return result == "pass"

    async def _is_exchanger(self, target: str, directive: Directive) -> bool:
        """RFC 7208 §5.4."""
        records = (await self._asked(target, "MX")).records
        if len(records) > _HOSTS_LIMIT:
            raise _PermanentError(f"{target} has {len(records)} mail exchangers")
        for record in records:
            host = record.partition(" ")[2].removesuffix(".")
            if host and self._is_among((await lookup(self._resolver, host, self._kind)).records, directive):
                return True
        return False

    async def _is_named(self, target: str) -> bool:
        """RFC 7208 §5.5: an error of DNS is no match."""
        target = target.lower().removesuffix(".")
        return any(name == target or name.endswith("." + target) for name in await self._validated_names(count=True))

    async def _validated_names(self, *, count: bool) -> list[str]:
        if self._validated is None:
            self._validated = []
            try:
                answer = await lookup(self._resolver, self._client.address.reverse_pointer, "PTR")
            except ResolutionError:
                return []
            if count:
                self._count_void(answer)
            for record in answer.records[:_HOSTS_LIMIT]:
                name = record.lower().removesuffix(".")
                try:
                    found = await lookup(self._resolver, name, self._kind)
                except ResolutionError:
                    continue
                if any(ipaddress.ip_address(address) == self._client.address for address in found.records):
                    self._validated.append(name)
        return self._validated

    def _is_among(self, records: tuple[str, ...], directive: Directive) -> bool:
        prefix = directive.prefix4 if self._client.address.version == 4 else directive.prefix6
        return any(
            self._client.address in ipaddress.ip_network(f"{address}/{prefix}", strict=False) for address in records
        )

    async def _asked(self, name: str, kind: str) -> Answer:
        answer = await lookup(self._resolver, name, kind, spaces=True)
        self._count_void(answer)
        return answer

    def _count(self) -> None:
        self._lookups += 1
        if self._lookups > _LOOKUPS_LIMIT:
            raise _PermanentError(f"more than {_LOOKUPS_LIMIT} terms that ask DNS")

    def _count_void(self, answer: Answer) -> None:
        if answer.outcome != "found":
            self._voids += 1
            if self._voids > _VOID_LIMIT:
                raise _PermanentError(f"more than {_VOID_LIMIT} lookups without an answer")

    async def _expanded(self, parsed: MacroString, domain: str) -> str | None:
        """The name meant; None when the sender's local part cannot be part of a name (RFC 8616 §4)."""
        used = letters(parsed)
        if not self._local.isascii() and used & {"s", "l"}:
            return None
        return fitted(expand(parsed, await self._values(used, domain)))

    async def _values(self, used: frozenset[str], domain: str) -> Mapping[str, str]:
        address = self._client.address
        dotted = str(address) if address.version == 4 else ".".join(address.exploded.replace(":", "").upper())
        return {
            "s": f"{self._local}@{self._sender_domain}",
            "l": self._local,
            "o": self._sender_domain,
            "d": domain,
            "i": dotted,
            "p": await self._validated_name(domain) if "p" in used else "",
            "v": "in-addr" if address.version == 4 else "ip6",
            "h": self._client.helo,
            "c": str(address),
            "r": self._client.host,
            "t": str(int(self._now)),
        }

    async def _validated_name(self, domain: str) -> str:
        """RFC 7208 §7.3: the domain itself before a name below it before any other."""
        domain = domain.lower().removesuffix(".")
        names = await self._validated_names(count=False)
        below = [name for name in names if name.endswith("." + domain)]
        return domain if domain in names else (below or names or ["unknown"])[0]

    async def _explanation(self, parsed: MacroString, domain: str) -> str | None:
        """RFC 7208 §6.2: any error on the way means that there is none."""
        try:
            target = await self._expanded(parsed, domain)
            records = (await lookup(self._resolver, target, "TXT", spaces=True)).records if target else ()
            if len(records) != 1 or not records[0].isascii():
                return None
            explanation = parse_macro_string(records[0], explanation=True)
        except (ResolutionError, SpfSyntaxError):
            return None
        text = expand(explanation, await self._values(letters(explanation), domain))[:_EXPLANATION_LIMIT]
        return text if text.isascii() and text.isprintable() else None
