"""The features of a message: numbers that stand for what it says, the same ones whenever it is looked at."""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Iterator

from mailstead.mail.authentication.dmarc.organization import organizational_domain
from mailstead.mail.screening.view import View

_WORD = re.compile(r"[^\W_][\w'$€£%#-]{1,38}[\w%#]|[$€£]+", re.UNICODE)
_DIGITS = re.compile(r"\d+")
_KNOWN_LIMIT = 100_000
_TEXT_CHARACTERS = 24_000
FEATURE_BITS = 48
_MASK = (1 << FEATURE_BITS) - 1
_MIXER = 0x9E3779B97F4A7C15


class Features:
    """Makes features under `key` (at most 64 octets); `limit` is how many one message has."""

    def __init__(self, key: bytes, limit: int) -> None:
        self._key = key
        self._limit = limit
        self._known: OrderedDict[str, int] = OrderedDict()

    def of(self, view: View) -> tuple[int, ...]:
        """Features of a message, each once, in the order they come."""
        found = dict.fromkeys(map(self._feature, _marks(view)))
        self._add_words(found, view.subject, "subject:")
        self._add_words(found, view.text[:_TEXT_CHARACTERS], "")
        return tuple(found)[: self._limit]

    def _add_words(self, found: dict[int, None], text: str, prefix: str) -> None:
        """The words of `text`, and each two that follow each other."""
        before, limit, feature = 0, self._limit, self._feature
        for word in _words(text):
            number = feature(prefix + word)
            found[number] = None
            if before:
                found[(before * _MIXER ^ number) & _MASK] = None
            before = number
            if len(found) >= limit:
                return

    def _feature(self, token: str) -> int:
        number = self._known.get(token)
        if number is None:
            digest = hashlib.blake2b(token.encode("utf-8", "replace"), digest_size=FEATURE_BITS // 8, key=self._key)
            number = self._known[token] = int.from_bytes(digest.digest(), "big")
            if len(self._known) > _KNOWN_LIMIT:
                self._known.popitem(last=False)
        return number


def _marks(view: View) -> Iterator[str]:
    """What counts besides words: who writes, how the message is made, links, attachments."""
    author = view.author
    if author is not None:
        yield f"from:{author.specification}"
        yield f"from-domain:{organizational_domain(author.specification.rpartition('@')[2])}"
        for word in _words(author.display_name):
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


def _words(text: str) -> list[str]:
    """Words in lower case; digits in them all alike, so that amounts and numbers of orders make one word."""
    return _WORD.findall(_DIGITS.sub("#", text.lower()))
