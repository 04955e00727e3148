"""The typed Python client against the running API."""

from collections.abc import Iterator

import pytest

from mailstead_client import ApiError, Client
from mailstead_client.types import EmailWanted
from support.mailstead_server import MailsteadServer


@pytest.fixture(scope="module")
def url(server: MailsteadServer) -> str:
    host, port = server.address("api")
    return f"https://{host}:{port}"


@pytest.fixture
def admin(server: MailsteadServer, url: str) -> Iterator[Client]:
    with Client(url, "admin@example.test", server.password("admin"), context=server.client_context()) as client:
        yield client


def test_a_domain_is_set_up_and_mail_sent_and_read(server: MailsteadServer, url: str, admin: Client) -> None:
    domain = admin.post_domains({"domain": "client.test"})
    assert domain["name"] == "client.test"
    assert {record["type"] for record in admin.list_domains_dns_records("client.test")} >= {"MX", "TXT"}
    alias = admin.post_domains_aliases("client.test", {"name": "desk", "labels": ["new"]})
    login = admin.post_domains_aliases_generate_password("client.test", "desk", {})
    with Client(url, login["username"], login["password"], context=server.client_context()) as desk:
        once = {"Idempotency-Key": "client-1"}
        wanted: EmailWanted = {"to": alias["email"], "subject": "To myself", "text": "hello"}
        sent = [desk.post_emails(wanted, fields=once) for _ in range(2)]
        assert sent[0]["id"] == sent[1]["id"]
        assert desk.get_emails(sent[0]["id"])["status"] == "sent"
        found = desk.list_messages(subject="To myself", limit=1)
        assert (found.total, found[0]["is_unread"]) == (1, True)
        assert desk.put_messages(found[0]["id"], {"flags_add": ["\\Seen"]})["is_unread"] is False
        assert b"Subject: To myself" in desk.get_messages_raw(found[0]["id"])
        event = desk.list_calendars()
        assert [calendar["path"] for calendar in event] == ["default", "tasks"]
        with pytest.raises(ApiError) as refused:
            desk.list_domains()
        assert refused.value.status == 403
    assert admin.delete_domains("client.test", with_aliases=True)["id"] == "client.test"


def test_failures_name_the_fields(admin: Client) -> None:
    with pytest.raises(ApiError) as refused:
        admin.request("POST", "/v1/domains/{domain}/aliases", {"domain": "example.test"}, body={"name": 5})
    assert (refused.value.status, list(refused.value.fields)) == (400, ["name"])
    with pytest.raises(ApiError) as refused:
        admin.get_domains("../../v1/server/settings")
    assert refused.value.status in (400, 404)
