"""The features of a message: numbers that stand for what it says, the same ones whenever it is looked at."""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from itertools import chain, pairwise

from mailstead.foundation.crypto.feeding import feed
from mailstead.mail.authentication.dmarc.organization import organizational_domain
from mailstead.mail.screening.view import View, words_of

_DIGITS = re.compile(r"\d+")
_KNOWN_LIMIT = 100_000
_KEPT = 64
FEATURE_BITS = 48
_MASK = (1 << FEATURE_BITS) - 1
_MIXER = 0x9E3779B97F4A7C15


class Features:
    """Makes features under `key` (at most 64 octets); `limit` is how many one message has."""

    def __init__(self, key: bytes, limit: int) -> None:
        self._key = key
        self._limit = limit
        self._known: OrderedDict[str, int] = OrderedDict()
        # of the last messages: one is looked at when it arrives, and again by each mailbox that it comes to
        self._kept: OrderedDict[bytes, tuple[int, ...]] = OrderedDict()

    def of(self, view: View) -> tuple[int, ...]:
        """Features of a message, each once, in the order they come."""
        key = _content(view)
        kept = self._kept.get(key)
        if kept is None:
            found = dict.fromkeys(map(self._feature, _marks(view)))
            self._add_words(found, [f"subject:{word}" for word in words_of(view.subject)])
            self._add_words(found, view.words)
            kept = self._kept[key] = tuple(found)[: self._limit]
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return kept

    def _add_words(self, found: dict[int, None], words: Sequence[str]) -> None:
        """`words`, and each two that follow each other, until a message has enough."""
        known, feature = self._known, self._feature
        for start in range(0, len(words), self._limit):
            some = words[max(start - 1, 0) : start + self._limit]
            numbers = [known.get(word) or feature(word) for word in some]
            pairs = [(before * _MIXER ^ number) & _MASK for before, number in pairwise(numbers)]
            found |= dict.fromkeys(chain(numbers[:1], chain.from_iterable(zip(numbers[1:], pairs, strict=True))))
            if len(found) >= self._limit:
                return

    def _feature(self, token: str) -> int:
        number = self._known.get(token)
        if number is None:
            digest = hashlib.blake2b(token.encode("utf-8", "replace"), digest_size=FEATURE_BITS // 8, key=self._key)
            number = self._known[token] = int.from_bytes(digest.digest(), "big")
            if len(self._known) > _KNOWN_LIMIT:
                self._known.popitem(last=False)
        return number


_FIELDS = (
    b"from",
    b"subject",
    b"reply-to",
    b"content-type",
    b"x-mailer",
    b"user-agent",
    b"list-unsubscribe",
    b"list-id",
    b"precedence",
    b"x-priority",
    b"in-reply-to",
)


def _content(view: View) -> bytes:
    """What tells messages with other features apart: the fields that count, and the body."""
    digest = hashlib.blake2b(digest_size=16)
    for name in _FIELDS:
        value = view.header.get(name, b"")
        digest.update(b"%d:%b" % (len(value), value))
    feed(digest, memoryview(view.raw)[view.parts[0].body_start :])
    return digest.digest()


def _marks(view: View) -> Iterator[str]:
    """What counts besides words: who writes, how the message is made, links, attachments."""
    author = view.author
    if author is not None:
        yield f"from:{author.specification}"
        yield f"from-domain:{organizational_domain(author.specification.rpartition('@')[2])}"
        for word in words_of(author.display_name):
            yield f"name:{word}"
    reply = view.addresses(b"reply-to")
    if reply:
        yield f"reply-domain:{reply[0].specification.rpartition('@')[2]}"
    yield f"type:{view.parts[0].type}"
    mailer = view.value(b"x-mailer") or view.value(b"user-agent")
    if mailer:
        yield f"mailer:{_DIGITS.sub('#', mailer.lower())[:40]}"
    for name in (b"list-unsubscribe", b"list-id", b"precedence", b"x-priority", b"in-reply-to"):
        if name in view.header:
            yield f"has:{name.decode()}"
    for host in view.hosts:
        yield f"link:{organizational_domain(host)}"
    for part in view.attachments:
        yield f"attached:{part.type}:{part.filename.rpartition('.')[2][:10].lower() if '.' in part.filename else ''}"
