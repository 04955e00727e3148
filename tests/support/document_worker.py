"""A process that works on a document store at the same time as others; run as a program.

`document_worker.py URL DATA TASK ROUNDS`: says each thing it got done on a line of its own, as soon as it is durable.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from mailstead.foundation.config.sections.documents import DocumentsSettings
from mailstead.stores.documents.interface import Collection, CollectionSpec, ConflictError, DuplicateError, Index
from mailstead.stores.documents.open import open_documents

SPEC = CollectionSpec(
    "work", (Index(("state", "due")), Index(("name",), unique=True), Index(("tags", "due"), many=True))
)
_AT_ONCE = 4


def say(text: str) -> None:
    """One line on standard output, at once."""
    os.write(1, text.encode() + b"\n")


async def claim(work: Collection, _: int) -> None:
    """Take what is ready until nothing is."""
    owner = str(os.getpid())
    where = {"state": "ready", "due": {"$lte": 10**9}}
    while taken := await work.claim(where, {"state": "taken", "owner": owner}, order=[("due", 1)]):
        say(taken["id"])


async def count(work: Collection, rounds: int) -> None:
    """Add one to a number, `rounds` times, by compare and set."""
    done = 0
    while done < rounds:
        counter = await work.get("counter")
        assert counter is not None
        try:
            await work.update("counter", {"value": counter["value"] + 1}, version=counter["version"])
        except ConflictError:
            continue
        done += 1
        say("counted")


async def name(work: Collection, rounds: int) -> None:
    """Insert documents under names that others want, too."""
    for number in range(rounds):
        try:
            await work.insert({"id": f"{os.getpid()}-{number}", "name": f"name {number}"})
        except DuplicateError:
            continue
        say(f"name {number}")


async def write(work: Collection, rounds: int) -> None:
    """Insert and update documents until killed."""
    for number in range(rounds):
        identifier = f"{os.getpid()}-{number}-{id(asyncio.current_task())}"
        await work.insert({"id": identifier, "due": number, "tags": [identifier, "all"]})
        say(f"inserted {identifier}")
        await work.update(identifier, {"state": "seen", "tags": [identifier, "seen"]})
        say(f"updated {identifier}")


TASKS: dict[str, Callable[[Collection, int], Awaitable[None]]] = {
    "claim": claim,
    "count": count,
    "name": name,
    "write": write,
}


async def main(url: str, data: str, task: str, rounds: str) -> None:
    """Several tasks at once in this process."""
    documents = open_documents(url, Path(data), DocumentsSettings(expire_interval=0))
    await documents.open()
    work = await documents.collection(SPEC)
    await asyncio.gather(*(TASKS[task](work, int(rounds)) for _ in range(_AT_ONCE)))
    await documents.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
