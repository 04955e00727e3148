"""Which way mail leaves by: relays in place of the recipients' own servers, and the local addresses to connect from."""

import ipaddress
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

import msgspec

from mailstead.foundation.config.sections.sending import SendingSettings
from mailstead.foundation.crypto.at_rest import decrypt
from mailstead.foundation.crypto.stream import SealError
from mailstead.foundation.errors import InvalidError, TemporaryError
from mailstead.stores.directory.directory import Directory

_RELAYS_LIMIT = 8
_CHOSEN_BY_SYSTEM = ("0.0.0.0", "::")  # noqa: S104 nothing listens here


class Relay(msgspec.Struct, frozen=True):
    """A server that takes everything."""

    host: str
    port: int
    implicit_tls: bool
    login: str
    password: str

    def __repr__(self) -> str:
        return f"Relay({self.host}:{self.port})"


def parse_relay(url: str) -> Relay | None:
    """`smtp[s]://[user:password@]host[:port]`; None for an empty text. Raises InvalidError."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise InvalidError("The relay is given as smtp[s]://USER:PASSWORD@HOST:PORT") from None
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.path not in ("", "/"):
        raise InvalidError("The relay is given as smtp[s]://USER:PASSWORD@HOST:PORT")
    implicit = parts.scheme == "smtps"
    return Relay(
        parts.hostname,
        port or (465 if implicit else 587),
        implicit,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
    )


def parse_relays(urls: str) -> tuple[Relay, ...]:
    """The relays of a text, with blanks between. Raises InvalidError."""
    words = urls.split()
    if len(words) > _RELAYS_LIMIT:
        raise InvalidError(f"At most {_RELAYS_LIMIT} relays")
    return tuple(relay for relay in map(parse_relay, words) if relay is not None)


class Route(msgspec.Struct, frozen=True):
    """Relays, tried in order, () for the recipients' own servers; `sources` () for whatever the system takes."""

    relays: tuple[Relay, ...] = ()
    sources: tuple[str, ...] = ()

    def place(self, destination: str) -> str:
        """What is reached or not, in one word: the relays for every destination, where there are some."""
        if not self.relays:
            return destination
        return " ".join(f"{relay.host}:{relay.port}" for relay in self.relays)


class Routes:
    """The way of each sender's mail: a domain's own relays and addresses before the settings'."""

    def __init__(self, directory: Directory | None, settings: SendingSettings, relay_urls: str) -> None:
        """Raises InvalidError for relays that are none."""
        self._directory = directory
        self._usual = Route(parse_relays(relay_urls), settings.source)

    async def of(self, sender: str) -> Route:
        """The route for mail with this return path. Raises StoreUnavailableError, TemporaryError."""
        domain = None
        if self._directory is not None and "@" in sender:
            domain = await self._directory.domain(sender.rpartition("@")[2].lower())
        if domain is None or not (domain.relay or domain.source):
            return self._usual
        relays = self._usual.relays
        if domain.relay and self._directory is not None:
            try:
                relays = parse_relays(decrypt(self._directory.relay_secret, domain.relay, domain.id.encode()).decode())
            except SealError as error:
                raise TemporaryError(f"The relays of {domain.id} cannot be read: {error}") from error
        return Route(relays, domain.source or self._usual.sources)


def source_for(sources: Sequence[str], address: str) -> str | None:
    """The local address to reach `address` from: "" for any, None when none of its family may be used."""
    if not sources:
        return ""
    try:
        wanted = ipaddress.ip_address(address.partition("%")[0]).version
    except ValueError:  # a name, whose addresses the system finds
        return next((source for source in sources if source not in _CHOSEN_BY_SYSTEM), "")
    found = next((source for source in sources if ipaddress.ip_address(source).version == wanted), None)
    return "" if found in _CHOSEN_BY_SYSTEM else found
