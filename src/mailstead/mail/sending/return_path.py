"""A return path for each recipient (VERP): a notice that comes back says by its address alone whom it is about.

    verp = sender's local part "+b-" recipient with "=" for "@" "-" mac "@" sender's domain

The +tag leads to the sender's own mailbox. Where the local part would be longer than 64 octets (RFC 5321 §4.5.3.1.1),
or an address is beyond plain characters, the return path stays the sender.
"""

import base64
import hmac
import re

import msgspec

from mailstead.formats.message.header import iter_fields
from mailstead.formats.message.index import index_message
from mailstead.formats.message.section import decode_content

_LOCAL_LIMIT = 64
_MAC_SIZE = 5  # octets, 8 letters
_PLAIN = re.compile(r"[a-z0-9._+-]+@[a-z0-9.-]+", re.IGNORECASE)
_FORM = re.compile(r"(?P<local>[^+]+(?:\+.*)?)\+b-(?P<recipient>[^=]+=[^=]+)-(?P<mac>[a-z2-7]{8})")
_NOTICE_LIMIT = 1024 * 1024


class Bounced(msgspec.Struct, frozen=True):
    """Whom a notice is about: mail of `sender` to `recipient` failed for good; `text` as the notice has it."""

    sender: str
    recipient: str
    text: str


class Verp:
    """Makes and reads such addresses with a secret of the server."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def _mac(self, sender: str, recipient: str) -> str:
        digest = hmac.digest(self._secret, f"{sender}\n{recipient}".lower().encode(), "sha256")
        return base64.b32encode(digest[:_MAC_SIZE]).decode("ascii").lower()

    def return_path(self, sender: str, recipient: str) -> str:
        """The return path of mail of `sender` to `recipient`."""
        local, _, domain = sender.rpartition("@")
        if not (_PLAIN.fullmatch(sender) and _PLAIN.fullmatch(recipient)):
            return sender
        tagged = f"{local}+b-{recipient.replace('@', '=')}-{self._mac(sender, recipient)}"
        return f"{tagged}@{domain}" if len(tagged) <= _LOCAL_LIMIT else sender

    def read(self, address: str) -> tuple[str, str] | None:
        """Sender and recipient of a return path of ours; None for any other address."""
        local, _, domain = address.rpartition("@")
        found = _FORM.fullmatch(local)
        if found is None:
            return None
        sender, recipient = f"{found['local']}@{domain}", found["recipient"].replace("=", "@")
        if not hmac.compare_digest(found["mac"].encode(), self._mac(sender, recipient).encode()):
            return None
        return sender, recipient

    def bounced(self, address: str, message: bytes) -> Bounced | None:
        """What a notice to `address` says; None when it is none about a lasting failure (RFC 3464 §2.3.3)."""
        known = self.read(address)
        if known is None or len(message) > _NOTICE_LIMIT:
            return None
        for part in index_message(message).parts:
            if part.type not in ("message/delivery-status", "message/global-delivery-status"):
                continue
            content = decode_content(message[part.body_start : part.body_end], part.encoding)
            for block in re.split(rb"\r?\n\r?\n", content):
                fields = {name.lower(): value.strip() for name, value in iter_fields(block.lstrip(b"\r\n"))}
                status = fields.get(b"status", b"").decode("ascii", "replace")
                if fields.get(b"action", b"").lower() == b"failed" and status.startswith("5"):
                    said = fields.get(b"diagnostic-code", b"").decode("utf-8", "replace")
                    return Bounced(known[0], known[1], f"{status} {' '.join(said.split())}"[:300])
        return None
