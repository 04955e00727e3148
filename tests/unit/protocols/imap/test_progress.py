"""A long command tells that it is at work."""

import asyncio

from mailstead.protocols.imap.progress import Progress


async def test_it_is_told_again_and_again_until_the_end() -> None:
    told = 0
    enough = asyncio.Event()

    def tell() -> None:
        nonlocal told
        told += 1
        if told == 3:
            enough.set()

    with Progress(0.001, tell):
        await asyncio.wait_for(enough.wait(), 20)
    at_end = told
    await asyncio.sleep(0.02)
    assert told == at_end
