"""Records as domains publish them (RFC 7208 §12).

    record    = "v=spf1" *( 1*SP ( directive / modifier ) ) *SP
    directive = [ "+" / "-" / "?" / "~" ] mechanism
    modifier  = name "=" macro-string

A record with an error anywhere is refused whole (RFC 7208 §4.6).
"""

import ipaddress
import re
from functools import lru_cache
from typing import Literal

import msgspec

from mailstead.mail.authentication.spf.errors import SpfSyntaxError
from mailstead.mail.authentication.spf.macro import Macro, MacroString, parse_macro_string
from mailstead.mail.authentication.spf.result import Outcome

Kind = Literal["all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_VERSION = re.compile(r"v=spf1(?: |\Z)", re.IGNORECASE)
_MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9_.-]*)=(.*)", re.DOTALL)
_DIRECTIVE = re.compile(r"([+?~-]?)(all|include|a|mx|ptr|ip4|ip6|exists)(?=[:/]|\Z)(.*)", re.IGNORECASE | re.DOTALL)
_CIDR = re.compile(r"(?:/(0|[1-9][0-9]?))?(?://(0|[1-9][0-9]{0,2}))?\Z")
_CIDR_START = re.compile(r"(?:/[0-9]*)?(?://[0-9]*)?\Z")
_TOP_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")
_QUALIFIERS: dict[str, Outcome] = {"": "pass", "+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}
_CACHED_SIZE = 1024
_TERMS_LIMIT = 10_000  # a record of 64 KiB cannot mean more


class Directive(msgspec.Struct, frozen=True):
    """A mechanism with the result it stands for; `domain` () where the domain under evaluation is meant."""

    kind: Kind
    qualifier: Outcome
    text: str
    domain: MacroString = ()
    network: Network | None = None
    prefix4: int = 32
    prefix6: int = 128


class Record(msgspec.Struct, frozen=True):
    """A record that was read."""

    directives: tuple[Directive, ...]
    redirect: MacroString = ()
    explanation: MacroString = ()


def is_spf_record(text: str) -> bool:
    """Whether a TXT record is one of SPF (RFC 7208 §4.5)."""
    return _VERSION.match(text) is not None


def parse_record(text: str) -> Record:
    """The record that `text` is. Raises SpfSyntaxError."""
    return _parse_cached(text) if len(text) <= _CACHED_SIZE else _parse(text)


@lru_cache(maxsize=1024)
def _parse_cached(text: str) -> Record:
    return _parse(text)


def _parse(text: str) -> Record:
    if not is_spf_record(text):
        raise SpfSyntaxError("does not begin with v=spf1")
    directives: list[Directive] = []
    redirect: MacroString = ()
    explanation: MacroString = ()
    terms = text[len("v=spf1") :].split(" ")
    if len(terms) > _TERMS_LIMIT:
        raise SpfSyntaxError("too many terms")
    for term in terms:
        if not term:
            continue
        directive = _directive(term)
        if directive is not None:
            directives.append(directive)
            continue
        modifier = _MODIFIER.fullmatch(term)
        if modifier is None:
            raise SpfSyntaxError(f"{term[:100]!r} is not a term")
        match modifier[1].lower():
            case "redirect":
                if redirect:
                    raise SpfSyntaxError("redirect= twice")
                redirect = _domain_spec(modifier[2])
            case "exp":
                if explanation:
                    raise SpfSyntaxError("exp= twice")
                explanation = _domain_spec(modifier[2])
            case _:
                parse_macro_string(modifier[2])  # an unknown modifier has to be well-formed (RFC 7208 §6)
    return Record(tuple(directives), redirect, explanation)


def _directive(term: str) -> Directive | None:
    found = _DIRECTIVE.fullmatch(term)
    if found is None:
        return None
    qualifier, kind, rest = _QUALIFIERS[found[1]], found[2].lower(), found[3]
    match kind:
        case "all":
            if rest:
                raise SpfSyntaxError(f"{term[:100]!r}: all takes nothing")
            return Directive("all", qualifier, term)
        case "ip4" | "ip6":
            return Directive("ip4" if kind == "ip4" else "ip6", qualifier, term, network=_network(kind, rest))
        case "include" | "exists":
            if not rest.startswith(":"):
                raise SpfSyntaxError(f"{term[:100]!r}: needs a domain")
            return Directive("include" if kind == "include" else "exists", qualifier, term, _domain_spec(rest[1:]))
        case "ptr":
            if rest and not rest.startswith(":"):
                raise SpfSyntaxError(f"{term[:100]!r}: takes no prefix length")
            return Directive("ptr", qualifier, term, _domain_spec(rest[1:]) if rest else ())
        case _:
            domain, prefix4, prefix6 = _domain_and_prefixes(rest)
            return Directive("a" if kind == "a" else "mx", qualifier, term, domain, prefix4=prefix4, prefix6=prefix6)


def _domain_and_prefixes(rest: str) -> tuple[MacroString, int, int]:
    """`[":" domain-spec] [dual-cidr-length]`."""
    start = _CIDR_START.search(rest)
    assert start is not None
    prefixes = _CIDR.fullmatch(rest, start.start())
    if prefixes is None:
        raise SpfSyntaxError(f"{rest[start.start() :]!r} is no prefix length")
    prefix4, prefix6 = int(prefixes[1] or 32), int(prefixes[2] or 128)
    if prefix4 > 32 or prefix6 > 128:
        raise SpfSyntaxError(f"{rest[start.start() :]!r} is no prefix length")
    spec = rest[: start.start()]
    if not spec:
        return (), prefix4, prefix6
    if not spec.startswith(":"):
        raise SpfSyntaxError(f"{spec[:100]!r} is not a domain")
    return _domain_spec(spec[1:]), prefix4, prefix6


def _domain_spec(text: str) -> MacroString:
    """`macro-string ( "." toplabel [ "." ] / macro-expand )`."""
    parsed = parse_macro_string(text)
    if not parsed:
        raise SpfSyntaxError("a domain lacks")
    if isinstance(parsed[-1], Macro) or text.endswith(("%%", "%_", "%-")):
        return parsed
    _, dot, top = text.removesuffix(".").rpartition(".")
    if not dot or top.isdigit() or _TOP_LABEL.fullmatch(top) is None:
        raise SpfSyntaxError(f"{text[:100]!r} is not a domain")
    return parsed


def _network(kind: str, rest: str) -> Network:
    address, slash, prefix = rest.removeprefix(":").partition("/")
    if not rest.startswith(":") or (slash and not re.fullmatch(r"0|[1-9][0-9]{0,2}", prefix)):
        raise SpfSyntaxError(f"{rest[:100]!r} is not a network")
    try:
        if kind == "ip4":
            return ipaddress.IPv4Network(f"{address}/{prefix or 32}", strict=False)
        return ipaddress.IPv6Network(f"{address}/{prefix or 128}", strict=False)
    except ValueError as error:
        raise SpfSyntaxError(f"{rest[:100]!r} is not a network") from error
