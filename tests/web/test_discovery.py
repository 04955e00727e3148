"""What mail programs fetch: read back as those programs do."""

import plistlib
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import httpx
import pytest

from support.mailstead_server import MailsteadServer
from support.web import logged_in, origin, send

pytestmark = pytest.mark.xdist_group("web-admin")
OUTLOOK = "{http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a}"
REQUEST = """<?xml version="1.0"?><Autodiscover
xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"><Request>
<EMailAddress>{}</EMailAddress><AcceptableResponseSchema>x</AcceptableResponseSchema></Request></Autodiscover>"""


@pytest.mark.parametrize("path", ["/mail/config-v1.1.xml", "/.well-known/autoconfig/mail/config-v1.1.xml"])
def test_thunderbird_finds_the_servers(server: MailsteadServer, path: str) -> None:
    answer = httpx.get(f"{origin(server)}{path}", params={"emailaddress": "alice@example.test"})
    root = ElementTree.fromstring(answer.content)
    provider = root.find("emailProvider")
    assert provider is not None
    assert provider.get("id") == "example.test"
    assert provider.findtext("domain") == "example.test"
    incoming = [(one.get("type"), one.findtext("socketType")) for one in provider.findall("incomingServer")]
    assert incoming == [("imap", "SSL"), ("imap", "STARTTLS"), ("pop3", "SSL"), ("pop3", "STARTTLS")]
    first = provider.find("outgoingServer")
    assert first is not None
    assert first.findtext("hostname") == "mail.example.test"
    assert first.findtext("port") == "465"
    assert first.findtext("username") == "%EMAILADDRESS%"


def test_the_domain_comes_from_the_name_that_was_asked(server: MailsteadServer) -> None:
    headers = {"host": "autoconfig.other.test"}
    answer = httpx.get(f"{origin(server)}/mail/config-v1.1.xml", headers=headers)
    assert b'<emailProvider id="other.test">' in answer.content


@pytest.mark.parametrize("path", ["/autodiscover/autodiscover.xml", "/Autodiscover/Autodiscover.xml"])
def test_outlook_finds_the_servers(server: MailsteadServer, path: str) -> None:
    answer = httpx.post(f"{origin(server)}{path}", content=REQUEST.format("alice@example.test"))
    root = ElementTree.fromstring(answer.content)
    protocols = {one.findtext(f"{OUTLOOK}Type"): one for one in root.iter(f"{OUTLOOK}Protocol")}
    assert list(protocols) == ["IMAP", "POP3", "SMTP"]
    assert protocols["IMAP"].findtext(f"{OUTLOOK}Port") == "993"
    assert protocols["SMTP"].findtext(f"{OUTLOOK}LoginName") == "alice@example.test"


@pytest.mark.parametrize(
    "body",
    ["", "<", REQUEST.format("nobody"), "x" * 20_000, '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>&b;'],
)
def test_outlook_s_nonsense_is_refused(server: MailsteadServer, body: str) -> None:
    assert httpx.post(f"{origin(server)}/autodiscover/autodiscover.xml", content=body).status_code == 400


def verified(content: bytes, server: MailsteadServer, tmp_path: Path) -> bytes:
    """The signed content, checked by openssl against the server's authority."""
    signed = tmp_path / "signed.der"
    signed.write_bytes(content)
    command = ["openssl", "cms", "-verify", "-inform", "DER", "-in", str(signed), "-CAfile", server.ready["ca"]]
    return subprocess.run([*command, "-purpose", "any"], capture_output=True, check=True).stdout


def test_a_profile_is_signed_and_replaces_the_one_before(server: MailsteadServer, tmp_path: Path) -> None:
    answer = httpx.get(f"{origin(server)}/c/alice@example.test.mobileconfig")
    assert answer.headers["content-type"] == "application/x-apple-aspen-config"
    told = plistlib.loads(verified(answer.content, server, tmp_path))
    kinds = [one["PayloadType"] for one in told["PayloadContent"]]
    assert kinds == ["com.apple.mail.managed", "com.apple.caldav.account", "com.apple.carddav.account"]
    assert "IncomingPassword" not in told["PayloadContent"][0]
    with logged_in(server, "alice@example.test") as client:
        made = send(client, "/account/passwords/profile", password="secret words")
    again = plistlib.loads(verified(made.content, server, tmp_path))
    assert again["PayloadContent"][0]["IncomingPassword"] == "secret words"
    assert again["PayloadUUID"] == told["PayloadUUID"]
    for name in ("nothing", "x.mobileconfig", "<script>@example.test.mobileconfig"):
        assert httpx.get(f"{origin(server)}/c/{name}").status_code == 404
