"""NOTIFY: what is told unasked, of all mailboxes, while the session waits for commands and while it idles."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mailstead.foundation.config.sections.server import ServerSettings
from mailstead.foundation.config.settings import Settings
from mailstead.protocols.imap.commands.notify import parse
from mailstead.protocols.imap.errors import CommandError, NoError
from mailstead.protocols.imap.grammar.cursor import Cursor
from support.imap_dialogue import MemoryTalk, imap_services
from support.installation import Installation, installation


class Client:
    def __init__(self, talk: MemoryTalk) -> None:
        self._talk = talk
        self._number = 0

    async def ask(self, line: str) -> list[str]:
        """The untagged lines of a command that ends well."""
        self._number += 1
        tag = f"t{self._number}"
        await self._talk.send(f"{tag} {line}\r\n".encode())
        told = []
        while not (found := await self.line()).startswith(f"{tag} "):
            told.append(found)
        assert found.startswith(f"{tag} OK"), found
        return told

    async def send(self, line: str) -> None:
        await self._talk.send(f"{line}\r\n".encode())

    async def line(self) -> str:
        found = (await self._talk.read_line()).decode()
        assert found, "the session is over"
        return found.removesuffix("\r\n")


@asynccontextmanager
async def clients(folder: Path) -> AsyncIterator[tuple[Client, Client]]:
    settings = Settings(server=ServerSettings(insecure_auth=True))
    async with installation(folder, settings) as made:
        await made.deliver("alice@example.test", b"Subject: first\r\n\r\n1\r\n")
        talks = [MemoryTalk(imap_services(_with_announcements(made)), tls=True) for _ in range(2)]
        pair = (Client(talks[0]), Client(talks[1]))
        for client in pair:
            await client.line()
            await client.ask(f"LOGIN alice@example.test {made.passwords['alice@example.test']}")
        try:
            yield pair
        finally:
            for talk in talks:
                await talk.close()


def _with_announcements(made: Installation) -> Installation:
    """Commits are told on the bus, as services do."""
    import asyncio

    loop = asyncio.get_running_loop()

    def committed(mailbox_id: str, modseq: int) -> None:
        loop.call_soon_threadsafe(lambda: loop.create_task(made.bus.publish(f"mailbox.{mailbox_id}", b"%d" % modseq)))

    made.mailboxes._on_commit = committed
    return made


async def test_other_mailboxes_are_followed(tmp_path: Path) -> None:
    async with clients(tmp_path) as (one, other):
        await one.ask("SELECT INBOX")
        events = "MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange MailboxMetadataChange"
        told = await one.ask(f"NOTIFY SET STATUS (personal ({events}))")
        assert sum(line.startswith("* STATUS") for line in told) == 5
        await other.send("x APPEND Sent {5+}\r\nhello")
        assert (await one.line()).startswith('* STATUS "Sent" (MESSAGES 1 UIDNEXT 2')
        await other.line()
        await other.ask("CREATE New")
        assert await one.line() == '* LIST (\\HasNoChildren) "/" "New"'
        await other.ask("RENAME New Newer")
        assert await one.line() == '* LIST (\\HasNoChildren) "/" "Newer" ("OLDNAME" ("New"))'
        await other.ask("SUBSCRIBE Newer")
        assert await one.line() == '* LIST (\\HasNoChildren \\Subscribed) "/" "Newer"'
        await other.ask('SETMETADATA Newer (/private/comment "x")')
        assert await one.line() == '* METADATA "Newer" /private/comment'
        await other.ask("DELETE Newer")
        assert await one.line() == '* LIST (\\NonExistent \\HasNoChildren \\Subscribed) "/" "Newer"'
        await one.ask("NOTIFY NONE")
        await other.ask("CREATE Silent")
        assert await one.ask("NOOP") == []


async def test_the_selected_mailbox_is_told_at_once_with_what_was_asked_for(tmp_path: Path) -> None:
    async with clients(tmp_path) as (one, other):
        await one.ask("SELECT INBOX")
        await one.ask("NOTIFY SET (selected-delayed (MessageNew (UID BODY.PEEK[TEXT]) MessageExpunge FlagChange))")
        await other.send("x APPEND INBOX {18+}\r\nSubject: a\r\n\r\ntext")
        await other.line()
        assert [await one.line() for _ in range(3)] == ["* 2 EXISTS", "* 2 RECENT", "* 2 FETCH (UID 2 BODY[TEXT] {4}"]
        assert await one.line() == "text)"
        await other.ask("SELECT INBOX")
        await other.ask("STORE 1 +FLAGS (\\Deleted)")
        assert (await one.line()).startswith("* 1 FETCH (UID 1 FLAGS (\\Deleted")
        await other.ask("EXPUNGE")
        assert await one.ask("NOOP") == ["* 1 EXPUNGE"]


async def test_an_idle_session_hears_of_others_too(tmp_path: Path) -> None:
    async with clients(tmp_path) as (one, other):
        await one.ask("NOTIFY SET (mailboxes (Sent) (MessageNew MessageExpunge))")
        await one.send("i IDLE")
        assert (await one.line()).startswith("+ ")
        await other.send("x APPEND Sent {5+}\r\nhello")
        assert (await one.line()).startswith('* STATUS "Sent" (MESSAGES 1')
        await one.send("DONE")
        assert (await one.line()).startswith("i OK")


@pytest.mark.parametrize(
    "text",
    [
        " SET",
        " SET (selected (MailboxName))",
        " SET (personal (MessageNew))",
        " SET (personal (FlagChange))",
        " SET (personal (MessageNew (UID) MessageExpunge))",
        " SET (selected (MessageNew MessageExpunge)) (selected-delayed NONE)",
        " SET (everything NONE)",
        " OFF",
    ],
)
def test_what_does_not_go_together_is_refused(text: str) -> None:
    with pytest.raises(CommandError):
        parse(Cursor(text.encode()))


def test_an_unknown_event_is_answered_with_those_that_are_known() -> None:
    with pytest.raises(NoError) as caught:
        parse(Cursor(b" SET (personal (AnnotationChange))"))
    assert (caught.value.imap_code or "").startswith("BADEVENT (MessageNew ")
