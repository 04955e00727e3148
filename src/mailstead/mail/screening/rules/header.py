"""What the header says."""

import re
import unicodedata
from collections.abc import Callable

from mailstead.formats.message.date import parse_date
from mailstead.mail.screening.case import Case
from mailstead.mail.screening.rules.rule import Rule

_ADDRESS = re.compile(r"[\w.+-]{1,64}@([\w-]{1,63}(?:\.[\w-]{1,63}){1,8})")
_SPACED = re.compile(r"(?:\b\w[ .*_-]){6,}")
_MANY_MARKS = re.compile(r"[!?$€£]{3}|(?:[!?].{0,40}){4}")
_FREE = frozenset(
    [
        "gmail.com",
        "googlemail.com",
        "yahoo.com",
        "hotmail.com",
        "outlook.com",
        "live.com",
        "aol.com",
        "mail.ru",
        "yandex.ru",
        "gmx.de",
        "gmx.net",
        "web.de",
        "icloud.com",
        "protonmail.com",
        "proton.me",
        "zoho.com",
        "qq.com",
        "163.com",
        "126.com",
        "rambler.ru",
        "bk.ru",
        "inbox.ru",
        "list.ru",
    ]
)
_DAY = 86400.0


def _misses(name: bytes) -> Callable[[Case], bool]:
    return lambda case: name not in case.view.header


def _no_author(case: Case) -> bool:
    author = case.view.author
    return author is None or not author.domain


def _many_fields(case: Case) -> bool:
    """RFC 5322 §3.6: these come once at most."""
    return any(case.view.counts[name] > 1 for name in (b"from", b"subject", b"to", b"date", b"message-id", b"reply-to"))


def _odd_date(case: Case) -> bool:
    value = case.view.header.get(b"date")
    if value is None:
        return False
    sent = parse_date(value)
    return sent is None or not -4 * _DAY < sent - case.now < _DAY


def _other_address_in_name(case: Case) -> bool:
    """`"ceo@bank.example" <x@elsewhere.example>`: what mail programs show is not who writes."""
    author = case.view.author
    if author is None:
        return False
    found = _ADDRESS.search(author.display_name[:1000])
    return found is not None and found[1].lower() != case.author_domain


def _reply_to_free_mail(case: Case) -> bool:
    reply = case.view.addresses(b"reply-to")
    if not reply:
        return False
    domain = reply[0].specification.rpartition("@")[2]
    return domain in _FREE and domain != case.author_domain


def _shouts(case: Case) -> bool:
    letters = [letter for letter in case.view.subject if letter.isalpha()]
    return len(letters) >= 10 and sum(letter.isupper() for letter in letters) > 0.8 * len(letters)


def _not_addressed(case: Case) -> bool:
    """Nobody it comes to is named in To or Cc; mail of lists has a field that says so."""
    view = case.view
    if not case.recipients or b"list-id" in view.header or b"list-unsubscribe" in view.header:
        return False
    named = {one.specification.lower() for name in (b"to", b"cc") for one in view.addresses(name)}
    return not any(recipient.lower() in named for recipient in case.recipients)


def _mixed_alphabets(case: Case) -> bool:
    """A word of the subject or the author's name that mixes Latin letters with look-alikes."""
    author = case.view.author
    text = f"{case.view.subject} {author.display_name if author is not None else ''}"[:1000]
    return any(_mixes(word) for word in text.split() if not word.isascii())


def _mixes(word: str) -> bool:
    alphabets = {unicodedata.name(letter, "").partition(" ")[0] for letter in word[:60] if letter.isalpha()}
    return "LATIN" in alphabets and bool(alphabets & {"CYRILLIC", "GREEK", "ARMENIAN"})


RULES = (
    Rule("NO_FROM", 2.0, "nobody is named as author", _no_author),
    Rule("NO_DATE", 1.0, "there is no Date", _misses(b"date")),
    Rule("NO_MESSAGE_ID", 0.6, "there is no Message-ID", _misses(b"message-id")),
    Rule("NO_SUBJECT", 0.5, "there is no Subject", lambda case: not case.view.subject.strip()),
    Rule("REPEATED_FIELDS", 2.5, "fields are there twice that come once", _many_fields),
    Rule("ODD_DATE", 1.2, "the Date is far from now", _odd_date),
    Rule("NAME_HIDES_ADDRESS", 2.5, "the author's name shows another address", _other_address_in_name),
    Rule("REPLY_TO_FREE_MAIL", 1.5, "replies go to a free mail provider", _reply_to_free_mail),
    Rule("SUBJECT_CAPITALS", 1.0, "the subject shouts", _shouts),
    Rule(
        "SUBJECT_MARKS",
        0.8,
        "the subject has many signs",
        lambda case: bool(_MANY_MARKS.search(case.view.subject[:500])),
    ),
    Rule(
        "SUBJECT_SPACED", 1.5, "the subject is s p a c e d", lambda case: bool(_SPACED.search(case.view.subject[:500]))
    ),
    Rule("MIXED_ALPHABETS", 2.0, "words mix letters of several alphabets", _mixed_alphabets),
    Rule("NOT_ADDRESSED", 0.5, "it is addressed to nobody here", _not_addressed),
    Rule(
        "RAW_8BIT_HEADER",
        0.5,
        "the subject holds octets that are no ASCII",
        lambda case: not case.view.header.get(b"subject", b"").isascii(),
    ),
)
