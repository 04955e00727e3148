"""People and their rights in domains: members and invites, passwords, scripts, and the log of what they did."""

import re
import smtplib
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from support.eventually import eventually_sync
from support.mailstead_server import MailsteadServer

Client = Callable[..., httpx.Client]
DOMAIN = "/domains/example.test"


def waiting_letter(client: httpx.Client, domain: str, address: str) -> str:
    """The invite's code out of the letter to `address`."""
    asked = {"subject": f"an invite to {domain}", "to": address}
    eventually_sync(lambda: client.get("/messages", params=asked).json())
    letter = client.get("/messages", params=asked).json()[0]
    found = re.search(r"^ {2}(\S{20,})$", client.get(f"/messages/{letter['id']}").json()["text"], re.MULTILINE)
    assert found is not None
    return found[1]


@pytest.fixture
def domain(as_account: Client) -> Any:
    """A second domain that admin owns."""
    with as_account("admin") as client:
        assert client.post("/domains", json={"domain": "second.test"}).status_code == 200
        yield "second.test"
        assert client.delete("/domains/second.test", params={"with_aliases": True}).status_code == 200


def test_a_user_is_invited_becomes_an_admin_of_the_domain_and_is_let_go(as_account: Client, domain: str) -> None:
    with as_account("admin") as admin, as_account("alice") as alice:
        path = f"/domains/{domain}"
        assert alice.get(f"{path}/aliases").status_code == 403
        invited = admin.post(f"{path}/invites", json={"email": "alice@example.test", "group": "admin"}).json()
        assert [one["email"] for one in invited["invites"]] == ["alice@example.test"]
        code = waiting_letter(alice, domain, "alice@example.test")
        assert alice.post(f"{path}/invites/accept", json={"token": "x" + code}).status_code == 404
        joined = alice.post(f"{path}/invites/accept", json={"token": code}).json()
        assert {(one["email"], one["group"], one["is_owner"]) for one in joined["members"]} == {
            ("admin@example.test", "admin", True),
            ("alice@example.test", "admin", False),
        }
        assert joined["invites"] == []
        assert alice.post(f"{path}/invites/accept", json={"token": code}).status_code == 404
        assert [one["name"] for one in alice.get("/domains").json()] == [domain]
        made = alice.post(f"{path}/aliases", json={"name": "*", "recipients": ["alice@example.test"]})
        assert made.status_code == 200, made.text
        (member,) = [one for one in joined["members"] if not one["is_owner"]]
        assert admin.put(f"{path}/members/{member['id']}", json={"group": "user"}).status_code == 200
        assert alice.get(f"{path}/members").status_code == 403
        assert alice.delete(f"{path}/members/{member['id']}").status_code == 200
        assert alice.get("/domains").json() == []
        owner = next(one["id"] for one in joined["members"] if one["is_owner"])
        assert admin.delete(f"{path}/members/{owner}").status_code == 403
        assert admin.delete(f"{path}/members/nobody").status_code == 404


def test_a_member_makes_plain_aliases_for_themselves_only(as_account: Client, domain: str) -> None:
    with as_account("admin") as admin, as_account("bob") as bob:
        path = f"/domains/{domain}"
        admin.post(f"{path}/invites", json={"email": "bob@example.test"})
        assert bob.get(f"{path}/invites").status_code == 200  # the account's own address was invited
        admin.post(f"{path}/aliases", json={"name": "theirs", "has_imap": False, "recipients": ["x@elsewhere.test"]})
        assert bob.post(f"{path}/aliases", json={"name": "bobby"}).status_code == 200
        for name in ("*", "/b.*/", "postmaster"):
            wanted = {"name": name, "recipients": ["bob@example.test"]}
            assert bob.post(f"{path}/aliases", json=wanted).status_code == 403, name
        assert bob.post(f"{path}/aliases", json={"name": "big", "max_quota": 10**12}).status_code == 403
        assert [one["name"] for one in bob.get(f"{path}/aliases").json()] == ["bobby"]
        assert bob.get(f"{path}/aliases/theirs").status_code == 403
        for forbidden in ({"max_quota": 10**12}, {"is_enabled": False}, {"error_code_if_disabled": 250}):
            assert bob.put(f"{path}/aliases/bobby", json=forbidden).status_code == 403, forbidden
        unchanged = bob.put(f"{path}/aliases/bobby", json={"is_enabled": True, "description": "mine"})
        assert (unchanged.status_code, unchanged.json()["description"]) == (200, "mine")
        assert bob.delete(path).status_code == 403
        assert bob.post(f"{path}/catch-all-passwords", json={}).status_code == 403


def test_a_stranger_makes_an_account_with_an_invite_s_code_alone(api: Client, as_account: Client, domain: str) -> None:
    with as_account("admin") as admin, api() as stranger:
        admin.post(
            f"{DOMAIN}/aliases", json={"name": "carol-in", "has_imap": False, "recipients": ["bob@example.test"]}
        )
        path = f"/domains/{domain}"
        assert admin.post(f"{path}/invites", json={"email": "carol-in@example.test"}).status_code == 200
        with as_account("bob") as bob:
            code = waiting_letter(bob, domain, "carol-in@example.test")
        wanted = {"email": "carol-in@example.test", "token": code}
        assert stranger.post("/account", json=wanted | {"email": "eve@elsewhere.test"}).status_code == 404
        assert stranger.post("/account", json=wanted | {"token": "guess"}).status_code == 404
        assert stranger.post("/account", json=wanted | {"password": "short"}).status_code == 400
        made = stranger.post("/account", json=wanted).json()
        assert stranger.post("/account", json=wanted).status_code == 404
        with api(made["token"]) as carol:
            assert carol.get("/account").json()["email"] == "carol-in@example.test"
            assert [one["name"] for one in carol.get("/domains").json()] == [domain]
            assert carol.get("/server/status").status_code == 403
        assert admin.delete(f"{path}/invites", params={}).status_code == 400


def test_an_invite_is_taken_back(as_account: Client, domain: str) -> None:
    with as_account("admin") as admin, as_account("bob") as bob:
        path = f"/domains/{domain}/invites"
        admin.post(path, json={"email": "bob@example.test"})
        gone = admin.request("DELETE", path, json={"email": "bob@example.test"})
        assert (gone.status_code, gone.json()["invites"]) == (200, [])
        assert bob.get(path).status_code == 404
        assert admin.request("DELETE", path, json={"email": "bob@example.test"}).status_code == 404


def test_a_domain_s_password_sends_as_any_of_its_addresses_and_reads_nothing(
    server: MailsteadServer, api: Client, as_account: Client
) -> None:
    with as_account("admin") as client:
        made = client.post(f"{DOMAIN}/catch-all-passwords", json={"description": "printer"}).json()
        assert made["password"] not in client.get(f"{DOMAIN}/catch-all-passwords").text
        with api("printer@example.test", made["password"]) as printer:
            assert printer.get("/account").status_code == 401
        host, port = server.address("submission")
        with smtplib.SMTP(host, port) as smtp:
            smtp.starttls(context=server.client_context())
            smtp.login("printer@example.test", made["password"])
            text = "From: scanner@example.test\r\nTo: bob@example.test\r\nSubject: scanned\r\n\r\npage\r\n"
            assert smtp.sendmail("scanner@example.test", ["bob@example.test"], text) == {}
            with pytest.raises(smtplib.SMTPSenderRefused):
                smtp.sendmail("scanner@elsewhere.test", ["bob@example.test"], text)
            with pytest.raises(smtplib.SMTPDataError):
                smtp.sendmail("a@example.test", ["bob@example.test"], text.replace("scanner@example", "b@elsewhere"))
        assert client.delete(f"{DOMAIN}/catch-all-passwords/{made['id']}").status_code == 204
        assert client.delete(f"{DOMAIN}/catch-all-passwords/{made['id']}").status_code == 404
        with smtplib.SMTP(host, port) as smtp:
            smtp.starttls(context=server.client_context())
            with pytest.raises(smtplib.SMTPAuthenticationError):
                smtp.login("printer@example.test", made["password"])
    with as_account("bob") as bob:
        assert bob.get("/messages", params={"subject": "scanned"}).json()[0]["sender"][0]["address"] == (
            "scanner@example.test"
        )


@pytest.mark.parametrize("path", ["/sieve-scripts", f"{DOMAIN}/aliases/bob/sieve"])
def test_filter_scripts_live_their_life(as_account: Client, path: str) -> None:
    keep, broken = 'require "fileinto";\nfileinto "Junk";\n', "keep"
    with as_account("bob") as client:
        assert client.get(path).json() == []
        made = client.post(path, json={"name": "main ü", "content": keep}).json()
        assert (made["name"], made["content"], made["is_active"]) == ("main ü", keep, False)
        assert client.post(path, json={"name": "main ü", "content": keep}).status_code == 409
        refused = client.post(path, json={"name": "bad", "content": broken})
        assert refused.status_code == 400
        assert "line" in refused.json()["message"]
        for body in ({"name": "x"}, {"content": keep}, {"name": "", "content": keep}, {"name": "x", "content": ""}):
            assert client.post(path, json=body).status_code == 400
        one = f"{path}/{made['id']}"
        assert client.post(f"{one}/activate").json()["is_active"] is True
        assert client.delete(one).status_code == 409
        changed = client.put(one, json={"name": "other", "content": "discard;\n"}).json()
        assert (changed["name"], changed["content"], changed["is_active"]) == ("other", "discard;\n", True)
        assert client.get(one).status_code == 404
        assert client.put(f"{path}/other", json={"content": broken}).status_code == 400
        client.post(path, json={"name": "next", "content": keep, "is_active": True})
        assert client.get(f"{path}/other").json()["is_active"] is False
        assert client.delete(f"{path}/other").json()["name"] == "other"
        assert client.post("/sieve-scripts/deactivate").status_code == 204
        assert client.delete(f"{path}/next").status_code == 200


def test_passwords_are_listed_and_revoked(api: Client, as_account: Client) -> None:
    with as_account("bob") as client:
        path = f"{DOMAIN}/aliases/bob"
        login = client.post(f"{path}/generate-password", json={"label": "phone"}).json()
        (phone,) = [one for one in client.get(f"{path}/passwords").json() if one["label"] == "phone"]
        assert phone["kind"] == "app_password"
        with api(login["username"], login["password"]) as phone_client:
            assert phone_client.get("/folders").status_code == 200
            assert phone_client.get(f"{path}/passwords").status_code == 403
        assert client.delete(f"{path}/passwords/{phone['id']}").status_code == 204
        assert client.delete(f"{path}/passwords/{phone['id']}").status_code == 404
    with api(login["username"], login["password"]) as phone_client:
        assert phone_client.get("/folders").status_code == 401


def test_the_account_password_is_changed_by_who_knows_it(
    server: MailsteadServer, api: Client, as_account: Client
) -> None:
    with as_account("admin") as client:
        assert client.post(f"{DOMAIN}/aliases", json={"name": "dora"}).status_code == 200
        assert server.command("user", "add", "dave@example.test", "--password-stdin", given=b"the first one\n")
    with api("dave@example.test", "the first one") as client:
        wrong = {"current_password": "not the first", "password": "the second one"}
        assert client.put("/account", json=wrong).status_code == 403
        assert client.put("/account", json=wrong | {"current_password": "the first one"}).status_code == 200
        assert client.get("/account").status_code == 401
    with api("dave@example.test", "the second one") as client:
        assert client.get("/account").json()["object"] == "user"
        assert client.get("/sessions").json() == []
        assert client.delete("/sessions").status_code == 204
        assert client.delete("/sessions/none").status_code == 404


def test_what_was_done_is_told_to_those_whom_it_concerns(as_account: Client) -> None:
    with as_account("admin") as admin, as_account("bob") as bob:
        admin.post(f"{DOMAIN}/aliases", json={"name": "audited"})
        admin.put(f"{DOMAIN}/aliases/audited", json={"description": "seen"})
        admin.delete(f"{DOMAIN}/aliases/audited")
        told = admin.get("/audit", params={"domain": "example.test", "limit": 3}).json()
        assert [(one["action"], one["target"]) for one in told] == [
            ("alias.remove", "audited@example.test"),
            ("alias.set", "audited@example.test"),
            ("alias.add", "audited@example.test"),
        ]
        assert told[0]["actor"] == "admin@example.test"
        following = admin.get("/audit", params={"domain": "example.test", "limit": 1, "after": told[0]["id"]}).json()
        assert following == [told[1]]
        by_target = admin.get("/audit", params={"target": "audited@example.test"}).json()
        assert [one["id"] for one in by_target] == [one["id"] for one in told]
        assert bob.get("/audit", params={"domain": "example.test"}).status_code == 403
        assert bob.get("/audit", params={"target": "audited@example.test"}).status_code == 403
        bob.post("/tokens", json={"label": "audit me"})
        own = bob.get("/audit").json()
        assert own[0]["action"] == "token.add"
        assert {one["actor"] for one in own} == {"bob@example.test"}


def test_admins_see_settings_and_status(as_account: Client) -> None:
    with as_account("admin") as admin, as_account("bob") as bob:
        settings = {one["name"]: one for one in admin.get("/server/settings").json()}
        assert settings["MAILSTEAD_API_RATE"]["value"] == "500000"
        assert settings["MAILSTEAD_SECRET"]["value"] in ("", "(set)")
        status = admin.get("/server/status").json()
        assert {"imap", "api", "mx"} <= {one["service"] for one in status["listeners"]}
        assert {"certificates", "dkim"} <= {one["name"] for one in status["jobs"]}
        assert status["domains"] >= 1
        for path in ("/server/settings", "/server/status"):
            assert bob.get(path).status_code == 403


def test_deleted_messages_come_back(as_account: Client) -> None:
    with as_account("bob") as client:
        raw = "From: a@x.test\r\nSubject: gone for a moment\r\n\r\nx\r\n"
        made = client.post("/messages", json={"raw": raw}).json()
        client.delete(f"/messages/{made['id']}", params={"permanent": True})
        assert client.get(f"/messages/{made['id']}").status_code == 404
        assert client.post("/undelete", json={"since": "2100-01-01"}).json()["restored"] == 0
        assert client.post("/undelete", json={"days": 1}).json()["restored"] >= 1
        assert client.get(f"/messages/{made['id']}").json()["folder"] == "INBOX"
        assert client.post("/undelete", json={"days": -1}).status_code == 400


def test_the_trace_is_downloaded_as_a_table_that_computes_nothing(as_account: Client) -> None:
    with as_account("bob") as bob, as_account("admin") as admin:
        bob.post("/emails", json={"to": "alice@example.test", "subject": "logged", "text": "x"})
        own = bob.get("/logs/download")
        assert own.headers["content-type"].startswith("text/csv")
        lines = own.text.splitlines()
        assert lines[0] == "at,id,service,event,message_id,addresses,text"
        assert any("bob@example.test" in line for line in lines[1:])
        assert bob.get("/logs/download", params={"domain": "example.test"}).status_code == 403
        assert bob.get("/logs/download", params={"q": "alice@example.test"}).status_code == 403
        whole = admin.get("/logs/download", params={"domain": "example.test"}).text
        assert "alice@example.test" in whole
        found = admin.get("/logs/download", params={"domain": "example.test", "q": "alice@example.test"}).text
        assert all("alice@example.test" in line for line in found.splitlines()[1:])
        assert "example.test" in admin.get("/logs/download").text


def test_addresses_are_suppressed_and_written_to_again(as_account: Client) -> None:
    path = f"{DOMAIN}/suppressions"
    with as_account("admin") as admin, as_account("bob") as bob:
        added = admin.post(path, json={"email": "Gone@Elsewhere.test", "description": "left"}).json()
        assert (added["email"], added["reason"]) == ("gone@elsewhere.test", "manual")
        assert [one["email"] for one in admin.get(path).json()] == ["gone@elsewhere.test"]
        refused = bob.post("/emails", json={"to": "gone@elsewhere.test", "subject": "s", "text": "t"})
        assert refused.status_code == 422
        assert admin.delete(f"{path}/gone@elsewhere.test").status_code == 204
        assert admin.delete(f"{path}/gone@elsewhere.test").status_code == 404
        assert bob.get(path).status_code == 403


def test_reports_and_proof_of_sending_are_told(as_account: Client) -> None:
    with as_account("admin") as admin:
        assert admin.get(f"{DOMAIN}/reports").json() == []
        assert admin.get(f"{DOMAIN}/reports/summary", params={"days": 7}).json()["reports"] == 0
        assert admin.get(f"{DOMAIN}/reports/none").status_code == 404
        assert admin.get(f"{DOMAIN}/verify-smtp").json()["is_verified"] is True  # never in public DNS


@pytest.mark.parametrize("path", [DOMAIN, "/server"])
def test_lists_of_who_may_write_are_replaced_whole(as_account: Client, path: str) -> None:
    with as_account("admin") as admin, as_account("bob") as bob:
        allowed = admin.put(f"{path}/allowlist", json={"allowlist": ["Friend.Test", "192.0.2.0/24", "a@b.test"]}).json()
        assert sorted(allowed["allowlist"]) == ["192.0.2.0/24", "a@b.test", "friend.test"]
        denied = admin.put(f"{path}/denylist", json={"denylist": ["spam.test"]}).json()
        assert (len(denied["allowlist"]), denied["denylist"]) == (3, ["spam.test"])
        assert admin.put(f"{path}/allowlist", json={"allowlist": ["a@b.test"]}).json()["allowlist"] == ["a@b.test"]
        assert admin.put(f"{path}/denylist", json={"denylist": ["not a value"]}).status_code == 400
        assert admin.put(f"{path}/denylist", json={"denylist": []}).json()["denylist"] == []
        assert admin.put(f"{path}/allowlist", json={"allowlist": []}).json()["allowlist"] == []
        assert bob.get(f"{path}/access").status_code == 403


def test_a_mailbox_is_taught_what_is_junk(as_account: Client) -> None:
    with as_account("bob") as client:
        made = client.post("/messages", json={"raw": "From: a@x.test\r\nSubject: buy now\r\n\r\nbuy\r\n"}).json()
        before = client.get("/junk").json()
        told = client.post("/junk", json={"message_id": made["id"], "is_junk": True}).json()
        assert told["folder"] == client.get(f"/messages/{made['id']}").json()["folder"] != "INBOX"
        eventually_sync(lambda: client.get("/junk").json()["learned_junk"] == before["learned_junk"] + 1)
        assert client.post("/junk", json={"message_id": made["id"], "is_junk": False}).json()["folder"] == "INBOX"
        assert client.post("/junk", json={"message_id": "M999999", "is_junk": True}).status_code == 404
        assert client.delete("/junk").status_code == 204


def test_an_alias_answers_while_its_owner_is_away_and_filters_as_told(as_account: Client) -> None:
    with as_account("bob") as client:
        path = f"{DOMAIN}/aliases/bob"
        wanted = {
            "vacation_responder_is_enabled": True,
            "vacation_responder_start_date": "2026-12-01",
            "vacation_responder_end_date": "2026-12-24T12:00:00Z",
            "vacation_responder_message": "Away.",
        }
        vacation = client.put(path, json=wanted).json()["vacation_responder"]
        assert (vacation["is_enabled"], vacation["end_date"]) == (True, "2026-12-24T12:00:00.000Z")
        changed = client.put(path, json={"vacation_responder_subject": "Later", "vacation_responder_end_date": None})
        assert changed.json()["vacation_responder"] == vacation | {"subject": "Later", "end_date": None}
        for bad in (
            {"vacation_responder_end_date": "2020-01-01"},
            {"vacation_responder_message": ""},
            {"vacation_responder_start_date": "soon"},
            {"vacation_responder_subject": "a\r\nBcc: x@y.test"},
            {"public_key": "no key"},
            {"junk_threshold": -1},
        ):
            assert client.put(path, json=bad).status_code == 400, bad
        assert client.put(path, json={"vacation_responder_is_enabled": False}).status_code == 200
        assert client.put(path, json={"junk_threshold": 3.5, "junk_filter": False}).json()["junk_threshold"] == 3.5
        assert client.put(path, json={"junk_threshold": None, "junk_filter": True}).json()["junk_threshold"] is None


def test_a_domain_that_is_added_again_with_the_same_key_is_added_once(as_account: Client) -> None:
    with as_account("admin") as admin:
        once = {"Idempotency-Key": "domain-once"}
        first, second = (admin.post("/domains", json={"domain": "once.test"}, headers=once) for _ in range(2))
        assert (first.status_code, second.json()) == (200, first.json())
        assert admin.post("/domains", json={"domain": "once.test"}).status_code == 409
        assert admin.delete("/domains/once.test").status_code == 200
