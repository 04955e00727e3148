"""Conversations, undo, pictures from elsewhere, and the good-bye to a list."""

import imaplib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from support.mailstead_server import MailsteadServer, mailstead_server
from support.web import DESKTOP, PHONE, browsing, enter, logged_in, origin, send
from web.test_webmail import deliver

pytestmark = pytest.mark.xdist_group("web")
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da63fcffff3f030005fe02fea7"
    "9a1d270000000049454e44ae426082"
)


def message_id(subject: str, text: str) -> str:
    return f"<{sha256(f'{subject} {text}'.encode()).hexdigest()[:16]}@elsewhere.test>"


def rows(page: Page, subject: str) -> int:
    return page.locator(".row", has_text=subject).count()


def test_a_thread_is_one_row_and_is_read_as_one(
    page: Page, server: MailsteadServer, size: tuple[int, int], pictures: Path
) -> None:
    subject = f"Picnic {size[0]}"
    deliver(server, subject, "first words")
    first = message_id(subject, "first words")
    deliver(server, f"Re: {subject}", "second words", In_Reply_To=first, References=first)
    row = page.locator(".row", has_text=subject)
    expect(row).to_have_count(1)
    expect(row.locator(".badge")).to_contain_text("2")
    row.locator("a").click()
    expect(page.locator(".letter")).to_have_count(2)
    expect(page.locator(".letter .text").first).to_contain_text("first words")
    expect(page.locator(".letter .text").last).to_contain_text("second words")
    page.screenshot(path=pictures / f"thread-{size[0]}.png")
    expect(row).not_to_have_class("row unseen")
    page.keyboard.press("e")
    expect(page.locator(".toast")).to_contain_text("2 messages")
    expect(page.locator(".row", has_text=subject)).to_have_count(0)
    page.screenshot(path=pictures / f"toast-{size[0]}.png")
    page.keyboard.press("z")
    expect(page.locator(".toast")).to_contain_text("Undone")
    expect(page.locator(".row", has_text=subject)).to_have_count(1)


def test_every_action_is_undone(server: MailsteadServer) -> None:
    with logged_in(server, "bob@example.test") as client:
        inbox = client.get("/mail/").headers["location"]
        page = client.get(inbox).text
        uid = page.partition('data-uid="')[2].partition('"')[0]
        folder = inbox.rpartition("/")[2]
        folders = {name: place for place, name in folders_of(page).items()}

        def act(where: str, **form: str) -> str:
            answer = send(client, f"/mail/f/{where}/do", back=f"/mail/f/{where}", **form)
            return answer.headers["location"]

        def undo(location: str) -> str:
            done = location.partition("done=")[2].partition("&")[0]
            assert done, location
            answer = send(client, "/mail/undo", id=done, back=location)
            assert "done=" not in answer.headers["location"]
            return client.get(answer.headers["location"]).text

        for action in ("seen", "flag"):
            before = client.get(inbox).text
            location = act(folder, action=action, uid=uid)
            if "done=" in location:
                assert "Undone." in undo(location)
            assert _marks(client.get(inbox).text) == _marks(before)
        for action in ("archive", "junk", "trash"):
            location = act(folder, action=action, uid=uid)
            assert f'data-uid="{uid}"' not in client.get(inbox).text
            assert "Undone." in undo(location)
            uid = client.get(inbox).text.partition('data-uid="')[2].partition('"')[0]
            assert uid
        again = send(client, "/mail/undo", id=location.partition("done=")[2], back="/mail/").headers["location"]
        assert "told=late" in again
        act(folder, action="trash", uid=uid)
        trash = folders["Trash"]
        erased = client.get(f"/mail/f/{trash}").text.partition('data-uid="')[2].partition('"')[0]
        location = act(trash, action="erase", uid=erased)
        assert "There is no mail here" in client.get(f"/mail/f/{trash}").text
        undo(location)
        uid = client.get(f"/mail/f/{trash}").text.partition('data-uid="')[2].partition('"')[0]
        moved = send(client, f"/mail/f/{trash}/do", into=folder, uid=uid, back="https://evil.test/")
        assert moved.headers["location"].startswith("/")
        assert send(client, f"/mail/f/{folder}/do", action="explode", uid="1").status_code == 400
        assert send(client, f"/mail/f/{folder}/do", action="seen", uid="x").status_code == 400


def folders_of(page: str) -> dict[str, str]:
    found = {}
    for piece in page.split('data-folder="')[1:]:
        label = piece.partition("<span>")[2].partition("</span>")[0]
        found[piece.partition('"')[0]] = label
    return found


def _marks(page: str) -> tuple[int, int]:
    return page.count('class="row unseen'), page.count('class="flagged"')


def test_rows_are_dragged_onto_folders_and_keys_are_explained(
    browser: Browser, server: MailsteadServer, pictures: Path
) -> None:
    deliver(server, "To be dragged", "x")
    with browsing(browser, server, size=DESKTOP) as page:
        enter(page, server, "alice@example.test")
        page.locator(".row", has_text="To be dragged").drag_to(page.locator("[data-drop]", has_text="Archive"))
        expect(page.locator(".toast")).to_contain_text("Moved: 1 message")
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
        page.screenshot(path=pictures / "keys.png")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        page.keyboard.press("z")
        expect(page.locator(".row", has_text="To be dragged")).to_have_count(1)
        page.keyboard.press("j")
        page.keyboard.press("x")
        expect(page.locator(".row input:checked")).to_have_count(1)
        page.keyboard.press("/")
        page.keyboard.type("subject:dragged")
        expect(page.locator(".row")).to_have_count(1)  # without Enter


class Elsewhere(BaseHTTPRequestHandler):
    """A host with a pixel, something that calls itself one, and a redirect inwards."""

    asked: ClassVar[list[tuple[str, dict[str, str]]]] = []

    def do_GET(self) -> None:
        self.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        if self.path == "/in":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/secret.png")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Type", "image/svg+xml" if self.path == "/bad" else "image/png")
        self.send_header("Content-Length", str(len(PIXEL)))
        self.end_headers()
        self.wfile.write(PIXEL)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def elsewhere() -> Iterator[str]:
    Elsewhere.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_pictures_are_fetched_when_asked_and_tell_nothing(
    browser: Browser, tmp_path: Path, size: tuple[int, int], pictures: Path
) -> None:
    # a host that is a number only is what junk has
    settings = {"MAILSTEAD_WEB_PICTURE_NETWORKS": "127.0.0.0/8", "MAILSTEAD_JUNK_THRESHOLD": "100"}
    with elsewhere() as host, mailstead_server(tmp_path, settings) as server:
        html = f'<p>Look</p><img alt="a" src="{host}/pixel.png"><img alt="b" src="{host}/bad">'
        deliver(server, "Pictures", "x", html)
        with browsing(browser, server, size=size, scheme="dark" if size == PHONE else "light") as page:
            enter(page, server, "alice@example.test")
            page.locator(".row", has_text="Pictures").locator("a").click()
            frame = page.frame_locator(".letter iframe")
            expect(frame.locator("p")).to_have_text("Look")
            page.screenshot(path=pictures / f"pictures-{size[0]}.png")
            assert Elsewhere.asked == []
            page.get_by_role("link", name="Show pictures").click()
            first = page.frame_locator(".letter iframe").locator("img").first
            expect(first).to_be_visible()
            assert first.evaluate("one => one.decode().then(() => one.naturalWidth)") == 1
            assert {path for path, _ in Elsewhere.asked} == {"/pixel.png", "/bad"}
            for _, header in Elsewhere.asked:
                assert not {"cookie", "referer", "accept-language"} & set(header)
            source = str(first.get_attribute("src"))
        with logged_in(server, "bob@example.test") as bob:
            assert bob.get(source).status_code == 404  # it is proved for the session that read the message
        with logged_in(server, "alice@example.test") as alice:
            assert alice.get("/mail/picture", params={"url": f"{host}/in", "proof": "x" * 32}).status_code == 404


def test_a_list_is_left_by_its_button(page: Page, server: MailsteadServer, size: tuple[int, int]) -> None:
    subject = f"Letters of a list {size[0]}"
    target = f"<mailto:bob@example.test?subject=leave{size[0]}>, <https://list.test/>"
    deliver(server, subject, "buy", List_Unsubscribe=target)
    page.locator(".row", has_text=subject).locator("a").click()
    page.get_by_role("button", name="Unsubscribe").click()
    expect(page.locator(".toast")).to_contain_text("off the list")
    host, port = server.address("imap")
    with imaplib.IMAP4(host, port) as client:
        client.starttls(server.client_context())
        client.login("bob@example.test", server.password("bob"))
        client.select()
        assert len(client.search(None, "SUBJECT", f"leave{size[0]}")[1][0].split()) == 1


def test_deceptive_senders_are_told_of(page: Page, server: MailsteadServer, size: tuple[int, int]) -> None:
    cases = {
        f"Named {size[0]}": ('"ceo@example.test" <eve@elsewhere.test>', "eve@elsewhere.test"),
        f"Written {size[0]}": ("Bank <info@xn--80ak6aa92e.com>", "xn--80ak6aa92e.com"),
    }
    for subject, (sender, told) in cases.items():
        deliver(server, subject, "x", sender=sender)
        page.locator(".row", has_text=subject).locator("a").click()
        expect(page.locator(".letter .notice.danger")).to_contain_text(told)
        page.goto(f"{origin(server)}/mail/")


def test_a_folder_is_made(server: MailsteadServer) -> None:
    with logged_in(server, "bob@example.test") as client:
        made = send(client, "/mail/folders/add", name="Bills/2026")
        assert "2026" in client.get(made.headers["location"]).text
        assert send(client, "/mail/folders/add", name="Bills/2026").status_code == 409
        assert send(client, "/mail/folders/add", name="").status_code == 400
        foreign = httpx.post(f"{origin(server)}/mail/folders/add", data={"name": "x"})
        assert foreign.status_code == 303
