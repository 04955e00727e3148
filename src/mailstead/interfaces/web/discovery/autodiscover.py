"""Autodiscover of Outlook in its plain form (MS-OXDSCLI, the response schema 2006a): settings of IMAP, POP3 and SMTP."""

import re
from xml.etree.ElementTree import Element, SubElement, tostring

from mailstead.interfaces.web.discovery.servers import MailServers

REQUEST_LIMIT = 16 * 1024
_RESPONSE = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"
_OUTLOOK = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
_ADDRESS = re.compile(rb"<(?:\w+:)?EMailAddress>\s*([^<>\s]{3,320})\s*</", re.IGNORECASE)
_TYPES = {"imap": "IMAP", "pop3": "POP3", "smtp": "SMTP"}


def asked_for(request: bytes) -> str:
    """The address in a request, empty when there is none. The document is not parsed: it may be anybody's."""
    found = _ADDRESS.search(request[:REQUEST_LIMIT])
    return found[1].decode("utf-8", "replace") if found is not None else ""


def autodiscover(servers: MailServers, address: str) -> bytes:
    """The answer for `address`: the best server of each use."""
    root = Element("Autodiscover", xmlns=_RESPONSE)
    response = SubElement(root, "Response", xmlns=_OUTLOOK)
    user = SubElement(response, "User")
    _text(user, "DisplayName", address)
    account = SubElement(response, "Account")
    _text(account, "AccountType", "email")
    _text(account, "Action", "settings")
    for use in ("imap", "pop3", "smtp"):
        server = servers.first(use)
        if server is None:
            continue
        protocol = SubElement(account, "Protocol")
        _text(protocol, "Type", _TYPES[use])
        _text(protocol, "Server", server.host)
        _text(protocol, "Port", str(server.port))
        _text(protocol, "LoginName", address)
        _text(protocol, "DomainRequired", "off")
        _text(protocol, "SPA", "off")
        _text(protocol, "SSL", "on" if server.tls == "implicit" else "off")
        _text(protocol, "Encryption", "SSL" if server.tls == "implicit" else "TLS")
        _text(protocol, "AuthRequired", "on")
        if use == "smtp":
            _text(protocol, "UsePOPAuth", "off")
            _text(protocol, "SMTPLast", "off")
    return bytes(tostring(root, encoding="utf-8", xml_declaration=True))


def _text(parent: Element, tag: str, text: str) -> None:
    SubElement(parent, tag).text = text
