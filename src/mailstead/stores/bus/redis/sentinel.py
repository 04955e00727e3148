"""Redis Sentinel: who is the master now, asked anew for every link.

    url      = ("redis" / "rediss") "+sentinel://" [user ":" password "@"] sentinel *("," sentinel) "/" name ["/" db]
               ["?" options]
    sentinel = host [":" port]

User, password and `rediss` are the servers'; the sentinels' own are the options sentinel_username and
sentinel_password, and they are spoken to under TLS when the servers are. Further options are redis-py's (ssl_ca_certs).

A link that fails is replaced (see RemoteBus), so that a failover is a lost link and a new one: Redis closes the
connections of a master that is demoted, and what still reaches it is refused as read-only, which is a loss, too.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import msgspec
from redis import exceptions
from redis.asyncio import Redis

from mailstead.foundation.config.sections.bus import BusSettings
from mailstead.foundation.errors import InvalidError
from mailstead.stores.bus.link import LinkLostError, OnEvent
from mailstead.stores.bus.redis.errors import LOSSES
from mailstead.stores.bus.redis.link import RedisLink

SCHEMES = ("redis+sentinel", "rediss+sentinel")
_SENTINEL_PORT = 26379
_FAILURES: tuple[type[Exception], ...] = (*LOSSES, exceptions.RedisError)


class SentinelUrl(msgspec.Struct, frozen=True):
    """What a URL says; `sentinels` are host and port, `options` redis-py's."""

    scheme: str
    user: str
    password: str
    sentinels: tuple[tuple[str, int], ...]
    name: str
    database: int
    sentinel_user: str
    sentinel_password: str
    options: Mapping[str, str]

    def server(self, host: str, port: int) -> str:
        """The URL of one server."""
        return self._url(self.user, self.password, host, port) + self._rest(f"/{self.database}")

    def sentinel(self, host: str, port: int) -> str:
        """The URL of one sentinel."""
        return self._url(self.sentinel_user, self.sentinel_password, host, port) + self._rest("")

    def _url(self, user: str, password: str, host: str, port: int) -> str:
        credentials = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user or password else ""
        return f"{self.scheme}://{credentials}{f'[{host}]' if ':' in host else host}:{port}"

    def _rest(self, path: str) -> str:
        return path + (f"?{urlencode(self.options)}" if self.options else "")


def parse_sentinel_url(url: str) -> SentinelUrl:
    """The parts of a URL. Raises InvalidError, never with a password in it."""
    parts = urlsplit(url)
    credentials, _, places = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    name, _, database = parts.path.removeprefix("/").partition("/")
    options = dict(parse_qsl(parts.query))
    try:
        if parts.scheme not in SCHEMES or not name:
            raise ValueError(parts.scheme)
        return SentinelUrl(
            scheme=parts.scheme.removesuffix("+sentinel"),
            user=unquote(user),
            password=unquote(password),
            sentinels=tuple(_place(place) for place in places.split(",")),
            name=unquote(name),
            database=int(database or 0),
            sentinel_user=options.pop("sentinel_username", ""),
            sentinel_password=options.pop("sentinel_password", ""),
            options=options,
        )
    except ValueError as error:
        raise InvalidError(detail="the bus's URL: redis+sentinel://:PASSWORD@HOST:PORT,HOST:PORT/NAME") from error


def _place(text: str) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    if not parts.hostname:
        raise ValueError(text)
    return parts.hostname, parts.port or _SENTINEL_PORT


class SentinelConnector:
    """Makes links to the master of `url`. Raises InvalidError when it is none of Sentinel's."""

    def __init__(self, url: str, settings: BusSettings) -> None:
        self._url = parse_sentinel_url(url)
        self._settings = settings
        self._order = list(self._url.sentinels)
        self.place = f"{self._url.scheme}+sentinel://{self._order[0][0]}/{self._url.name}"  # without the password

    async def __call__(self, on_event: OnEvent) -> RedisLink:
        """A link to the master that answers as one. Raises LinkLostError."""
        host, port = await self._master()
        link = RedisLink(self._url.server(host, port), self._settings, on_event)
        await link.start()
        try:
            role = await link.role()
        except LinkLostError:
            await link.close()
            raise
        if role != "master":
            await link.close()
            raise LinkLostError(f"{host}:{port} is not the master any more")
        return link

    async def _master(self) -> tuple[str, int]:
        """Where the master is, as the first sentinel that answers says; that one is asked first the next time."""
        why = []
        for place in list(self._order):
            try:
                found = await self._ask(*place)
            except _FAILURES as error:
                why.append(f"{place[0]}: {error or type(error).__name__}")
                continue
            if found is not None:
                self._order.remove(place)
                self._order.insert(0, place)
                return found
            why.append(f"{place[0]} knows no {self._url.name}")
        raise LinkLostError("no sentinel tells the master: " + "; ".join(why))

    async def _ask(self, host: str, port: int) -> tuple[str, int] | None:
        settings = self._settings
        async with Redis.from_url(
            self._url.sentinel(host, port),
            socket_timeout=settings.timeout,
            socket_connect_timeout=settings.timeout,
            protocol=2,
        ) as sentinel:
            found: Any = await sentinel.sentinel_get_master_addr_by_name(self._url.name)
        return None if found is None else (bytes(found[0]).decode(), int(found[1]))
