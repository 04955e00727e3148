import asyncio

import uvloop


async def test_tests_run_on_the_servers_loop() -> None:
    assert isinstance(asyncio.get_running_loop(), uvloop.Loop)
