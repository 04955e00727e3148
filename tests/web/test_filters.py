"""Filters by form and by text, the answer while away, erased mail, and many aliases at once; all without JavaScript."""

import smtplib
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from support.eventually import eventually_sync
from support.mailstead_server import MailsteadServer
from support.web import csrf, enter, logged_in, origin, send

pytestmark = pytest.mark.xdist_group("web-admin")
PAGE = "/account/filters"


def deliver(server: MailsteadServer, to: str, subject: str, sender: str = "dora@elsewhere.test") -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Message-ID"] = f"<{subject.replace(' ', '.')}@elsewhere.test>"
    message.set_content("text")
    host, port = server.address("mx")
    with smtplib.SMTP(host, port) as client:
        client.send_message(message)


@pytest.fixture
def account(server: MailsteadServer, size: tuple[int, int]) -> tuple[str, str]:
    """A mailbox of the test's own."""
    address, password = f"filter{size[0]}@example.test", "a password of the test"
    server.command("user", "add", address, "--password-stdin", given=password.encode(), check=False)
    return address, password


def test_rules_scripts_and_the_answer_while_away(
    plain_page: Page, server: MailsteadServer, account: tuple[str, str], size: tuple[int, int], pictures: Path
) -> None:
    page, (address, password) = plain_page, account
    enter(page, server, address, PAGE, password)
    page.select_option("#field", "subject")
    page.fill("#value", 'Bill "nr" \\1')
    page.select_option("#action", "move")
    page.get_by_role("button", name="Add the rule").click()
    expect(page.get_by_role("alert")).to_contain_text("not complete")
    page.select_option("#field", "subject")
    page.fill("#value", 'Bill "nr" \\1')
    page.fill("#target", "Bills")
    page.get_by_role("button", name="Add the rule").click()
    expect(page.locator(".lines li")).to_have_count(1)
    page.select_option("#field", "from")
    page.fill("#value", "dora@")
    page.select_option("#action", "star")
    page.get_by_role("button", name="Add the rule").click()
    expect(page.locator(".lines li")).to_have_count(2)
    page.screenshot(path=pictures / f"filters-{size[0]}.png", full_page=True)
    deliver(server, address, 'Bill "nr" \\1 of today')
    deliver(server, address, "Only starred")
    page.goto(f"{origin(server)}/mail/")
    expect(page.locator(".row", has_text="Only starred").locator(".flagged")).to_have_count(1)
    expect(page.locator(".row", has_text="of today")).to_have_count(0)
    page.goto(f"{origin(server)}{page.locator('.folder', has_text='Bills').get_attribute('href')}")
    expect(page.locator(".row", has_text="of today")).to_have_count(1)

    page.goto(f"{origin(server)}{PAGE}")
    page.get_by_role("button", name="Remove: dora@").click()
    expect(page.locator(".lines li")).to_have_count(1)
    page.fill("#script-name", "mine")
    page.fill("#script-text", 'require "fileinto";\nfileinto nowhere;\n')
    page.get_by_role("button", name="Check and save").click()
    expect(page.get_by_role("alert")).to_contain_text("2")
    expect(page.locator("#script-text")).to_have_value('require "fileinto";\nfileinto nowhere;\n')
    page.fill("#script-text", 'require ["fileinto", "mailbox"];\nfileinto :create "Mine";\n')
    page.get_by_role("button", name="Check and save").click()
    page.locator("tr", has_text="mine").get_by_role("button", name="Run").click()
    expect(page.locator("tr", has_text="mine").locator(".badge")).to_have_text("runs")
    deliver(server, address, "By the script")
    page.goto(f"{origin(server)}/mail/")
    page.goto(f"{origin(server)}{page.locator('.folder', has_text='Mine').get_attribute('href')}")
    expect(page.locator(".row")).to_have_count(1)

    page.goto(f"{origin(server)}{PAGE}")
    page.locator("tr", has_text="mine").get_by_role("button", name="Stop").click()
    page.get_by_label("Answer mail by itself").check()
    page.fill("#vacation-subject", "On a ship")
    page.fill("#message", "Back in May.")
    page.locator("form[action$=vacation] button").click()
    expect(page.locator("form[action$=vacation] .badge")).to_have_text("on")
    deliver(server, address, f"Hello {size[0]}", "bob@example.test")
    with logged_in(server, "bob@example.test") as bob:
        inbox = bob.get("/mail/").headers["location"]
        eventually_sync(lambda: "On a ship" in bob.get(f"{inbox}?q=from:{address}").text)


def test_erased_mail_is_brought_back(plain_page: Page, server: MailsteadServer, account: tuple[str, str]) -> None:
    page, (address, password) = plain_page, account
    deliver(server, address, "Erased in haste")
    with logged_in(server, address, password) as client:
        inbox = client.get("/mail/").headers["location"]
        listed = client.get(f"{inbox}?q=subject:haste").text
        uid = listed.partition('data-uid="')[2].partition('"')[0]
        send(client, f"{inbox}/do", action="erase", uid=uid, back="/mail/")
        assert "Erased in haste" not in client.get(f"{inbox}?q=subject:haste").text.partition("<ol")[2]
    enter(page, server, address, "/account/erased", password)
    page.get_by_label("Select: Erased in haste").check()
    page.get_by_role("button", name="Bring back").click()
    expect(page.get_by_role("status").first).to_contain_text("back in the folder")
    page.goto(f"{origin(server)}{inbox}?q=subject:haste")
    expect(page.locator(".row", has_text="Erased in haste")).to_have_count(1)


def test_many_aliases_are_made_and_written_out(admin_client: httpx.Client) -> None:
    text = (
        'address,forward_to,mailbox\nbulk1@example.test,,yes\nbulk2@example.test,"a@b.test c@d.test",no\nno address,,\n'
    )
    files = {"file": ("a.csv", text.encode(), "text/csv")}
    answer = admin_client.post("/account/aliases/bulk", data={"csrf": csrf(admin_client)}, files=files)
    table = answer.text.partition('id="done"')[2].partition("</table>")[0]
    assert table.count("</svg>made") == 2
    assert "not made" in table
    again = send(admin_client, "/account/aliases/bulk", text=text).text
    assert "There is an alias bulk1@example.test already" in again
    written = admin_client.get("/account/aliases/bulk/csv")
    assert "bulk2@example.test,a@b.test c@d.test,no," in written.text
    assert written.headers["content-disposition"].startswith("attachment")
