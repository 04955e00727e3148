"""What a server cannot carry, found before anything is sent to it.

A message is never rewritten on its way out: a conversion of its body or header would break its signatures. What does
not fit is returned to its sender with the code that says so (RFC 6152 §3, RFC 6531 §3.4, §3.5, RFC 1870 §6).
"""

from collections.abc import Mapping

from mailstead.foundation.errors import PermanentError
from mailstead.mail.envelope import Envelope, EnvelopeRecipient
from mailstead.mail.outbound.files import QueuedMessage


class TooBigForServerError(PermanentError):
    """The server announced a smaller limit."""

    smtp_code = 552
    enhanced_code = "5.3.4"
    public_text = "The message is bigger than the remote server takes"


class EightBitError(PermanentError):
    """Octets above 127 for a server without 8BITMIME."""

    smtp_code = 554
    enhanced_code = "5.6.3"
    public_text = "The remote server takes 7-bit messages only, and this one is not"


class NonAsciiAddressError(PermanentError):
    """An internationalised address for a server without SMTPUTF8."""

    smtp_code = 553
    enhanced_code = "5.6.7"
    public_text = "The remote server takes no internationalised addresses"


class NonAsciiHeaderError(PermanentError):
    """An internationalised header for a server without SMTPUTF8."""

    smtp_code = 554
    enhanced_code = "5.6.9"
    public_text = "The remote server takes no internationalised header"


class Fitness:
    """How one message has to be sent to a server with given extensions.

    `utf8`: it goes as SMTPUTF8. `error`: why it cannot go at all. `refused`: recipients that cannot, and why.
    """

    def __init__(self, envelope: Envelope, extensions: Mapping[str, str], message: QueuedMessage) -> None:
        self.error: PermanentError | None = None
        self.refused: dict[EnvelopeRecipient, PermanentError] = {}
        wide = [one for one in envelope.recipients if _is_wide(one.address)]
        wide_header = envelope.smtputf8 and not message.header().isascii()
        needed = wide_header or bool(wide) or _is_wide(envelope.sender)
        self.utf8 = needed and "SMTPUTF8" in extensions
        limit = extensions.get("SIZE", "")
        if limit.isascii() and limit.isdigit() and 0 < int(limit[:20]) < message.size:
            self.error = TooBigForServerError(detail=f"{message.size} octets, at most {limit[:20]}")
        elif needed and not self.utf8:
            if _is_wide(envelope.sender):
                self.error = NonAsciiAddressError(detail=envelope.sender)
            elif wide_header:
                self.error = NonAsciiHeaderError()
            self.refused = {one: NonAsciiAddressError(detail=one.address) for one in wide}
        elif "8BITMIME" not in extensions and not message.is_ascii:
            self.error = EightBitError()


def _is_wide(address: str) -> bool:
    """Whether an address cannot be written in ASCII: a domain can, in A-labels."""
    return not address.rpartition("@")[0].isascii()
