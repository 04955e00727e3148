"""A process that works on a mailbox at the same time as others; run as a program.

`mailbox_worker.py FOLDER TASK SEED ROUNDS`. `ingest`: takes sealed mail in, again and again, until killed or done.
`change`: appends, copies, moves, flags and expunges at random, then says how many messages it appended.
"""

import asyncio
import random
import sys
from pathlib import Path

from mailstead.foundation.crypto.data_key import DataKey
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.records import NewMessage
from support.mailbox_store import open_mailboxes

KEY = bytes(range(32))


def change(mailbox: Mailbox, seed: int, rounds: int) -> None:
    """Do what clients do."""
    chance = random.Random(seed)
    folders = [mailbox.folder(name).id for name in ("INBOX", "Archive", "Trash")]
    for number in range(rounds):
        source, target = chance.choice(folders), chance.choice(folders)
        first = chance.randrange(1, 40)
        ranges = [(first, first + chance.randrange(5))]
        match chance.randrange(6):
            case 0 | 1:
                raw = b"Subject: %d\r\n\r\nbody %d\r\n" % (number % 5, chance.randrange(3))
                mailbox.append(source, [NewMessage(raw)])
            case 2:
                mailbox.copy(source, ranges, target)
            case 3:
                mailbox.move(source, ranges, target)
            case 4:
                mailbox.store(source, ranges, "add", chance.randrange(32))
            case 5:
                mailbox.expunge(source)


async def main(folder: str, task: str, seed: str, rounds: str) -> None:
    """One task in this process."""
    async with open_mailboxes(Path(folder)) as mailboxes:
        mailbox = await mailboxes.open("m1", DataKey(KEY))
        if task == "change":
            change(mailbox, int(seed), int(rounds))
        else:
            while mailbox.ingest():
                pass
    sys.stdout.write("done\n")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
