"""Scheduling by mail (RFC 6047): the mail that carries a message, and whether and what an arriving one carries."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from mailstead.formats.message.address import parse_addresses
from mailstead.formats.message.date import format_date
from mailstead.formats.message.header import header_end, iter_fields, unfold
from mailstead.formats.message.index import index_message
from mailstead.formats.message.part import Bounds
from mailstead.formats.message.section import decode_part
from mailstead.mail.authentication.results.field import MethodResult, ResultsSyntaxError, parse_results
from mailstead.mail.scheduling.message import ItipMessage
from mailstead.mail.scheduling.series import Series
from mailstead.mail.scheduling.summary import name_of, subject_of, text_of

_CALENDAR_TYPES = ("text/calendar", "application/ics")
_LOGGED_IN = (b"ESMTPSA", b"ESMTPA", b"UTF8SMTPSA", b"UTF8SMTPA")
_LMTP = (b"LMTP", b"LMTPS", b"UTF8LMTP", b"UTF8LMTPS")
_FEW = 4  # senders of a message that are looked at


def compose_imip(message: ItipMessage, series: Series, message_id: str, now: float) -> bytes:
    """The mail: words for people, the calendar for their programs, and again as a file for those that know neither.

    RFC 6047 §2.4. Raises ContentError for times that are none, ValueError for addresses that are none.
    """
    mail = EmailMessage(policy=SMTP)
    first = series.first
    mail["From"] = _address(name_of(first, message.sender), message.sender)
    mail["To"] = _address(name_of(first, message.recipient), message.recipient)
    mail["Subject"] = subject_of(message.method, series, message.sender)
    mail["Date"] = format_date(now)
    mail["Message-ID"] = f"<{message_id}>"
    mail.set_content(text_of(message.method, series, message.sender))
    parameters = {"charset": "utf-8", "method": message.method, "component": first.name}
    mail.add_alternative(message.data, "text", "calendar", params=parameters, cte="base64")
    part = list(mail.iter_parts())[-1]
    del part["Content-Disposition"]
    mail.add_attachment(message.data, "application", "ics", filename="invite.ics")
    return mail.as_bytes()


def _address(name: str, address: str) -> Address:
    return Address("" if name == address else name, addr_spec=address)


def find_calendar(raw: bytes, bounds: Bounds) -> bytes | None:
    """The first part that is a calendar with a method; None when the message has none."""
    chosen = None
    for part in index_message(raw, bounds).parts:
        if part.type not in _CALENDAR_TYPES:
            continue
        data = decode_part(raw, part)
        if b"METHOD" not in data[:2000].upper():
            continue
        if part.type == "text/calendar":
            return data
        chosen = chosen or data
    return chosen


def author_of(header: bytes) -> str:
    """The one address in From, in lower case; empty when there is not exactly one."""
    fields = [value for name, value in iter_fields(header) if name.lower() == b"from"]
    if len(fields) != 1:
        return ""
    found = [one.specification for one in parse_addresses(unfold(fields[0]), _FEW) if one.domain]
    return found[0].lower() if len(found) == 1 else ""


def is_authentic(start: bytes, author: str, hostname: str, identifier: str) -> bool:
    """Whether a delivered message is by `author`: our own submission took it, or the domain vouches for it.

    `start` is the message's header. The newest Received field is ours, beneath that of our own
    LMTP. When it says that somebody logged in, or there
    is none since the message was written here, its author was held to the login. Else the Authentication-Results under
    our `identifier`, which no one else may set, have to say that DMARC passed, or a DKIM signature of the author's
    domain where that has no policy (RFC 6047 §3).
    """
    header = start[: header_end(start, 0, len(start))]
    domain = author.rpartition("@")[2]
    fields = [(name.lower(), value) for name, value in iter_fields(header)]
    hops = (_hop(value) for name, value in fields if name == b"received")
    newest = next((hop for hop in hops if hop[1] not in _LMTP or hop[0] != hostname.lower()), None)
    if newest is None or (newest[0] == hostname.lower() and newest[1] in _LOGGED_IN):
        return True
    return any(_vouches(value, domain, identifier) for name, value in fields if name == b"authentication-results")


def _hop(value: bytes) -> tuple[str, bytes]:
    """Host and protocol of a Received field: the first `by` and `with`, before which stands one word of the client's."""
    words = unfold(value).split()
    places = [at for at, word in enumerate(words[:-1]) if word.lower() in (b"by", b"with")]
    said = {words[at].lower(): words[at + 1] for at in reversed(places)}
    return said.get(b"by", b"").decode("ascii", "replace").lower(), said.get(b"with", b"").upper()


def _vouches(value: bytes, domain: str, identifier: str) -> bool:
    try:
        found = parse_results(unfold(value))
    except ResultsSyntaxError:
        return False
    if found.identifier.lower() != identifier.lower():
        return False
    dmarc = [one for one in found.results if one.method.lower() == "dmarc"]
    if any(one.result == "pass" and one.property("header.from").lower() == domain for one in dmarc):
        return True
    if any(one.result not in ("none", "pass") for one in dmarc):
        return False
    return any(_is_aligned(one, domain) for one in found.results)


def _is_aligned(one: MethodResult, domain: str) -> bool:
    signer = one.property("header.d").lower()
    return one.method.lower() == "dkim" and one.result == "pass" and signer != "" and signer == domain
