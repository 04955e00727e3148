"""Filter scripts at final delivery: what they decide is done, once, and told in the trace."""

from pathlib import Path

import pytest

from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.passwords import add_recovery_code, lock_mailbox
from mailstead.administration.scripts import activate_script, put_script
from support.office import ALICE, MESSAGE, office


async def test_without_a_script_mail_goes_to_the_inbox(tmp_path: Path) -> None:
    async with office(tmp_path) as post:
        assert (await post.deliver()).outcome == "delivered"
        (octets,) = await post.made.messages(ALICE)
        assert octets.endswith(MESSAGE)


async def test_several_folders_made_flagged_and_edited(tmp_path: Path) -> None:
    async with office(tmp_path) as post:
        await post.script(
            'require ["fileinto", "mailbox", "imap4flags", "editheader", "special-use", "copy"];'
            'fileinto :create :flags ["\\\\Flagged", "work"] "Lists/Sieve";'
            'addheader "X-Seen" "yes"; fileinto :specialuse "\\\\Junk" "none"; fileinto "Nowhere"; keep;'
        )
        assert (await post.deliver()).outcome == "delivered"
        mailbox = await post.made.mailbox(ALICE)
        ((_, flags, keywords, _),) = mailbox.entries(mailbox.folder("Lists/Sieve").id)
        assert (flags, keywords) == (4, "work")
        (filed,) = await post.made.messages(ALICE, "Lists/Sieve")
        assert filed == b"Return-Path: <carol@example.net>\r\nDelivered-To: alice@example.test\r\n" + MESSAGE
        (junk,) = await post.made.messages(ALICE, "Junk")
        assert b"\r\nX-Seen: yes\r\nFrom: carol" in junk
        # a folder that lacks is no reason to lose mail: INBOX has that copy and the kept one
        assert len(await post.made.messages(ALICE)) == 2
        told = await post.told()
        assert 'It is filed into "Lists/Sieve" by the filter script (line 1).' in told
        assert "put into Lists/Sieve of alice@example.test" in told


async def test_a_delivery_tried_again_does_everything_once(tmp_path: Path) -> None:
    async with office(tmp_path) as post:
        await post.script(
            'require ["fileinto", "mailbox", "copy", "vacation", "enotify", "duplicate", "fcc"];'
            'if duplicate { discard; stop; } fileinto :create "A"; redirect :copy "dave@example.org";'
            'vacation :fcc "Sent" "Away."; notify "mailto:phone@example.org"; keep;'
        )
        for _ in range(2):
            assert (await post.deliver()).outcome == "delivered"
        assert len(await post.made.messages(ALICE, "A")) == 1
        assert len(await post.made.messages(ALICE)) == 1
        assert len(await post.made.messages(ALICE, "Sent")) == 1
        assert sorted((sender, to) for sender, to, _ in await post.queued()) == [
            ("", "carol@example.net"),
            ("", "phone@example.org"),
            ("carol@example.net", "dave@example.org"),
        ]
        # the same message by another delivery is a duplicate
        assert (await post.deliver(trace_id="t2")).outcome == "delivered"
        assert len(await post.made.messages(ALICE, "A")) == 1
        assert len(await post.queued()) == 3


async def test_discard(tmp_path: Path) -> None:
    async with office(tmp_path) as post:
        await post.script("discard;")
        assert (await post.deliver()).outcome == "delivered"
        assert await post.made.messages(ALICE) == []
        assert await post.told() == ["The implicit keep is cancelled: discard (line 1)."]


@pytest.mark.parametrize("command", ["reject", "ereject"])
async def test_a_refusal_is_the_result_of_this_recipient(tmp_path: Path, command: str) -> None:
    async with office(tmp_path) as post:
        await post.script(f'require "{command}"; {command} "Not\r\nwanted.";')
        result = await post.deliver()
        assert (result.outcome, result.smtp_code, result.enhanced_code) == ("failed", 550, "5.7.1")
        assert result.text == "Not wanted."
        assert await post.made.messages(ALICE) == []


async def test_redirect_keeps_the_sender_and_ends_loops(tmp_path: Path) -> None:
    async with office(tmp_path) as post:
        await post.script('require "editheader"; deleteheader "Subject"; redirect "dave@example.org";')
        await post.deliver()
        ((sender, to, octets),) = await post.queued()
        assert (sender, to) == ("carol@example.net", "dave@example.org")
        assert octets.startswith(b"Delivered-To: alice@example.test\r\nFrom: carol@example.net\r\n")
        assert b"Subject" not in octets
        assert octets.endswith(b"\r\n\r\nHi.\r\n")
        assert await post.made.messages(ALICE) == []
        # it comes back
        await post.deliver(octets, trace_id="t2")
        assert len(await post.queued()) == 1
        assert len(await post.made.messages(ALICE)) == 1
        assert "It was delivered here before, so it is not redirected again but kept." in await post.told("t2")


async def test_vacation_answers_a_sender_once_in_its_time(tmp_path: Path) -> None:
    async with office(tmp_path) as post:
        await post.script('require "vacation"; vacation :days 7 :subject "Äwäy" "Back on Monday.";')
        for number in range(3):
            await post.deliver(trace_id=f"t{number}")
        await post.deliver(trace_id="t9", sender="dave@example.org")
        queued = await post.queued()
        assert [(sender, to) for sender, to, _ in queued] == [("", "carol@example.net"), ("", "dave@example.org")]
        reply = queued[0][2]
        assert b"From: alice@example.test\r\nTo: carol@example.net\r\n" in reply
        assert b"Subject: =?utf-8?" in reply
        assert b"Auto-Submitted: auto-replied (vacation)\r\n" in reply
        assert b"In-Reply-To: <1@example.net>\r\nReferences: <1@example.net>\r\n" in reply
        assert b"Back on Monday." in reply
        assert len(await post.made.messages(ALICE)) == 4


async def test_a_mime_reason_cannot_speak_for_others(tmp_path: Path) -> None:
    async with office(tmp_path) as post:
        await post.script(
            'require "vacation"; vacation :mime text:\r\n'
            "Content-Type: text/html; charset=utf-8\r\nFrom: ceo@example.com\r\nBcc: x@example.com\r\n\r\n<b>hü</b>\r\n.\r\n;"
        )
        await post.deliver()
        ((_, _, reply),) = await post.queued()
        assert reply.endswith("Content-Type: text/html; charset=utf-8\r\n\r\n<b>hü</b>\r\n".encode())
        assert b"ceo@" not in reply
        assert b"Bcc" not in reply


async def test_a_script_that_fails_keeps_the_mail_and_tells_the_owner_once(tmp_path: Path) -> None:
    async with office(tmp_path) as post:
        await post.script('require ["fileinto", "variables"]; fileinto "${nothing}";')
        for number in range(2):
            assert (await post.deliver(trace_id=f"t{number}")).outcome == "delivered"
        subjects = await post.subjects("INBOX")
        assert sorted(subjects) == [
            b"Subject: Hello",
            b"Subject: Hello",
            b"Subject: Your mail filter script has a problem",
        ]
        assert await post.queued() == []  # the sender is not told
        assert any(
            "The filter script failed, so the message is kept in INBOX" in text for text in await post.told("t0")
        )


async def test_included_scripts_and_folders_are_found(tmp_path: Path) -> None:
    async with office(tmp_path) as post:
        await put_script(
            post.made.administration,
            COMMAND_LINE,
            ALICE,
            "rules",
            b'require ["mailbox", "fileinto"]; if mailboxexists "Archive" { fileinto "Archive"; }'
            b' if mailboxexists "Nowhere" { discard; }',
        )
        await post.script('require "include"; include "rules"; include :optional "gone";')
        await post.deliver()
        assert len(await post.made.messages(ALICE, "Archive")) == 1


async def test_a_changed_script_is_the_one_that_runs(tmp_path: Path) -> None:
    async with office(tmp_path) as post:
        await post.script("discard;")
        await post.deliver()
        await post.script("keep;")
        await post.deliver(trace_id="t2")
        assert len(await post.made.messages(ALICE)) == 1
        await activate_script(post.made.administration, COMMAND_LINE, ALICE, "")
        await post.deliver(trace_id="t3")
        assert len(await post.made.messages(ALICE)) == 2


async def test_the_decision_is_sealed_beside_the_mail_of_a_locked_mailbox(tmp_path: Path) -> None:
    async with office(tmp_path) as post:
        await post.script(
            'require ["fileinto", "mailbox", "imap4flags"]; fileinto :create :flags "\\\\Seen" "Projects"; keep;'
        )
        made = post.made
        alias = await made.directory.alias(ALICE)
        assert alias is not None
        key = await made.directory.mailbox_key(alias.mailbox_id)
        assert key is not None
        await add_recovery_code(made.administration, COMMAND_LINE, ALICE)
        await lock_mailbox(made.administration, COMMAND_LINE, ALICE)
        made.mailboxes.forget(alias.mailbox_id)
        for _ in range(2):
            assert (await post.deliver()).outcome == "delivered"
        assert any("sealed" in text for text in await post.told())
        mailbox = await made.mailboxes.open(alias.mailbox_id, key)
        ((_, flags, _, _),) = mailbox.entries(mailbox.folder("Projects").id)
        assert flags == 1
        assert len(mailbox.entries(mailbox.folder("INBOX").id)) == 1
