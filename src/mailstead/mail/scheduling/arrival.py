"""Mail that carries a scheduling message comes to a mailbox (RFC 6047): its calendar follows, the mail stays."""

from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.message.header import header_end
from mailstead.formats.message.part import Bounds
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.errors import MailsteadError
from mailstead.foundation.spool import Spool
from mailstead.mail.scheduling.delivery import SchedulingDelivery
from mailstead.mail.scheduling.imip import author_of, find_calendar, is_authentic
from mailstead.mail.scheduling.receiving import What
from mailstead.stores.directory.records import Alias

_START = 256 * 1024
_MARK = b"text/calendar"
_WORDS: dict[What, str] = {
    "created": "put into the calendar",
    "updated": "brought the calendar up to date",
    "cancelled": "called off in the calendar",
    "answered": "noted as an answer in the calendar",
    "asked": "kept for its reader to decide",
    "refresh": "answered by sending the event, or asking for it",
}


class Invitations:
    """Takes what arrives."""

    def __init__(self, delivery: SchedulingDelivery, settings: Settings, hostname: str) -> None:
        self._delivery = delivery
        self._settings = settings.scheduling
        self._hostname = hostname
        self._identifier = settings.authentication.identifier or hostname
        mime = settings.mime
        self._bounds = Bounds(mime.nesting, mime.parts, mime.header_size, mime.addresses)

    async def take(self, address: str, alias: Alias | None, message: Spool) -> str:
        """Do what the message of a mail that was put into a mailbox says; what was done in words, "" for nothing.

        Raises nothing: the mail is delivered whatever comes of it.
        """
        if alias is None or not self._settings.take_mail or message.size > self._settings.message_size:
            return ""
        start = message.start(_START)
        if _MARK not in start.lower():
            return ""
        author = author_of(start[: header_end(start, 0, len(start))])
        data = find_calendar(message.read(), self._bounds) if author else None
        if data is None:
            return ""
        if not is_authentic(start, author, self._hostname, self._identifier):
            return f"invitation left to its reader: nothing shows that it is from {author}"
        try:
            applied = await self._delivery.arrive(address, alias, data, author)
        except ContentError as error:
            return f"invitation left to its reader: {error}"
        except (MailsteadError, OSError) as error:
            return f"invitation left to its reader, the calendar could not be changed: {error}"
        if applied is None:
            return "invitation left to its reader: only the owner can open the calendar"
        effect = applied.effect
        if effect.what == "ignored":
            return f"invitation left to its reader: {effect.why}"
        return f"invitation {_WORDS[effect.what]}"
