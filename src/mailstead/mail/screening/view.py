"""A message as screening reads it: its header, its text, its links and what is attached; bounded, on any bytes."""

import re
from collections import Counter
from functools import cached_property

import msgspec

from mailstead.formats.message.address import Address, parse_addresses
from mailstead.formats.message.charset import decode
from mailstead.formats.message.encoded_word import decode_header_value
from mailstead.formats.message.header import iter_fields, unfold
from mailstead.formats.message.html import html_to_text
from mailstead.formats.message.part import Bounds, Octets, Part
from mailstead.formats.message.section import decode_content
from mailstead.formats.message.structure import Structure

_LINK = re.compile(r"https?://([^\s/\"'<>?#]{1,255})", re.IGNORECASE)
# possessive: giving octets back cannot help, and takes quadratic time on tags that never end
_ANCHOR = re.compile(
    r"<a\s[^<>]{0,500}?\bhref\s*=\s*[\"']?\s*(https?://[^\s\"'<>]{1,500}+)[^<>]{0,500}+>([^<]{1,300})<", re.IGNORECASE
)
_SUBJECT_CHARACTERS = 2000
_WORD = re.compile(r"[\w'$€£%#-]{3,40}")  # one class and no more: this reads every word of every message
_DIGITS = re.compile(r"[\d#]+")
_LONGEST_WORD = 40
# ASCII to what words are made of: small letters and some marks, # for digits, spaces for the rest
_WORD_LETTERS = {
    code: "#" if chr(code).isdigit() else chr(code).lower() if _WORD.match(chr(code) * 3) else " "
    for code in range(128)
}
_WORDS_CHARACTERS = 24_000
_LINKS_LIMIT = 200
_FIELDS_LIMIT = 2000
_BASE64_SLACK = 3  # text takes at most so much more room when it is encoded


def words_of(text: str) -> list[str]:
    """Words in lower case; digits in them all alike, so that amounts and numbers of orders make one word."""
    if text.isascii():  # the same several times as fast
        text = text.translate(_WORD_LETTERS)
        words = (_DIGITS.sub("#", text) if "##" in text else text).split()
        if max(map(len, words), default=0) <= _LONGEST_WORD:
            return [word for word in words if len(word) > 2]
    return _WORD.findall(_DIGITS.sub("#", text.lower()))


class Link(msgspec.Struct, frozen=True):
    """A link in HTML: where it leads and what it shows."""

    host: str
    shown: str


class View:
    """Reads at most `text_limit` octets of text."""

    def __init__(self, raw: Octets, bounds: Bounds, text_limit: int) -> None:
        self.raw = raw
        structure = Structure(raw, bounds)
        self.parts: list[Part] = structure.parts
        self.header = structure.root.header
        self._header_limit = bounds.header_size
        self._text_limit = text_limit

    def value(self, name: bytes) -> str:
        """The first field of that name (in lower case) decoded; "" when there is none."""
        return decode_header_value(self.header.get(name, b""))

    @cached_property
    def counts(self) -> Counter[bytes]:
        """How many fields there are of each name."""
        root = self.parts[0]
        block = bytes(self.raw[0 : min(root.body_start, self._header_limit)])
        counted: Counter[bytes] = Counter()
        for number, (name, _) in enumerate(iter_fields(block)):
            if number >= _FIELDS_LIMIT:
                break
            counted[name.lower()] += 1
        return counted

    def addresses(self, name: bytes) -> list[Address]:
        """The addresses of a field, without the marks of groups."""
        found = parse_addresses(unfold(self.header.get(name, b"")))
        return [one for one in found if one.group is None and not one.ends_group]

    @cached_property
    def author(self) -> Address | None:
        """The first address of From."""
        found = self.addresses(b"from")
        return found[0] if found else None

    @cached_property
    def subject(self) -> str:
        """Decoded."""
        return self.value(b"subject")[:_SUBJECT_CHARACTERS]

    @cached_property
    def _texts(self) -> tuple[list[str], list[str]]:
        """Plain text parts, HTML parts; as far as the limit goes."""
        left = self._text_limit
        plain: list[str] = []
        markup: list[str] = []
        for part in self.parts:
            if left <= 0:
                break
            if part.type not in ("text/plain", "text/html") or part.disposition == "attachment":
                continue
            end = min(part.body_end, part.body_start + left * _BASE64_SLACK)
            data = decode_content(bytes(self.raw[part.body_start : end]), part.encoding)[:left]
            left -= len(data)
            (markup if part.type == "text/html" else plain).append(decode(data, part.charset))
        return plain, markup

    @property
    def plain(self) -> str:
        """What plain text parts say."""
        return "\n".join(self._texts[0])

    @cached_property
    def markup(self) -> str:
        """HTML parts as they are."""
        return "\n".join(self._texts[1])

    @cached_property
    def shown_markup(self) -> str:
        """What HTML parts say."""
        return html_to_text(self.markup) if self.markup else ""

    @cached_property
    def text(self) -> str:
        """Everything that is said."""
        return f"{self.plain}\n{self.shown_markup}" if self.markup else self.plain

    @cached_property
    def lowered(self) -> str:
        """Subject and the first part of the text in lower case."""
        return f"{self.subject}\n{self.text[:_WORDS_CHARACTERS]}".lower()

    @cached_property
    def words(self) -> list[str]:
        """The words of the first part of the text, in lower case, digits all alike."""
        return words_of(self.text[:_WORDS_CHARACTERS])

    @cached_property
    def word_set(self) -> frozenset[str]:
        """Those words and the subject's, once each."""
        return frozenset((*self.words, *words_of(self.subject)))

    @cached_property
    def hosts(self) -> tuple[str, ...]:
        """Hosts of links, lower case, each once, without port and login."""
        found: dict[str, None] = {}
        for source in (self.plain, self.markup):
            for match in _LINK.finditer(source):
                host = match[1].rpartition("@")[2].partition(":")[0].lower().rstrip(".")
                if host:
                    found[host] = None
                if len(found) >= _LINKS_LIMIT:
                    return tuple(found)
        return tuple(found)

    @cached_property
    def links(self) -> tuple[Link, ...]:
        """Links of HTML with the text that they show."""
        found = []
        for match in _ANCHOR.finditer(self.markup):
            host = _LINK.match(match[1])
            if host is not None:
                found.append(Link(host[1].lower(), " ".join(match[2].split())))
            if len(found) >= _LINKS_LIMIT:
                break
        return tuple(found)

    @cached_property
    def attachments(self) -> tuple[Part, ...]:
        """Leaf parts that are no text to be read, or that have a file name."""
        return tuple(
            part
            for part in self.parts
            if not part.is_multipart
            and not part.type.startswith("message/")
            and (part.filename or part.disposition == "attachment" or not part.type.startswith("text/"))
        )

    def content(self, part: Part, limit: int) -> bytes:
        """The decoded octets of a part, at most about `limit` of them."""
        end = min(part.body_end, part.body_start + limit * _BASE64_SLACK)
        return decode_content(bytes(self.raw[part.body_start : end]), part.encoding)[:limit]
