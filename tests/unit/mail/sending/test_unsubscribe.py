import re

import pytest

from mailstead.foundation.errors import NotFoundError
from mailstead.mail.authentication.dkim.sign import SIGNED_FIELDS
from mailstead.mail.sending.unsubscribe import (
    Unsubscription,
    read_unsubscribe_token,
    unsubscribe_fields,
    unsubscribe_token,
)

SECRET = b"s" * 32
BULK = b"From: a@example.test\r\nPrecedence: bulk\r\n\r\n"


def fields(header: bytes, *recipients: str) -> bytes:
    return unsubscribe_fields(SECRET, "mail.example.test", header, "news@Example.test", recipients)


def test_bulk_mail_for_one_recipient_gets_a_link_of_its_own() -> None:
    added = fields(BULK, "Dave@remote.test").decode()
    found = re.fullmatch(
        r"List-Unsubscribe: <https://mail\.example\.test/unsubscribe/([\w-]+)>\r\n"
        r"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
        added,
    )
    assert found is not None
    assert read_unsubscribe_token(SECRET, found[1]) == Unsubscription("example.test", "dave@remote.test")


@pytest.mark.parametrize(
    ("header", "recipients"),
    [
        (b"From: a@example.test\r\n\r\n", ["dave@remote.test"]),
        (BULK, ["dave@remote.test", "erin@remote.test"]),
        (BULK.replace(b"\r\n\r\n", b"\r\nList-Unsubscribe: <mailto:x@y>\r\n\r\n"), ["dave@remote.test"]),
        (BULK.replace(b"bulk", b"first-class"), ["dave@remote.test"]),
    ],
)
def test_other_mail_stays_as_it_is(header: bytes, recipients: list[str]) -> None:
    assert fields(header, *recipients) == b""


def test_both_fields_are_signed() -> None:
    assert {b"list-unsubscribe", b"list-unsubscribe-post"} <= set(SIGNED_FIELDS)  # RFC 8058 §4


@pytest.mark.parametrize("change", ["", "x", "é", "A" * 2000, None])
def test_nobody_else_makes_a_token(change: str | None) -> None:
    token = unsubscribe_token(SECRET, Unsubscription("example.test", "dave@remote.test"))
    forged = change if change is not None else token[:-2] + ("AA" if token[-2:] != "AA" else "BB")
    with pytest.raises(NotFoundError):
        read_unsubscribe_token(SECRET, forged)
    with pytest.raises(NotFoundError):
        read_unsubscribe_token(b"other" * 8, token)
