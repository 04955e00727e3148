"""Writing: rich text and plain, drafts that save themselves, pictures, people, names, sending later and taking back."""

import email
import imaplib
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from support.eventually import eventually_sync
from support.mailstead_server import MailsteadServer
from support.web import DESKTOP, PHONE, browsing, csrf, enter, logged_in, origin, send

pytestmark = pytest.mark.xdist_group("web")
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da63fcffff3f030005fe02fea7"
    "9a1d270000000049454e44ae426082"
)


def mail_of(server: MailsteadServer, name: str, folder: str, subject: str) -> list[EmailMessage]:
    """Messages of that subject."""
    host, port = server.address("imap")
    with imaplib.IMAP4(host, port) as client:
        client.starttls(server.client_context())
        client.login(f"{name}@example.test", server.password(name))
        client.select(folder)
        found = []
        for number in client.search(None, "SUBJECT", f'"{subject}"')[1][0].split():
            fetched: Any = client.fetch(number.decode(), "(RFC822)")[1]
            found.append(email.message_from_bytes(fetched[0][1], policy=default))
        return found


def body(message: EmailMessage, kind: str) -> str:
    found = message.get_body((kind,))
    assert isinstance(found, EmailMessage)
    return str(found.get_content())


def test_a_rich_letter_saves_itself_and_goes_out_whole(
    browser: Browser, server: MailsteadServer, size: tuple[int, int], pictures: Path
) -> None:
    subject = f"Rich {size[0]}"
    with browsing(browser, server, size=size, scheme="dark" if size == PHONE else "light") as page:
        enter(page, server, "alice@example.test", "/mail/compose")
        page.fill("#to", "bob@example.test")
        page.fill("#subject", subject)
        page.locator("#rich").click()
        page.get_by_role("button", name="Bold").click()
        page.keyboard.type("Strong")
        page.get_by_role("button", name="Bold").click()
        page.keyboard.type(" words")
        expect(page.locator("#saved")).to_have_text("Saved as a draft", timeout=15_000)
        (draft,) = mail_of(server, "alice", "Drafts", subject)
        assert "Strong" in body(draft, "html")
        page.screenshot(path=pictures / f"compose-{size[0]}.png")
        page.evaluate(
            """async (hex) => {
                const octets = Uint8Array.from(hex.match(/../g), (one) => parseInt(one, 16));
                const data = new DataTransfer();
                data.items.add(new File([octets], "dot.png", { type: "image/png" }));
                const rich = document.getElementById("rich");
                rich.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
            }""",
            PIXEL.hex(),
        )
        expect(page.locator("#rich img")).to_have_count(1)
        page.set_input_files("#files", {"name": "a.txt", "mimeType": "text/plain", "buffer": b"inside"})
        expect(page.locator("#carried")).to_contain_text("a.txt", timeout=15_000)
        page.reload()
        expect(page.locator("#rich img")).to_have_count(1)
        expect(page.locator("#rich b, #rich strong")).to_have_text("Strong")
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.locator("#list")).to_be_visible()
    (got,) = mail_of(server, "bob", "INBOX", subject)
    assert "<b>Strong</b>" in body(got, "html")
    assert "Strong" in body(got, "plain")
    kinds = [part.get_content_type() for part in got.walk()]
    assert kinds.count("image/png") == 1
    picture = next(part for part in got.walk() if part.get_content_type() == "image/png")
    assert f"cid:{picture['Content-ID'].strip('<>')}" in body(got, "html")
    assert [part.get_filename() for part in got.iter_attachments()] == ["a.txt"]
    assert mail_of(server, "alice", "Drafts", subject) == []


def test_people_are_found_as_one_types(browser: Browser, server: MailsteadServer) -> None:
    with logged_in(server, "alice@example.test") as client:
        to = "Zoë Quist <zoe@example.test>, bob@example.test"
        answer = send(client, "/mail/compose/", to=to, subject="Known", text="x", action="draft")
        draft = answer.headers["location"].partition("draft=")[2].partition("&")[0]
        folder, _, uid = draft.partition(".")
        page = client.get("/mail/").headers["location"]
        names = client.get(page).text
        sent = names.partition(">Sent<")[0].rpartition('data-folder="')[2].partition('"')[0]
        send(client, f"/mail/f/{folder}/do", into=sent, uid=uid, back="/")
    with browsing(browser, server, size=DESKTOP) as opened:
        enter(opened, server, "alice@example.test", "/mail/compose")
        opened.locator("#to").press_sequentially("zo")
        expect(opened.get_by_role("option")).to_have_count(1)
        opened.keyboard.press("ArrowDown")
        opened.keyboard.press("Enter")
        expect(opened.locator("#to")).to_have_value("Zoë Quist <zoe@example.test>, ")
        opened.locator("#to").press_sequentially("bo")
        expect(opened.get_by_role("option")).to_have_count(1)
        opened.keyboard.press("Escape")
        expect(opened.get_by_role("option")).to_have_count(0)


def test_what_was_sent_is_taken_back_and_sent_later(page: Page, server: MailsteadServer, size: tuple[int, int]) -> None:
    subject = f"Hasty {size[0]}"
    page.goto(f"{origin(server)}/account/writing")
    page.select_option("#undo", "300")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("[role=status]").first).to_contain_text("Saved")
    page.goto(f"{origin(server)}/mail/compose")
    page.fill("#to", "bob@example.test")
    page.fill("#subject", subject)
    page.locator("#rich").click()
    page.keyboard.type("Oh")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator(".toast")).to_contain_text("Sent")
    assert mail_of(server, "bob", "INBOX", subject) == []
    page.locator(".toast button").click()
    expect(page.locator("#subject")).to_have_value(subject)
    expect(page.locator("#rich")).to_contain_text("Oh")
    assert mail_of(server, "alice", "Sent", subject) == []
    with logged_in(server, "alice@example.test") as client:
        send(client, "/account/writing", undo="0")
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.locator("#list")).to_be_visible()
        eventually_sync(lambda: mail_of(server, "bob", "INBOX", subject))
        send(client, "/account/writing", undo="")
        for when, status in (("1", 400), ("x", 400), ("nan", 400), ("9999999999", 400)):
            form = {"to": "bob@example.test", "subject": "Late", "text": "x", "action": "send", "send_at": when}
            assert send(client, "/mail/compose/", **form).status_code == status, when
        assert send(client, "/mail/compose/take-back", id="nothing").status_code == 404


def test_names_and_signatures_go_along(server: MailsteadServer) -> None:
    server.command("alias", "add", "team@example.test", "--no-mailbox", "--forward-to", "bob@example.test")
    with logged_in(server, "bob@example.test") as client:
        send(
            client,
            "/account/writing",
            **{"name bob@example.test": "Bob B.", "signature bob@example.test": "Bob\nof the team <b>"},
        )
        form = client.get("/mail/compose").text
        assert "-- \nBob\nof the team &lt;b&gt;" in form
        assert "<b>" not in form.partition("<template")[2].partition("</template>")[0]
        send(client, "/mail/compose/", to="bob@example.test", subject="Signed", text="x", action="send")
        (got,) = mail_of(server, "bob", "INBOX", "Signed")
        assert got["From"] == '"Bob B." <bob@example.test>'
        send(
            client,
            "/mail/compose/",
            sender="alice@example.test",
            to="bob@example.test",
            subject="Forged",
            action="send",
        )
        (got,) = mail_of(server, "bob", "INBOX", "Forged")
        assert "bob@example.test" in got["From"]  # whoever the form names, it is an address of one's own
        assert send(client, "/account/writing", **{"name bob@example.test": "a\r\nBcc: x@y.test"}).status_code == 400
        send(client, "/account/writing", **{"name bob@example.test": ""})


HOSTILE_FORMS = (
    {"subject": "Injected\r\nBcc: eve@evil.test"},
    {"in_reply_to": "x>\r\nBcc: eve@evil.test"},
    {"references": "x>\r\nBcc: eve@evil.test"},
    {"html": '<p onclick="x()">Injected<script>x()</script><img src="https://evil.test/a"></p>', "is_rich": "yes"},
)


@pytest.mark.parametrize("form", HOSTILE_FORMS, ids="-".join)
def test_no_field_puts_more_into_the_message(server: MailsteadServer, form: dict[str, str]) -> None:
    subject = f"Injected {sorted(form)[0]}"
    given = {"to": "bob@example.test", "text": "x", "action": "send", "subject": subject} | form
    with logged_in(server, "bob@example.test") as client:
        answer = client.post("/mail/compose/", data=given | {"csrf": csrf(client)})
    for one in mail_of(server, "bob", "INBOX", "Injected"):
        assert one["Bcc"] is None
        text = one.as_string()
        assert "onclick" not in text
        assert "evil.test/a" not in text
        assert "script" not in text
    assert answer.status_code in (303, 400)


def test_a_quiet_save_tells_what_is_wrong(server: MailsteadServer) -> None:
    with logged_in(server, "bob@example.test") as client:
        form = {"to": "no address", "csrf": csrf(client), "action": "draft"}
        refused = client.post("/mail/compose/", data=form, headers={"accept": "application/json"})
        assert refused.status_code == 400
        assert "not an address" in refused.json()["problem"]
        saved = client.post(
            "/mail/compose/", data=form | {"to": "a@b.test"}, headers={"accept": "application/json"}
        ).json()
        again = client.post(
            "/mail/compose/",
            data=form | {"to": "a@b.test", "draft": saved["draft"]},
            headers={"accept": "application/json"},
        ).json()
        assert again["draft"] != saved["draft"]
        assert client.get(f"/mail/compose?draft={saved['draft']}").status_code == 404
    assert httpx.get(f"{origin(server)}/mail/compose/people?q=a").status_code == 303
