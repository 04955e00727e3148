"""The picture for phones says what Thunderbird's "Export for Mobile" format version 1 says."""

import json

from mailstead.interfaces.web.discovery.phone_code import phone_code, picture
from mailstead.interfaces.web.discovery.servers import MailServer, MailServers

HOST = "mail.example.test"
SERVERS = MailServers(
    (MailServer("imap", HOST, 993, "implicit"), MailServer("smtp", HOST, 587, "starttls")), f"https://{HOST}", HOST
)


def test_it_holds_one_account() -> None:
    told = json.loads(phone_code(SERVERS, "alice@example.test", "secret"))
    assert told == [
        1,
        [1, 1],
        [0, HOST, 993, 3, 1, "alice@example.test", None, "secret"],
        [[[0, HOST, 587, 2, 1, "alice@example.test", "secret"], ["alice@example.test", "alice"]]],
    ]


def test_without_a_server_to_send_by_there_is_none() -> None:
    assert phone_code(MailServers(SERVERS.mail[:1], "", HOST), "alice@example.test", "secret") == ""


def test_the_picture_is_one_svg_that_nothing_of_the_text_gets_into() -> None:
    drawn = picture("<script>")
    assert drawn.startswith("<svg")
    assert "script" not in drawn
