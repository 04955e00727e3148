"""Paths and mailboxes, strictly by the grammar (RFC 5321 §4.1.2, §4.1.3, RFC 6531 §3.3).

    path    = "<" [ source-route ":" ] mailbox ">"          source-route = "@" domain *( "," "@" domain )
    mailbox = local-part "@" ( domain / address-literal )   local-part = dot-string / quoted-string
    domain  = sub-domain *( "." sub-domain )                sub-domain = let-dig [ ldh-str ]

With SMTPUTF8 atoms, quoted strings and sub-domains may hold characters beyond ASCII; control characters never.
"""

import ipaddress
import re

LOCAL_PART_LIMIT = 64  # octets, RFC 5321 §4.5.3.1.1
DOMAIN_LIMIT = 255
PATH_LIMIT = 256
_LABEL_LIMIT = 63
_REWRITTEN = re.compile(r'"?srs[01][=+-]', re.IGNORECASE)

_BEYOND = "\u00a0-\u2027\u202a-\ud7ff\ue000-\U0010ffff"  # no C1 controls, no line and paragraph separators
_ATEXT = r"A-Za-z0-9!#$%&'*+/=?^_`{|}~\-"
_LET_DIG = "A-Za-z0-9"


def _mailbox(beyond: str) -> str:
    atom = f"[{_ATEXT}{beyond}]+"
    quoted = rf'"(?:[ !#-\[\]-~{beyond}]|\\[ -~])*"'
    return rf"(?P<local>{atom}(?:\.{atom})*|{quoted})@(?P<domain>{_domain(beyond)}|\[[!-Z^-~]{{1,250}}\])"


def _domain(beyond: str) -> str:
    label = f"[{_LET_DIG}{beyond}](?:[{_LET_DIG}{beyond}-]*[{_LET_DIG}{beyond}])?"
    return rf"{label}(?:\.{label})*"


_ROUTE = rf"(?:@{_domain('')}(?:,@{_domain('')})*:)?"
_PATHS = {utf8: re.compile(f"<{_ROUTE}{_mailbox(_BEYOND if utf8 else '')}>") for utf8 in (False, True)}
_DOMAINS = {utf8: re.compile(_domain(_BEYOND if utf8 else "")) for utf8 in (False, True)}
_IPV4 = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_GENERAL = re.compile(r"[A-Za-z0-9-]*[A-Za-z0-9]:[!-Z^-~]+")


def is_domain(text: str, *, utf8: bool = False) -> bool:
    """Whether `text` is a domain of the grammar, within its limits of length."""
    if len(text) > DOMAIN_LIMIT or not _DOMAINS[utf8].fullmatch(text):
        return False
    return all(len(label.encode()) <= _LABEL_LIMIT for label in text.split("."))


def is_address_literal(text: str) -> bool:
    """Whether `text` is `[192.0.2.1]`, `[IPv6:2001:db8::1]` or another tagged literal."""
    inner = text[1:-1]
    if text[:1] != "[" or text[-1:] != "]":
        return False
    try:
        if _IPV4.fullmatch(inner):
            ipaddress.IPv4Address(inner)
            return True
        if inner[:5].lower() == "ipv6:":
            return "%" not in inner and ipaddress.IPv6Address(inner[5:]) is not None
    except ValueError:
        return False
    return _GENERAL.fullmatch(inner) is not None


def split_path(text: str, *, utf8: bool) -> tuple[str, str] | None:
    """The mailbox of the path that `text` begins with, and the rest; None when it is no path.

    A source route is accepted and left out (RFC 5321 §4.1.1.3). `<>` and `<Postmaster>` are the caller's.
    """
    found = _PATHS[utf8].match(text)
    if found is None:
        return None
    local, domain = found["local"], found["domain"]
    # rewritten return paths of forwarded mail hold a whole address: they have the room of a path
    room = PATH_LIMIT if _REWRITTEN.match(local) else LOCAL_PART_LIMIT
    if len(local.encode()) > room or len(local.encode()) + len(domain.encode()) + 3 > PATH_LIMIT:
        return None
    if not (is_address_literal(domain) if domain[0] == "[" else is_domain(domain, utf8=utf8)):
        return None
    return f"{local}@{domain}", text[found.end() :]


def address_literal(address: str) -> str:
    """`address` as a literal: `[192.0.2.1]` or `[IPv6:2001:db8::1]`."""
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"
