"""DKIM signing of outgoing mail with the keys of its author's domain."""

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from mailstead.formats.message.address import parse_addresses
from mailstead.formats.message.header import first_values
from mailstead.foundation.clock import Clock
from mailstead.foundation.crypto.at_rest import decrypt
from mailstead.foundation.crypto.dkim_keys import load_key
from mailstead.foundation.spool import Spool
from mailstead.mail.authentication.arc.result import ArcResult
from mailstead.mail.authentication.arc.seal import seal
from mailstead.mail.authentication.dkim.sign import SigningKey, sign
from mailstead.mail.authentication.message import CheckedMessage
from mailstead.mail.outbound.submission import body_chunks, read_header
from mailstead.stores.directory.directory import Directory
from mailstead.stores.directory.records import DkimKey


class Signing:
    """Signs on a thread; loaded keys are kept by selector."""

    def __init__(self, directory: Directory, clock: Clock, *, on: bool = True) -> None:
        self._directory = directory
        self._clock = clock
        self._on = on
        self._loaded: dict[tuple[str, str], SigningKey] = {}
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="dkim")

    async def signature_fields(self, domain: str, header: bytes, body: Iterable[bytes]) -> bytes:
        """DKIM-Signature fields for a message of `domain`, empty when it is none of ours."""
        found = await self._directory.domain(domain.lower()) if self._on else None
        if found is None:
            return b""
        keys = [key for key in found.dkim_keys if key.retired_at is None and not key.is_waiting]
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._sign, found.id, keys, header, body)

    async def seal_fields(self, domain: str, message: CheckedMessage, chain: ArcResult, results: str) -> bytes:
        """A set of ARC by `domain` over `message` (see arc.seal), empty when the domain has no key. Raises SealError.

        Sealers sign with RSA, which every verifier knows, where there is such a key.
        """
        found = await self._directory.domain(domain.lower()) if self._on else None
        keys = (
            () if found is None else [key for key in found.dkim_keys if key.retired_at is None and not key.is_waiting]
        )
        if found is None or not keys:
            return b""
        key = next((one for one in keys if one.algorithm == "rsa-sha256"), keys[0])
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._seal, found.id, key, message, chain, results)

    def _seal(self, domain: str, key: DkimKey, message: CheckedMessage, chain: ArcResult, results: str) -> bytes:
        return seal(message, chain, results, self._load(domain, key), int(self._clock.now())).fields

    def _sign(self, domain: str, keys: list[DkimKey], header: bytes, body: Iterable[bytes]) -> bytes:
        return sign(header, body, [self._load(domain, key) for key in keys], int(self._clock.now()))

    def _load(self, domain: str, key: DkimKey) -> SigningKey:
        loaded = self._loaded.get((domain, key.selector))
        if loaded is None:
            private = decrypt(self._directory.dkim_secret, key.private_key, key.selector.encode())
            loaded = SigningKey(domain, key.selector, key.algorithm, load_key(private))
            self._loaded[domain, key.selector] = loaded
        return loaded

    async def sign_for_author(self, message: Spool) -> None:
        """Put signatures for the domain of the message's author before it, where that is one of ours."""
        header = read_header(message)
        author = first_values(header, len(header)).get(b"from", b"")
        addresses = [address for address in parse_addresses(author, 1) if address.domain]
        if addresses:
            domain = addresses[0].specification.rpartition("@")[2]
            signatures = await self.signature_fields(domain, header, body_chunks(message, len(header)))
            if signatures:
                message.prepend(signatures)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()
