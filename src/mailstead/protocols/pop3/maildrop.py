"""INBOX as it was at login: numbers, sizes, unique ids, and what is marked for removal."""

from collections.abc import AsyncIterator, Iterator

from mailstead.stores.directory.records import Account
from mailstead.stores.mailbox.content import MessageContent
from mailstead.stores.mailbox.folders import INBOX
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.mailboxes import Mailboxes

_UID_MOST = 2**32 - 1
_INLINE = 64 * 1024  # what is read on the loop itself: a thread hop would cost more
_BLOCK = 256 * 1024
_AHEAD = 100  # rows read at once while a client goes through the messages in order

Row = tuple[int, int, int]  # uid, size, message id


class Maildrop:
    """Messages have the numbers 1 to `len(self)`; methods take numbers that `is_present` was true for."""

    def __init__(self, mailboxes: Mailboxes, mailbox: Mailbox, folder_id: int, uidvalidity: int, rows: list[Row]):
        self._mailboxes = mailboxes
        self._mailbox = mailbox
        self._folder_id = folder_id
        self._uidvalidity = uidvalidity
        self._rows = rows
        self._marked: set[int] = set()
        self._size = sum(size for _, size, _ in rows)
        self._ahead: dict[int, MessageContent] = {}
        self._previous = 0
        self.last = 0

    @staticmethod
    async def open(mailboxes: Mailboxes, account: Account) -> "Maildrop":
        """The maildrop of an account. Raises WrongKeyError, MailboxBusyError, MailboxDamagedError."""
        mailbox = await mailboxes.open(account.mailbox_id, account.key)

        def read() -> tuple[int, int, list[Row]]:
            folder = mailbox.folder(INBOX)
            found: list[Row] = []
            for rows in mailbox.rows(folder.id, [(1, _UID_MOST)], ("uid", "size", "message_id"), 5000):
                found += [(uid, size, message_id) for uid, size, message_id in rows]
            return folder.id, folder.uidvalidity, found

        return Maildrop(mailboxes, mailbox, *await mailboxes.run(read))

    def __len__(self) -> int:
        return len(self._rows)

    def is_present(self, number: int) -> bool:
        """Whether there is such a message and it is not marked."""
        return 1 <= number <= len(self._rows) and number not in self._marked

    @property
    def count(self) -> int:
        """Messages that are not marked."""
        return len(self._rows) - len(self._marked)

    @property
    def size(self) -> int:
        """Octets of the messages that are not marked."""
        return self._size

    @property
    def marked(self) -> int:
        """Messages that QUIT will remove."""
        return len(self._marked)

    def numbers(self) -> Iterator[int]:
        """The numbers of the messages that are not marked."""
        return (number for number in range(1, len(self._rows) + 1) if number not in self._marked)

    def size_of(self, number: int) -> int:
        """Octets of one message."""
        return self._rows[number - 1][1]

    def unique_id(self, number: int) -> str:
        """Never given to another message: uidvalidity and uid (RFC 1939 §7, RFC 9051 §2.3.1.1)."""
        return f"{self._uidvalidity}.{self._rows[number - 1][0]}"

    def mark(self, number: int) -> None:
        """Mark for removal at QUIT."""
        self._marked.add(number)
        self._size -= self._rows[number - 1][1]
        self._touched(number)

    def unmark_all(self) -> None:
        """Take all marks away."""
        self._marked.clear()
        self._size = sum(size for _, size, _ in self._rows)
        self.last = 0

    def _touched(self, number: int) -> None:
        self.last = max(self.last, number)

    def content(self, number: int) -> MessageContent:
        """One message; while a client goes in order, the rows of those that follow are read with it.

        Raises NoSuchFolderError when the message is gone: expunged elsewhere and its undelete window over.
        """
        self._touched(number)
        if number == self._previous + 1 and number not in self._ahead:
            self._read_ahead(number)
        self._previous = number
        found = self._ahead.get(number)
        # one expunged elsewhere meanwhile is kept for undelete and can still be read
        return found if found is not None else self._mailbox.content(self._rows[number - 1][2])

    def _read_ahead(self, number: int) -> None:
        wanted = self._rows[number - 1 : number - 1 + _AHEAD]
        numbers = {row[0]: number + place for place, row in enumerate(wanted)}
        columns = ("uid", "message_id", "size", "parts", "recipe")
        found = [
            row
            for rows in self._mailbox.rows(self._folder_id, [(wanted[0][0], wanted[-1][0])], columns, _AHEAD)
            for row in rows
            if row[0] in numbers
        ]
        small = [(recipe, 0, size) for _, _, size, _, recipe in found if size <= _INLINE]
        octets = iter(self._mailbox.read_many(small))
        self._ahead = {
            numbers[uid]: self._mailbox.content_of_row(
                message_id, size, parts, recipe, next(octets) if size <= _INLINE else None
            )
            for uid, message_id, size, parts, recipe in found
        }

    async def read(self, content: MessageContent) -> AsyncIterator[bytes]:
        """The message in pieces; large ones are read on a thread, one piece at a time."""
        if content.size <= _INLINE:
            yield content.read()
            return
        for start in range(0, content.size, _BLOCK):
            yield await self._mailboxes.run(content.read, start, min(start + _BLOCK, content.size))

    async def remove_marked(self) -> None:
        """Remove what is marked, in one durable transaction. Raises MailboxBusyError, MailboxDamagedError."""
        if self._marked:
            uids = [self._rows[number - 1][0] for number in sorted(self._marked)]
            await self._mailboxes.run(self._mailbox.remove, self._folder_id, uids)
            self._rows = [row for number, row in enumerate(self._rows, 1) if number not in self._marked]
            self._marked.clear()
