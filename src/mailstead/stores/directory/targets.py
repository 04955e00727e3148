"""What an alias forwards to: addresses, hosts, webhooks, in any mix.

    target  = address / host / url
    host    = ( name "." name ... / IPv4 / "[" IPv6 "]" ) [ ":" port ]     mail servers of the user's own, port 25
    url     = "https://" ...                                              a webhook

In the targets of a `/regex/` alias `$1` to `$9` stand for what its groups matched. What they matched comes from strangers:
it goes into an address, a host or a URL only as what can be a part of it.
"""

import ipaddress
import re
from collections.abc import Callable
from typing import Literal
from urllib.parse import quote

import msgspec

from mailstead.foundation.errors import InvalidError
from mailstead.foundation.net.http.url import is_url, parse_url
from mailstead.stores.directory.names import InvalidAddressError, domain_name, split_address

TargetKind = Literal["address", "host", "webhook"]
MAIL_PORT = 25

_GROUP = re.compile(r"\$([1-9])")
_DOT_STRING = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*")
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:]+)(?::([0-9]{1,5}))?")


class HostTarget(msgspec.Struct, frozen=True):
    """A mail server: a name or an address without brackets, and a port."""

    host: str
    port: int


def target_kind(text: str) -> TargetKind:
    """What a target is meant as."""
    return "webhook" if is_url(text) else "address" if "@" in text else "host"


def parse_host(text: str) -> HostTarget:
    """The parts of `host[:port]`. Raises InvalidError."""
    refusal = InvalidError(f"{text[:200]}: a target is an address, a host with an optional :PORT, or an https:// URL")
    found = _HOST.fullmatch(text.strip())
    if found is None:
        raise refusal
    port = int(found[2] or MAIL_PORT)
    if not 1 <= port <= 65535:
        raise refusal
    try:
        return HostTarget(str(ipaddress.ip_address(found[1].strip("[]"))), port)
    except ValueError:
        pass
    try:
        name = domain_name(found[1])
    except InvalidAddressError:
        raise refusal from None
    # a single word, and what only looks like an address, is a slip of the pen
    if "." not in name or name.rpartition(".")[2].isdigit():
        raise refusal
    return HostTarget(name, port)


def checked_target(text: str) -> str:
    """A target in the form it is kept in. Raises InvalidError."""
    text = text.strip()
    example = _GROUP.sub("x", text)
    match target_kind(text):
        case "webhook":
            parse_url(example)
        case "address":
            _checked_address(example)
            if example == text:
                return "@".join(split_address(text))
        case "host":
            parse_host(example)
    return text


def _checked_address(text: str) -> str:
    local, _ = split_address(text)
    if text.rpartition("@")[0].startswith('"') or not _DOT_STRING.fullmatch(local):
        raise InvalidAddressError(f"{text}: not an address that mail can be forwarded to")
    return text


def filled(target: str, group: Callable[[int], str]) -> str | None:
    """A target of a `/regex/` alias for one address, `group` gives what matched; None when that makes no target."""
    kind = target_kind(target)

    def part(found: re.Match[str]) -> str:
        matched = group(int(found[1]))
        return quote(matched, safe="") if kind == "webhook" else matched

    made = _GROUP.sub(part, target)
    try:
        if target_kind(made) != kind:
            return None
        match kind:
            case "webhook":
                parse_url(made)
            case "address":
                _checked_address(made)
            case "host":
                parse_host(made)
    except InvalidError:
        return None
    return made


def with_tag(target: str, tag: str) -> str:
    """An address with the +tag of the one that led to it; one that has a tag already keeps that."""
    local, _, domain = target.rpartition("@")
    tagged = f"{local}+{tag}"
    return target if "+" in local or not _DOT_STRING.fullmatch(tagged) else f"{tagged}@{domain}"
