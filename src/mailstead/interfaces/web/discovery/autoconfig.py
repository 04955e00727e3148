"""Autoconfiguration of Thunderbird and those who read its format, config-v1.1.xml."""

from xml.etree.ElementTree import Element, SubElement, tostring

from mailstead.interfaces.web.discovery.servers import MailServers

_SOCKETS = {"implicit": "SSL", "starttls": "STARTTLS"}


def autoconfig(servers: MailServers, domain: str) -> bytes:
    """The document for addresses of `domain`."""
    root = Element("clientConfig", version="1.1")
    provider = SubElement(root, "emailProvider", id=domain)
    _text(provider, "domain", domain)
    _text(provider, "displayName", domain)
    _text(provider, "displayShortName", domain)
    for server in servers.mail:
        tag = "outgoingServer" if server.use == "smtp" else "incomingServer"
        told = SubElement(provider, tag, type=server.use)
        _text(told, "hostname", server.host)
        _text(told, "port", str(server.port))
        _text(told, "socketType", _SOCKETS[server.tls])
        _text(told, "username", "%EMAILADDRESS%")
        _text(told, "authentication", "password-cleartext")
    for tag, kind in (("calendar", "caldav"), ("addressBook", "carddav")):
        told = SubElement(root, tag, type=kind)
        _text(told, "username", "%EMAILADDRESS%")
        _text(told, "authentication", "http-basic")
        _text(told, "serverURL", f"{servers.web}/dav/")
    webmail = SubElement(root, "webMail")
    SubElement(webmail, "loginPage", url=f"{servers.web}/login")
    return bytes(tostring(root, encoding="utf-8", xml_declaration=True))


def _text(parent: Element, tag: str, text: str) -> None:
    SubElement(parent, tag).text = text
