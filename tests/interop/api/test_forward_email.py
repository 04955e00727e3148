"""Every endpoint and parameter of Forward Email's API v1 is in the OpenAPI document, or is named here with why not.

What is listed is what programs written for that API send; names alone are theirs.
"""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from support.api_document import METHODS

Client = Callable[..., httpx.Client]
DOMAIN, ALIAS = "/domains/{domain}", "/domains/{domain}/aliases/{name}"


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ALIAS_FIELDS = _words(
    "name recipients description labels has_recipient_verification is_enabled error_code_if_disabled has_imap has_pgp"
    " public_key max_quota vacation_responder_is_enabled vacation_responder_start_date vacation_responder_end_date"
    " vacation_responder_subject vacation_responder_message"
)
DOMAIN_FIELDS = _words(
    "domain plan catchall has_adult_content_protection has_phishing_protection has_executable_protection"
    " has_virus_protection has_recipient_verification ignore_mx_check retention_days bounce_webhook"
    " max_quota_per_alias smtp_port"
)
MESSAGE_FIELDS = _words(
    "from to cc bcc subject text html attachments sender replyTo inReplyTo references attachDataUrls watchHtml amp"
    " icalEvent alternatives encoding raw textEncoding priority headers messageId date list"
)
FILTERS = _words(
    "folder is_unread is_flagged is_deleted is_draft is_junk has_attachment subject body text headers message_id search q"
    " since before min_size max_size page limit"
)
SCRIPTS = ("name", "content")

# method, path, parameters of the query, members of the body
TABLE: list[tuple[str, str, tuple[str, ...], tuple[str, ...]]] = [
    ("get", "/test", (), ()),
    ("post", "/account", (), ("email", "password")),
    ("get", "/account", (), ()),
    ("put", "/account", (), ("email", "given_name", "family_name", "avatar_url")),
    ("post", "/encrypt", (), ("input",)),
    ("get", "/logs/download", ("q", "domain"), ()),
    ("post", "/log", (), ()),
    ("get", "/lookup", (), ()),
    ("get", "/port", (), ()),
    ("get", "/settings", (), ()),
    ("get", "/max-forwarded-addresses", (), ()),
    ("post", "/self-test", (), ()),
    ("post", "/upgrade", (), ()),
    ("post", "/emails", (), MESSAGE_FIELDS),
    ("get", "/emails", ("q", "domain", "sort", "page", "limit"), ()),
    ("get", "/emails/limit", (), ()),
    ("get", "/emails/{id}", (), ()),
    ("delete", "/emails/{id}", (), ()),
    ("get", "/domains", ("q", "name", "sort", "page", "limit"), ()),
    ("post", "/domains", (), DOMAIN_FIELDS),
    ("get", DOMAIN, (), ()),
    ("put", DOMAIN, (), DOMAIN_FIELDS[2:]),
    ("delete", DOMAIN, (), ()),
    ("get", f"{DOMAIN}/verify-records", (), ()),
    ("get", f"{DOMAIN}/verify-smtp", (), ()),
    ("post", f"{DOMAIN}/test-s3-connection", (), ()),
    ("put", f"{DOMAIN}/allowlist", (), ("allowlist",)),
    ("put", f"{DOMAIN}/denylist", (), ("denylist",)),
    ("get", f"{DOMAIN}/invites", (), ()),
    ("post", f"{DOMAIN}/invites", (), ("email", "group")),
    ("delete", f"{DOMAIN}/invites", (), ("email",)),
    ("put", f"{DOMAIN}/members/{{id}}", (), ("group",)),
    ("delete", f"{DOMAIN}/members/{{id}}", (), ()),
    ("get", f"{DOMAIN}/catch-all-passwords", (), ()),
    ("post", f"{DOMAIN}/catch-all-passwords", (), ("new_password", "description")),
    ("delete", f"{DOMAIN}/catch-all-passwords/{{id}}", (), ()),
    ("get", f"{DOMAIN}/aliases", ("q", "name", "recipient", "sort", "page", "limit"), ()),
    ("post", f"{DOMAIN}/aliases", (), ALIAS_FIELDS),
    ("get", ALIAS, (), ()),
    ("put", ALIAS, (), ALIAS_FIELDS),
    ("delete", ALIAS, (), ()),
    ("post", f"{ALIAS}/generate-password", (), ("new_password", "password", "is_override", "emailed_instructions")),
    *[
        row
        for base in (f"{ALIAS}/sieve", "/sieve-scripts")
        for row in (
            ("get", base, (), ()),
            ("post", base, (), SCRIPTS),
            ("get", f"{base}/{{id}}", (), ()),
            ("put", f"{base}/{{id}}", (), SCRIPTS),
            ("delete", f"{base}/{{id}}", (), ()),
            ("post", f"{base}/{{id}}/activate", (), ()),
        )
    ],
    *[
        row
        for base, query, body in (
            ("/contacts", ("page", "limit"), ("full_name", "emails", "phone_numbers")),
            ("/calendars", ("page", "limit"), ("name", "description", "color", "timezone")),
            (
                "/calendar-events",
                ("calendar_id", "start_date", "end_date", "include_deleted", "sort", "page", "limit"),
                ("calendar_id", "ical", "event_id"),
            ),
            ("/folders", ("subscribed",), ("path", "subscribed")),
            ("/messages", FILTERS, ("raw", "folder", "flags", "labels")),
        )
        for row in (
            ("get", base, query, ()),
            ("post", base, (), body),
            ("get", f"{base}/{{id}}", ("nodemailer", "attachments", "raw", "eml") if base == "/messages" else (), ()),
            ("put", f"{base}/{{id}}", (), ("flags", "labels", "folder") if base == "/messages" else ()),
            ("delete", f"{base}/{{id}}", (), ()),
        )
    ],
]  # fmt: skip

_PLANS = "there are no plans and payments here"
_HOSTED = "for the hosted service's own programs"
NOT_HERE: dict[tuple[str, str], str] = {
    ("post", "/encrypt"): "forwarding is kept in the directory, not in DNS records that would have to be encrypted",
    ("post", "/log"): "the trace tells what happened; nobody has to report it",
    ("get", "/lookup"): _HOSTED,
    ("get", "/port"): _HOSTED,
    ("get", "/settings"): _HOSTED,
    ("get", "/max-forwarded-addresses"): _HOSTED,
    ("post", "/self-test"): _HOSTED,
    ("post", "/upgrade"): _PLANS,
    ("post", f"{DOMAIN}/test-s3-connection"): "backups are the installation's, not a domain's",
}


# What a listed operation lacks, and why.
_PROTECTION = "what is looked for in mail is set for the server"
_DOMAIN = {
    "has_adult_content_protection": _PROTECTION,
    "has_phishing_protection": _PROTECTION,
    "has_executable_protection": _PROTECTION,
    "has_virus_protection": _PROTECTION,
    "has_recipient_verification": "who may make an alias may say where it leads",
    "ignore_mx_check": "nothing is refused for what a domain's MX records say",
    "max_quota_per_alias": "each alias has a quota of its own, the server one for all others",
    "retention_days": "what was sent is told by the trace, for as long as the server is set to",
    "smtp_port": "mail is kept here; an alias forwards to addresses, not to ports",
}
_RECIPIENTS = {"has_recipient_verification": _DOMAIN["has_recipient_verification"]}
_PROFILE = "accounts have no profile, and an account's address is its mailbox"
LEFT_OUT: dict[tuple[str, str], dict[str, str]] = {
    ("put", "/account"): dict.fromkeys(("email", "given_name", "family_name", "avatar_url"), _PROFILE),
    ("post", "/domains"): _DOMAIN | {"plan": _PLANS},
    ("put", DOMAIN): _DOMAIN | {"catchall": "the alias * is changed as every other"},
    ("post", f"{DOMAIN}/catch-all-passwords"): {
        "new_password": "they are always generated, so that a fast hash keeps them safe"
    },
    ("post", f"{DOMAIN}/aliases"): _RECIPIENTS | {"has_pgp": "it is a public_key that encrypts"},
    ("put", ALIAS): _RECIPIENTS
    | {
        "has_pgp": "it is a public_key that encrypts",
        "has_imap": "a mailbox is made with its alias, and removed with it",
        "name": "another name is another alias: mail that is on its way knows the old one",
    },
    ("post", f"{ALIAS}/generate-password"): {
        "is_override": "a new password loses no mail here: the mailbox's key is not the password",
        "emailed_instructions": "passwords are not sent by mail",
    },
    ("get", "/calendar-events"): {"include_deleted": "a deleted object is gone; programs learn of it by sync tokens"},
}


def plain(path: str) -> str:
    """A path with nameless parameters."""
    return "/".join("{}" if part.startswith("{") else part for part in path.removeprefix("/v1").rstrip("/").split("/"))


@pytest.fixture(scope="module")
def found(document: dict[str, Any]) -> dict[tuple[str, str], set[str]]:
    """What each operation takes: parameters of the query, and members of its body."""
    schemas = document["components"]["schemas"]

    def members(operation: dict[str, Any]) -> set[str]:
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        reference = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
        return set(schemas[reference]["properties"]) if reference else set()

    return {
        (method, plain(path)): {one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"}
        | members(operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


def test_what_their_programs_ask_for_is_there(found: dict[tuple[str, str], set[str]]) -> None:
    missing = {}
    for method, path, query, body in TABLE:
        operation = found.get((method, plain(path)))
        if operation is None:
            missing[method, path] = {"all of it"} - ({"all of it"} if (method, path) in NOT_HERE else set())
        else:
            missing[method, path] = {*query, *body} - operation - LEFT_OUT.get((method, path), {}).keys()
    assert {key: names for key, names in missing.items() if names} == {}


def test_what_is_said_to_lack_does(found: dict[tuple[str, str], set[str]]) -> None:
    listed = {(method, path) for method, path, _, _ in TABLE}
    for method, path in NOT_HERE:
        assert (method, path) in listed
        assert (method, plain(path)) not in found
    for (method, path), names in LEFT_OUT.items():
        assert (method, path) in listed
        assert not found[method, plain(path)] & names.keys()


def test_a_domain_comes_with_its_catch_all_or_not_at_all(as_account: Client) -> None:
    with as_account("admin") as client:
        wanted = {"domain": "caught.test", "catchall": True, "bounce_webhook": "https://hooks.elsewhere.test/b"}
        assert client.post("/domains", json=wanted).json()["bounce_webhook"] == wanted["bounce_webhook"]
        (alias,) = client.get("/domains/caught.test/aliases").json()
        assert (alias["name"], alias["recipients"], alias["has_imap"]) == ("*", ["admin@example.test"], False)
        bad = client.post("/domains", json={"domain": "uncaught.test", "catchall": ["no address"]})
        assert bad.status_code == 400
        assert client.get("/domains/uncaught.test").status_code == 404
        names = [one["name"] for one in client.get("/domains", params={"sort": "-name"}).json()]
        assert names == ["example.test", "caught.test"]
        assert [one["name"] for one in client.get("/domains", params={"q": "CAUGHT"}).json()] == ["caught.test"]
        assert client.get("/domains", params={"name": "caught"}).json() == []
        assert client.get("/domains", params={"sort": "owner"}).status_code == 400


def test_an_alias_is_made_with_its_reply_and_listed_by_what_it_has(as_account: Client) -> None:
    aliases = "/domains/example.test/aliases"
    with as_account("admin") as client:
        away = {"vacation_responder_is_enabled": True, "vacation_responder_message": "Away"}
        made = client.post(aliases, json={"name": "away", "recipients": ["x@elsewhere.test"], **away}).json()
        assert (made["vacation_responder"]["is_enabled"], made["vacation_responder"]["message"]) == (True, "Away")
        assert client.post(aliases, json={"name": "keyed", "public_key": "no key"}).status_code == 400
        assert client.get(f"{aliases}/keyed").status_code == 404
        assert [one["name"] for one in client.get(aliases, params={"recipient": "ELSEWHERE"}).json()] == ["away"]
        assert [one["name"] for one in client.get(aliases, params={"name": "wa"}).json()] == ["away"]
        newest = client.get(aliases, params={"sort": "-created_at", "limit": 1}).json()
        assert [one["name"] for one in newest] == ["away"]


def test_lists_of_a_mailbox_are_narrowed_by_its_switches(as_account: Client) -> None:
    with as_account("alice") as client:
        client.post("/folders", json={"path": "Unseen", "subscribed": False})
        assert [one["path"] for one in client.get("/folders", params={"subscribed": False}).json()].count("Unseen") == 1
        assert "Unseen" not in {one["path"] for one in client.get("/folders", params={"subscribed": True}).json()}
        junk = next(one["path"] for one in client.get("/folders").json() if one["special_use"] == "\\Junk")
        raw = {"raw": "Subject: buy\r\n\r\nnow\r\n", "folder": junk}
        message = client.post("/messages", json=raw).json()
        assert [one["subject"] for one in client.get("/messages", params={"is_junk": True}).json()] == ["buy"]
        assert client.get("/messages", params={"is_junk": False, "folder": junk}).json() == []
        assert client.get("/messages", params={"is_junk": True, "folder": "INBOX"}).json() == []
        assert "text" in client.get(f"/messages/{message['id']}").json()
        assert "text" not in client.get(f"/messages/{message['id']}", params={"nodemailer": False}).json()
        pages = client.get("/calendars", params={"limit": 1, "page": 2})
        assert (len(pages.json()), pages.headers["x-item-count"]) == (1, "2")
        for uid in ("one", "two"):
            client.post("/calendar-events", json={"ical": EVENT.format(uid), "event_id": uid})
        changed = [one["uid"] for one in client.get("/calendar-events", params={"sort": "updated_at"}).json()]
        assert changed == [one["uid"] for one in client.get("/calendar-events").json()][::-1]


EVENT = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nBEGIN:VEVENT\r\nUID:{}\r\nDTSTAMP:20260101T000000Z\r\n"
    "DTSTART:20260102T100000Z\r\nSUMMARY:Kept\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
