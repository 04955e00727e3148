"""A link to a Redis server: a pool of connections for calls, one more for events."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection, BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from mailstead.foundation.config.sections.bus import BusSettings
from mailstead.foundation.errors import InvalidError
from mailstead.stores.bus.interface import BusLostError
from mailstead.stores.bus.link import LinkLostError, OnEvent
from mailstead.stores.bus.redis import scripts
from mailstead.stores.bus.redis.errors import LOSSES
from mailstead.stores.bus.redis.listener import RedisListener

_CONNECTIONS = 20
_FAILURES: tuple[type[Exception], ...] = (*LOSSES, exceptions.RedisError)


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))


class RedisLink:
    """Carries out operations by Redis commands and scripts."""

    def __init__(self, url: str, settings: BusSettings, on_event: OnEvent) -> None:
        self.lost = asyncio.Event()
        self.listening: set[str] = set()
        self._calls = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._space = settings.namespace
        self._pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_CONNECTIONS,
            timeout=settings.timeout,
            socket_timeout=settings.timeout,
            socket_connect_timeout=settings.timeout,
            socket_keepalive=True,
            retry=Retry(NoBackoff(), 0),  # a link that fails is replaced: RemoteBus has the patience
            protocol=2,
        )
        self._redis = Redis(connection_pool=self._pool)
        self._increment = self._redis.register_script(scripts.INCREMENT)
        self._acquire = self._redis.register_script(scripts.ACQUIRE)
        self._renew = self._redis.register_script(scripts.RENEW)
        self._release = self._redis.register_script(scripts.RELEASE)
        make_connection: Callable[[], AbstractConnection] = self._pool.make_connection
        self._listener = RedisListener(
            make_connection(), f"{self._space}:event:", settings.timeout, self.lost, on_event
        )
        self._operations: dict[str, Callable[..., Awaitable[Any]]] = {
            "increment": self._do_increment,
            "counter": self._do_counter,
            "acquire": self._do_acquire,
            "renew": self._do_renew,
            "release": self._do_release,
            "store": self._do_store,
            "fetch": self._do_fetch,
            "discard": self._do_discard,
            "publish": self._do_publish,
            "ping": self._do_ping,
        }

    async def start(self) -> None:
        """Connect. Raises LinkLostError."""
        try:
            await self._listener.start()
            await self.call("ping")
        except (LinkLostError, BusLostError) as error:
            await self.close()
            raise LinkLostError(str(error)) from error
        except asyncio.CancelledError:
            await self.close()
            raise

    async def call(self, operation: str, *arguments: Any) -> Any:
        """Carry out one operation. Raises LinkLostError, or BusLostError when the server refuses this one."""
        if self.lost.is_set():
            raise LinkLostError("closed")
        self._calls += 1
        self._idle.clear()
        try:
            return await self._operations[operation](*arguments)
        except LOSSES as error:
            raise LinkLostError(f"{type(error).__name__}: {error}") from error
        except exceptions.RedisError as error:
            raise BusLostError(detail=f"{type(error).__name__}: {error}") from error
        finally:
            self._calls -= 1
            if self._calls == 0:
                self._idle.set()

    async def role(self) -> str:
        """`master`, `slave` or `sentinel`, as the server calls itself. Raises LinkLostError."""
        try:
            found: Any = await self._redis.role()
        except _FAILURES as error:
            raise LinkLostError(f"{type(error).__name__}: {error}") from error
        return bytes(found[0]).decode()

    async def listen(self, pattern: str) -> None:
        """Let the events of `pattern` come."""
        await self._listener.listen(pattern)
        self.listening.add(pattern)

    def forget(self, pattern: str) -> None:
        """Let them come no more."""
        self.listening.discard(pattern)
        self._listener.forget(pattern)

    async def close(self) -> None:
        """Let go of all connections."""
        self.lost.set()
        await self._listener.close()
        await self._pool.disconnect()
        # A call that was connecting just then has a connection still.
        await self._idle.wait()
        await self._pool.disconnect()
        await self._redis.aclose()

    def _key(self, kind: str, name: str) -> str:
        return f"{self._space}:{kind}:{name}"

    async def _do_increment(self, key: str, expires_in: float, amount: int) -> int:
        return int(await self._increment([self._key("counter", key)], [_milliseconds(expires_in), amount]))

    async def _do_counter(self, key: str) -> int:
        return int(await self._redis.get(self._key("counter", key)) or 0)

    async def _do_acquire(self, lease: str, owner: str, seconds: float, token: int) -> int:
        keys = [self._key("lease", lease), f"{self._space}:fence"]
        return int(await self._acquire(keys, [owner, _milliseconds(seconds), token]))

    async def _do_renew(self, lease: str, owner: str, seconds: float) -> bool:
        return bool(await self._renew([self._key("lease", lease)], [owner, _milliseconds(seconds)]))

    async def _do_release(self, lease: str, owner: str) -> bool:
        return bool(await self._release([self._key("lease", lease)], [owner]))

    async def _do_store(self, key: str, value: bytes, expires_in: float) -> None:
        await self._redis.set(self._key("value", key), value, px=_milliseconds(expires_in))

    async def _do_fetch(self, key: str) -> bytes | None:
        value = await self._redis.get(self._key("value", key))
        assert not isinstance(value, str), "responses are not decoded"
        return value

    async def _do_discard(self, key: str) -> bool:
        return bool(await self._redis.delete(self._key("value", key)))

    async def _do_publish(self, channel: str, payload: bytes) -> None:
        await self._redis.publish(self._key("event", channel), payload)

    async def _do_ping(self) -> None:
        await self._redis.ping()
        await self._listener.ping()


class RedisConnector:
    """Makes links to the server of `url`. Raises InvalidError when it is none."""

    def __init__(self, url: str, settings: BusSettings) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("redis", "rediss") or not parts.hostname:
            raise InvalidError(detail="the bus's URL")
        self.place = f"{parts.scheme}://{parts.hostname}"  # without the password, for the log
        self._url = url
        self._settings = settings

    async def __call__(self, on_event: OnEvent) -> RedisLink:
        """A link that answers. Raises LinkLostError."""
        link = RedisLink(self._url, self._settings, on_event)
        await link.start()
        return link
