"""The picture that Thunderbird for Android and K-9 scan ("Export for Mobile", format version 1)."""

import msgspec
import segno

from mailstead.interfaces.web.discovery.servers import MailServers

_FORMAT, _IMAP, _SMTP, _PASSWORD = 1, 0, 0, 1
_SECURITY = {"starttls": 2, "implicit": 3}


def phone_code(servers: MailServers, address: str, password: str) -> str:
    """What the picture says; empty when there is nothing to read or send by."""
    incoming, outgoing = servers.first("imap"), servers.first("smtp")
    if incoming is None or outgoing is None:
        return ""
    told = [
        _FORMAT,
        [1, 1],
        [_IMAP, incoming.host, incoming.port, _SECURITY[incoming.tls], _PASSWORD, address, None, password],
        [
            [
                [_SMTP, outgoing.host, outgoing.port, _SECURITY[outgoing.tls], _PASSWORD, address, password],
                [address, address.partition("@")[0]],
            ]
        ],
    ]
    return msgspec.json.encode(told).decode()


def picture(text: str) -> str:
    """A QR code as SVG for a page; black on white in every theme, for that is what cameras read."""
    return str(segno.make(text, micro=False).svg_inline(omitsize=True, border=4, light="#fff", dark="#000"))
