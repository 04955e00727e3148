"""The connection on which events come: one reader, one writer, confirmations matched with who waits for them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from redis.asyncio.connection import AbstractConnection

from mailstead.stores.bus.link import LinkLostError, OnEvent
from mailstead.stores.bus.redis.errors import LOSSES

_GLOB = str.maketrans({character: "\\" + character for character in "*?[]^-\\"})


class RedisListener:
    """Listens on `connection`; `lost` is set when it breaks or a ping stays without answer for `timeout` seconds."""

    def __init__(
        self, connection: AbstractConnection, prefix: str, timeout: float, lost: asyncio.Event, on_event: OnEvent
    ) -> None:
        self._connection = connection
        self._prefix = prefix
        self._timeout = timeout
        self._closing = False
        self._lost = lost
        self._on_event = on_event
        self._commands: asyncio.Queue[tuple[str, ...]] = asyncio.Queue()
        self._answers: dict[bytes, list[asyncio.Future[None]]] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Connect and begin. Raises LinkLostError."""
        connect: Callable[[], Awaitable[None]] = self._connection.connect
        try:
            await connect()
        except LOSSES as error:
            raise LinkLostError(str(error)) from error
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._read()), loop.create_task(self._write())]

    async def listen(self, pattern: str) -> None:
        """Subscribe to a channel or a prefix with `*`; confirmed when this returns. Raises LinkLostError."""
        await self._ask(("PSUBSCRIBE" if pattern.endswith("*") else "SUBSCRIBE", self._remote(pattern)))

    def forget(self, pattern: str) -> None:
        """Unsubscribe."""
        self._commands.put_nowait(("PUNSUBSCRIBE" if pattern.endswith("*") else "UNSUBSCRIBE", self._remote(pattern)))

    async def ping(self) -> None:
        """See whether the other side is there. Raises LinkLostError."""
        await self._ask(("PING", "ping"))

    async def close(self) -> None:
        """Hang up."""
        self._closing = True
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._fail("closed")
        await self._connection.disconnect(nowait=True)

    async def _ask(self, command: tuple[str, str]) -> None:
        if self._lost.is_set():
            raise LinkLostError("closed")
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = self._answers.setdefault(command[1].encode(), [])
        waiting.append(answer)
        self._commands.put_nowait(command)
        try:
            async with asyncio.timeout(self._timeout):
                await answer
        except TimeoutError:
            raise LinkLostError("no confirmation") from None
        finally:
            if answer in waiting:
                waiting.remove(answer)

    def _remote(self, pattern: str) -> str:
        if pattern.endswith("*"):
            return f"{self._prefix}{pattern[:-1]}".translate(_GLOB) + "*"
        return self._prefix + pattern

    async def _write(self) -> None:
        try:
            while not self._closing:  # `wait_for` may swallow a cancellation that comes as the write is done
                await self._connection.send_command(*await self._commands.get(), check_health=False)
        except LOSSES as error:
            self._fail(str(error))

    async def _read(self) -> None:
        try:
            while not self._closing:
                self._received(await self._connection.read_response(timeout=float("inf"), disconnect_on_error=False))
        except LOSSES as error:
            self._fail(str(error))

    def _received(self, response: Any) -> None:
        match response:
            case [b"message", bytes(channel), bytes(payload)]:
                name = self._local(channel)
                self._on_event(name, name, payload)
            case [b"pmessage", bytes(pattern), bytes(channel), bytes(payload)]:
                self._on_event(self._local_prefix(pattern), self._local(channel), payload)
            case [b"subscribe" | b"psubscribe" | b"pong", bytes(name), *_] | bytes(name):
                for answer in self._answers.pop(name, ()):
                    if not answer.done():
                        answer.set_result(None)

    def _local(self, channel: bytes) -> str:
        return channel.decode().removeprefix(self._prefix)

    def _local_prefix(self, pattern: bytes) -> str:
        text = pattern.decode()[:-1]
        plain: list[str] = []
        characters = iter(text)
        for character in characters:
            plain.append(next(characters) if character == "\\" else character)
        return "".join(plain).removeprefix(self._prefix) + "*"

    def _fail(self, reason: str) -> None:
        self._lost.set()
        for waiting in self._answers.values():
            for answer in waiting:
                if not answer.done():
                    answer.set_exception(LinkLostError(reason))
        self._answers.clear()
