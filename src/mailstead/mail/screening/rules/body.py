"""What text, links and attachments say."""

import ipaddress
import re
from urllib.parse import urlsplit

from mailstead.mail.authentication.dmarc.organization import organizational_domain
from mailstead.mail.screening.case import Case
from mailstead.mail.screening.rules.rule import Rule

GTUBE = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
_READ = 32 * 1024
_SHORTENERS = frozenset(
    [
        "bit.ly",
        "tinyurl.com",
        "goo.gl",
        "t.co",
        "is.gd",
        "ow.ly",
        "buff.ly",
        "cutt.ly",
        "rb.gy",
        "shorturl.at",
        "tiny.cc",
        "clck.ru",
        "rebrand.ly",
        "s.id",
    ]
)
_SHOWN_HOST = re.compile(r"(?:https?://)?((?:[a-z0-9-]{1,63}\.){1,6}[a-z]{2,24})(?:[/:?#]|$)", re.IGNORECASE)
_HIDDEN = re.compile(
    r"(?:display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*[01](?:px|pt|em|%)?\s*[;\"']|opacity\s*:\s*0\s*[;\"'])",
    re.IGNORECASE,
)
_ACTIVE = re.compile(r"<(?:script|form|iframe|object|embed)\b|\bon(?:load|error|click)\s*=", re.IGNORECASE)
_INVISIBLE = re.compile("[\u200b\u200c\u2060\u00ad\ufeff]")


def _text(case: Case) -> str:
    return case.view.text[:_READ]


def _links_to_address(case: Case) -> bool:
    for host in case.view.hosts:
        try:
            ipaddress.ip_address(host.strip("[]"))
        except ValueError:
            continue
        return True
    return False


def _link_lies(case: Case) -> bool:
    """A link that shows one domain and leads to another."""
    for link in case.view.links:
        shown = _SHOWN_HOST.match(link.shown)
        if shown is None or "@" in link.shown:
            continue
        host = (urlsplit(f"//{link.host}").hostname or "") if "[" not in link.host else ""
        if host and organizational_domain(shown[1].lower()) != organizational_domain(host):
            return True
    return False


def _is_short_picture(case: Case) -> bool:
    """HTML that says next to nothing and shows a picture."""
    view = case.view
    return bool(view.markup) and "<img" in view.markup.lower() and len(view.text.strip()) < 80


def _only_link(case: Case) -> bool:
    view = case.view
    return bool(view.hosts) and len(view.text.strip()) < 120 and not view.attachments


def _says_nothing(case: Case) -> bool:
    return not case.view.text.strip() and not case.view.attachments


def _encoded_plain(case: Case) -> bool:
    """Text in ASCII that was encoded so that it cannot be read over somebody's shoulder."""
    return any(
        part.type.startswith("text/") and part.encoding == "base64" and part.charset in ("us-ascii", "")
        for part in case.view.parts[:20]
    )


def _is_gtube(case: Case) -> bool:
    return GTUBE.decode() in case.view.text


RULES = (
    Rule("GTUBE", 1000.0, "it is the test message for junk filters", _is_gtube),
    Rule("LINK_TO_ADDRESS", 2.0, "a link leads to a bare address", _links_to_address),
    Rule("LINK_LIES", 3.0, "a link shows another domain than it leads to", _link_lies),
    Rule(
        "LINK_SHORTENED", 0.8, "a link hides where it leads", lambda case: not _SHORTENERS.isdisjoint(case.view.hosts)
    ),
    Rule(
        "LINK_PUNYCODE",
        0.8,
        "a link's name may look like another",
        lambda case: any("xn--" in host for host in case.view.hosts),
    ),
    Rule("ONLY_A_LINK", 0.8, "it says little and has a link", _only_link),
    Rule("SHORT_PICTURE", 1.2, "it says next to nothing and shows a picture", _is_short_picture),
    Rule("SAYS_NOTHING", 0.8, "it says nothing", _says_nothing),
    Rule("HTML_ONLY", 0.4, "it is HTML alone", lambda case: case.view.parts[0].type == "text/html"),
    Rule(
        "HTML_HIDDEN",
        0.9,
        "it holds text that is not shown",
        lambda case: len(_HIDDEN.findall(case.view.markup[:_READ])) >= 3,
    ),
    Rule(
        "HTML_ACTIVE", 1.5, "its HTML has scripts or forms", lambda case: bool(_ACTIVE.search(case.view.markup[:_READ]))
    ),
    Rule(
        "INVISIBLE_LETTERS",
        1.5,
        "invisible letters stand between the others",
        lambda case: len(_INVISIBLE.findall(_text(case))) > 20,
    ),
    Rule("ENCODED_PLAIN_TEXT", 0.8, "plain text is encoded without need", _encoded_plain),
)
