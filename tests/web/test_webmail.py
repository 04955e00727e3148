"""Webmail in a real browser: log in, read, answer, sort, search; at desktop and phone sizes."""

import imaplib
import smtplib
from collections.abc import Callable
from email.message import EmailMessage
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from support.mailstead_server import MailsteadServer
from support.web import origin

pytestmark = pytest.mark.xdist_group("web")
ZOO = """<html><head><style>body{background:url(https://evil.test/a)}</style>
<script>document.title="owned"</script></head><body onload="document.title='owned'"><p>Hello zoo</p>
<img src="https://evil.test/pixel.png"><img src="x" onerror="top.document.title='owned'">
<svg onload="document.title='owned'"></svg><form action="https://evil.test"><input name="password"></form>
<iframe src="https://evil.test/frame"></iframe><a href="javascript:top.document.title='owned'">press</a></body></html>"""


def deliver(
    server: MailsteadServer, subject: str, text: str, html: str = "", attachment: bytes = b"", **header: str
) -> None:
    message = EmailMessage()
    message["From"] = header.pop("sender", "Carol Übermut <carol@elsewhere.test>")
    to = header.pop("to", "alice@example.test")
    for name, value in header.items():
        message[name.replace("_", "-")] = value
    message["To"] = to
    message["Subject"] = subject
    message["Message-ID"] = f"<{sha256(f'{subject} {text}'.encode()).hexdigest()[:16]}@elsewhere.test>"
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    if attachment:
        message.add_attachment(attachment, "application", "pdf", filename="plan äöü.pdf")
    host, port = server.address("mx")
    with smtplib.SMTP(host, port) as client:
        client.send_message(message, "carol@elsewhere.test", [to])


def open_message(page: Page, subject: str) -> None:
    page.locator(".row", has_text=subject).first.locator("a").click()
    page.wait_for_selector(".letter")


def test_mail_arrives_without_a_reload_is_read_and_marked(
    page: Page, server: MailsteadServer, size: tuple[int, int], pictures: Path
) -> None:
    subject = f"News for {size[0]}"
    deliver(server, subject, "First words\nof the text", attachment=b"%PDF-1.4 tiny")
    row = page.locator(".row", has_text=subject)
    expect(row).to_be_visible()
    expect(row).to_have_class("row unseen")
    expect(row.locator(".who")).to_have_text("Carol Übermut")
    page.screenshot(path=pictures / f"list-{size[0]}.png")
    open_message(page, subject)
    expect(page.locator(".letter .text")).to_contain_text("First words")
    with page.expect_download() as download:
        page.click(".attachments a")
    assert download.value.suggested_filename == "plan äöü.pdf"
    assert Path(download.value.path()).read_bytes() == b"%PDF-1.4 tiny"
    page.screenshot(path=pictures / f"read-{size[0]}.png")
    page.goto(origin(server))
    expect(page.locator(".row", has_text=subject)).to_have_class("row")


def test_hostile_html_neither_runs_nor_calls_out(page: Page, server: MailsteadServer, size: tuple[int, int]) -> None:
    subject = f"Zoo {size[0]}"
    deliver(server, subject, "plain", ZOO)
    expect(page.locator(".row", has_text=subject)).to_be_visible()
    open_message(page, subject)
    letter = page.frame_locator(".letter iframe")
    expect(letter.locator("body")).to_contain_text("Hello zoo")
    assert letter.locator("script, form, iframe, svg, input").count() == 0
    expect(page.locator(".letter .notice")).to_contain_text("1 remote picture")
    assert "owned" not in page.title()


def test_an_answer_goes_out_and_is_kept(page: Page, server: MailsteadServer, size: tuple[int, int]) -> None:
    subject = f"Question {size[0]}"
    deliver(server, subject, "How are you?")
    expect(page.locator(".row", has_text=subject)).to_be_visible()
    open_message(page, subject)
    page.click("a[data-key=r]")
    expect(page.locator("#subject")).to_have_value(f"Re: {subject}")
    expect(page.locator("#to")).to_have_value("Carol Übermut <carol@elsewhere.test>")
    page.fill("#to", "Bob <bob@example.test>")
    page.locator("#rich").press_sequentially("Fine. ")
    page.click("button[value=draft]")
    expect(page.locator("#subject")).to_have_value(f"Re: {subject}")
    page.set_input_files("#files", {"name": "a.txt", "mimeType": "text/plain", "buffer": b"inside"})
    page.click("button[value=send]")
    page.wait_for_url("**/mail/f/**")
    host, port = server.address("imap")
    with imaplib.IMAP4(host, port) as client:
        client.starttls(server.client_context())
        client.login("bob@example.test", server.password("bob"))
        client.select()
        found = client.search(None, "SUBJECT", f'"Re: {subject}"')[1][0].split()
        assert len(found) == 1
        fetched: Any = client.fetch(found[0].decode(), "(RFC822)")[1]
        raw: bytes = fetched[0][1]
    assert b"Fine." in raw
    assert b"In-Reply-To:" in raw
    assert b'filename="a.txt"' in raw
    with imaplib.IMAP4(host, port) as client:
        client.starttls(server.client_context())
        client.login("alice@example.test", server.password("alice"))
        for folder, count in (("Sent", 1), ("Drafts", 0)):
            client.select(folder)
            assert len(client.search(None, "SUBJECT", f'"Re: {subject}"')[1][0].split()) == count
        client.select()
        answered = client.search(None, "ANSWERED", "SUBJECT", f'"{subject}"')[1][0].split()
        assert len(answered) == 1


def test_messages_are_sorted_and_found(page: Page, server: MailsteadServer, size: tuple[int, int]) -> None:
    for number in (1, 2, 3):
        deliver(server, f"Pile {size[0]} {number}", f"stone number {number}")
    expect(page.locator(".row", has_text=f"Pile {size[0]} 3")).to_be_visible()
    page.fill(".search input", f'subject:"Pile {size[0]}" -stone')
    page.press(".search input", "Enter")
    expect(page.locator("#list .empty")).to_be_visible()
    page.fill(".search input", f'subject:"Pile {size[0]}" is:unread')
    page.press(".search input", "Enter")
    expect(page.locator(".row")).to_have_count(3)
    page.locator(".row input").first.check()
    page.locator("#list button[value=archive]").click()
    expect(page.locator(".row")).to_have_count(2)
    open_message(page, f"Pile {size[0]} 1")
    page.keyboard.press("#")
    expect(page.locator(".row", has_text=f"Pile {size[0]} 2")).to_be_visible()
    expect(page.locator(".row")).to_have_count(1)


def test_a_device_gets_its_own_password_and_loses_it(
    page: Page, server: MailsteadServer, size: tuple[int, int]
) -> None:
    page.goto(f"{origin(server)}/account/")
    label = f"phone {size[0]}"
    page.fill("#label", label)
    page.click("form[action='/account/passwords'] button")
    password = page.locator("#made").inner_text()
    host, port = server.address("imap")
    with imaplib.IMAP4(host, port) as client:
        client.starttls(server.client_context())
        client.login("alice@example.test", password)
    page.get_by_role("button", name=f"Remove: {label}").click()
    page.wait_for_load_state()
    expect(page.get_by_text(label)).to_have_count(0)
    with imaplib.IMAP4(host, port) as client:
        client.starttls(server.client_context())
        with pytest.raises(imaplib.IMAP4.error):
            client.login("alice@example.test", password)


def test_the_language_and_the_theme_are_remembered(page: Page, server: MailsteadServer) -> None:
    page.goto(f"{origin(server)}/choose?language=ru&next=/account/")
    expect(page.locator("h1")).to_have_text("Учётная запись")
    assert page.locator("html").get_attribute("lang") == "ru"
    page.goto(f"{origin(server)}/choose?theme=dark&next=/account/")
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_logging_out_ends_the_session(page: Page, server: MailsteadServer) -> None:
    cookies = page.context.cookies()
    page.get_by_label("You", exact=True).click()
    page.locator("form[action='/logout'] button").click()
    page.wait_for_selector("#address")
    with httpx.Client(base_url=origin(server), cookies={one["name"]: one["value"] for one in cookies}) as client:
        assert client.get("/mail/").headers["location"].startswith("/login")


def log_in(server: MailsteadServer, **form: str) -> tuple[httpx.Client, httpx.Response]:
    client = httpx.Client(base_url=origin(server))
    given = {"address": "alice@example.test", "password": server.password("alice"), "next": "/"} | form
    return client, client.post("/login", data=given)


def test_a_wrong_password_says_so_and_no_more(server: MailsteadServer) -> None:
    pages = []
    for address in ("alice@example.test", "nobody@example.test"):
        client, answer = log_in(server, address=address, password="wrong")
        assert answer.status_code == 401
        pages.append(answer.text.replace(address, ""))
        client.close()
    assert pages[0] == pages[1]


@pytest.mark.parametrize(
    "target", ["https://evil.test", "//evil.test", "/\\evil.test", "javascript:alert(1)", "\r\nX: y"]
)
def test_no_redirect_leads_away(server: MailsteadServer, target: str) -> None:
    client, answer = log_in(server, next=target)
    assert answer.headers["location"] == "/"
    client.close()


Sending = Callable[[httpx.Client, str], httpx.Response]
FORGED: dict[str, Sending] = {
    "without the token": lambda client, _: client.post("/account/passwords", data={"label": "x"}),
    "with a wrong token": lambda client, _: client.post("/account/passwords", data={"label": "x", "csrf": "x"}),
    "from another origin": lambda client, token: client.post(
        "/account/passwords", data={"label": "x", "csrf": token}, headers={"origin": "https://evil.test"}
    ),
    "from another site": lambda client, token: client.post(
        "/account/passwords", data={"label": "x", "csrf": token}, headers={"sec-fetch-site": "cross-site"}
    ),
}


@pytest.mark.parametrize("send", FORGED.values(), ids=FORGED.keys())
def test_forms_of_others_are_refused(server: MailsteadServer, send: Sending) -> None:
    client, _ = log_in(server)
    token = client.get("/account/").text.partition('name="csrf" value="')[2].partition('"')[0]
    assert token
    assert send(client, token).status_code == 403
    client.close()


def test_a_login_from_another_site_is_refused(server: MailsteadServer) -> None:
    with httpx.Client(base_url=origin(server), headers={"origin": "https://evil.test"}) as client:
        form = {"address": "alice@example.test", "password": server.password("alice")}
        answer = client.post("/login", data=form)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_every_page_forbids_what_it_does_not_need(server: MailsteadServer) -> None:
    client, answer = log_in(server)
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert "SameSite=Lax" in answer.headers["set-cookie"]
    for path in ("/login", "/mail/f/1", "/account/", "/nothing"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
    client.close()


def test_what_is_not_there_is_not_found(server: MailsteadServer) -> None:
    client, _ = log_in(server)
    for path in (
        "/mail/f/999",
        "/mail/f/1/m/4000000",
        "/mail/f/1/m/1/part/9.9",
        "/static/../../etc/passwd",
        "/static/x/y",
    ):
        assert client.get(path).status_code == 404, path
    assert client.get("/mail/f/1?offset=-1").status_code == 400
    client.close()
