"""Mail brought in and everything taken along, on pages: with scripts on a phone, without them on the desktop."""

import io
import mailbox
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from support.eventually import eventually_sync
from support.mailstead_server import MailsteadServer
from support.web import DESKTOP, PHONE, browsing, enter, logged_in, send
from web.test_webmail import deliver

pytestmark = pytest.mark.xdist_group("web-admin")
_WORK = 60_000  # milliseconds


def test_everything_is_taken_along_and_brought_in_again(
    browser: Browser, server: MailsteadServer, tmp_path: Path, pictures: Path
) -> None:
    deliver(server, "Taken along", "words", to="bob@example.test")
    with browsing(browser, server, size=DESKTOP, scripts=False) as page:
        enter(page, server, "bob@example.test", "/account/transfers")
        page.get_by_role("button", name="Export as mbox").click()
        expect(page.locator(".transfer .badge")).to_have_text("done", timeout=_WORK)
        page.screenshot(path=pictures / "transfers-1360.png", full_page=True)
        with page.expect_download() as download:
            page.get_by_role("link", name="Save").click()
        path = tmp_path / "all.zip"
        download.value.save_as(path)
    with zipfile.ZipFile(path) as archive:
        inbox = next(name for name in archive.namelist() if name.lower().endswith("inbox.mbox"))
        assert b"Taken along" in archive.read(inbox)
    server.command("user", "add", "fresh@example.test", "--password-stdin", given=b"a long password")
    with browsing(browser, server, size=PHONE, scheme="dark") as page:
        enter(page, server, "fresh@example.test", "/account/transfers", "a long password")
        page.set_input_files("#file", path)
        page.get_by_role("button", name="Bring it in").click()
        expect(page.locator(".transfer .badge")).to_have_text("done", timeout=_WORK)
        expect(page.locator(".transfer")).to_contain_text("new message")
        page.screenshot(path=pictures / "transfers-390.png", full_page=True)
        page.goto(page.url.replace("/account/transfers", "/mail/"))
        expect(page.locator(".row", has_text="Taken along")).to_have_count(1)


def test_a_file_comes_in_without_scripts_and_what_is_wrong_is_told(server: MailsteadServer, tmp_path: Path) -> None:
    box = mailbox.mbox(tmp_path / "old.mbox")
    box.add(b"From: a@elsewhere.test\nSubject: From an old box\nMessage-ID: <old@elsewhere.test>\n\nhello\n")
    box.close()
    with logged_in(server, "alice@example.test") as client:
        page = client.get("/account/transfers").text
        token = page.partition('name="csrf" value="')[2].partition('"')[0]
        files = {"file": ("old.mbox", io.BytesIO((tmp_path / "old.mbox").read_bytes()))}
        assert client.post("/account/transfers/file", data={"csrf": token}, files=files).status_code == 303
        eventually_sync(lambda: "1 new message" in client.get("/account/transfers").text, pause=0.2)
        refused = send(
            client, "/account/transfers/server", host="127.0.0.1", user="x", password="y", port="143", tls="no"
        )
        assert refused.status_code == 400
        assert "not a public one" in refused.text
        for action in ("cancel", "forget", "resume"):
            assert send(client, "/account/transfers", action=action, id="nothing").status_code == 404
        assert send(client, "/account/transfers", action="export", format="pst").status_code == 400
