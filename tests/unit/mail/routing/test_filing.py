"""One message in several folders: all of them or none, kept once, the same when it is tried again."""

from pathlib import Path

import pytest

from mailstead.administration.access_lists import set_access
from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.passwords import add_recovery_code, lock_mailbox
from mailstead.stores.mailbox import filing
from mailstead.stores.mailbox.dav.records import NewObject
from mailstead.stores.mailbox.messages import add_entry
from support.office import ALICE, MESSAGE, Office, office

SCRIPT = (
    'require ["fileinto", "mailbox", "copy", "editheader", "imap4flags"];'
    'fileinto :create "A"; fileinto :create :flags "work" "B"; addheader "X-Seen" "yes"; fileinto :create "C"; keep;'
)
CARD = (
    b"BEGIN:VCARD\r\nVERSION:4.0\r\nUID:%b\r\nFN:Somebody\r\nEMAIL:%b\r\n"
    b"NOTE:a long note that is folded\r\n after a while\r\nEND:VCARD\r\n"
)


async def _counts(post: Office) -> dict[str, int]:
    mailbox = await post.made.mailbox(ALICE)
    return {folder.name: len(mailbox.entries(folder.id)) for folder in mailbox.folders() if folder.uidnext > 1}


async def test_a_message_in_several_folders_is_kept_once(tmp_path: Path) -> None:
    async with office(tmp_path) as post:
        await post.script(SCRIPT)
        assert (await post.deliver()).outcome == "delivered"
        assert await _counts(post) == {"A": 1, "B": 1, "C": 1, "INBOX": 1}
        mailbox = await post.made.mailbox(ALICE)
        names = {}
        for folder in ("A", "B", "C", "INBOX"):
            ((_, name),) = [
                row
                for rows in mailbox.rows(mailbox.folder(folder).id, [(1, 2**32 - 1)], ("uid", "message_id"))
                for row in rows
            ]
            names[folder] = name
        assert names["A"] == names["B"] != names["C"] == names["INBOX"]
        assert len(mailbox.check()) == 0
        assert b"X-Seen" not in (await post.made.messages(ALICE, "B"))[0]
        assert b"X-Seen: yes" in (await post.made.messages(ALICE, "C"))[0]


async def test_all_folders_or_none_and_all_of_them_when_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with office(tmp_path) as post:
        await post.script(SCRIPT)

        def broken(*_: object) -> None:
            raise OSError("the disk is gone")

        # the second folder of the same message fails after the first one was written in the transaction
        monkeypatch.setattr(filing, "add_entry", broken)
        assert (await post.deliver()).outcome == "deferred"
        assert await _counts(post) == {}
        monkeypatch.setattr(filing, "add_entry", add_entry)
        for _ in range(2):
            assert (await post.deliver()).outcome == "delivered"
        assert await _counts(post) == {"A": 1, "B": 1, "C": 1, "INBOX": 1}


async def test_a_full_mailbox_takes_none_of_the_folders(tmp_path: Path) -> None:
    async with office(tmp_path) as post:
        await post.script(SCRIPT)
        await post.made.set_quota(ALICE, 3 * len(MESSAGE))
        assert (await post.deliver()).outcome == "deferred"
        assert await _counts(post) == {}


async def test_a_locked_mailbox_gets_all_folders_when_its_owner_comes(tmp_path: Path) -> None:
    async with office(tmp_path) as post:
        await post.script(SCRIPT)
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
        # one file for each form of the message, for both times
        assert len(list((made.mailboxes.directory(alias.mailbox_id) / "incoming").glob("*.sealed"))) == 4
        mailbox = await made.mailboxes.open(alias.mailbox_id, key)
        counts = {folder.name: len(mailbox.entries(folder.id)) for folder in mailbox.folders() if folder.uidnext > 1}
        assert counts == {"A": 1, "B": 1, "C": 1, "INBOX": 1}


async def test_lists_are_address_books_and_the_lists_of_the_domain(tmp_path: Path) -> None:
    async with office(tmp_path) as post:
        await post.script(
            'require ["extlists", "fileinto", "mailbox", "copy"];'
            'if header :list "from" ":addrbook:Default" { fileinto :copy :create "Known"; }'
            'if address :list "from" "tag:example.test,2026:deny" { fileinto :copy :create "Denied"; }'
            'if valid_ext_list ["tag:example.org,2026:deny"] { fileinto :copy :create "Wrong"; }'
            'if valid_ext_list [":addrbook:nobody"] { fileinto :copy :create "Wrong"; }'
            'redirect :copy :list ":addrbook:default"; discard;'
        )
        mailbox = await post.made.mailbox(ALICE)
        (book,) = mailbox.dav.collections("addressbook")
        for number, address in enumerate((b"Carol@example.net", b"dave@example.org")):
            uid = b"u%d" % number
            card = NewObject(f"{number}.vcf", uid.decode(), "VCARD", CARD % (uid, address))
            mailbox.dav.put(book.id, card, 1.0)
        await post.deliver()
        await set_access(post.made.administration, COMMAND_LINE, "deny", "spam.example", scope="example.test")
        from_spam = MESSAGE.replace(b"carol@example.net", b"eve@mail.spam.example")
        await post.deliver(from_spam, "t2", "eve@mail.spam.example")
        assert await _counts(post) == {"Known": 1, "Denied": 1}
        assert sorted(to for _, to, _ in await post.queued()) == [
            "Carol@example.net",
            "Carol@example.net",
            "dave@example.org",
            "dave@example.org",
        ]


async def test_a_rewritten_message_is_filed_and_the_original_redirected(tmp_path: Path) -> None:
    async with office(tmp_path) as post:
        await post.script(
            'require ["enclose", "copy"]; enclose :subject "Careful" "Look out."; redirect :copy "dave@example.org";'
        )
        await post.deliver()
        (octets,) = await post.made.messages(ALICE)
        assert octets.startswith(b"Return-Path: <carol@example.net>\r\nDelivered-To: alice@example.test\r\nDate: ")
        assert b"\r\nSubject: Careful\r\n" in octets
        assert MESSAGE in octets
        ((_, _, redirected),) = await post.queued()
        assert redirected.endswith(MESSAGE)
