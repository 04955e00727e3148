"""What comes in is what is stored, octet for octet, behind the trace fields that are put in front."""

import base64
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstead.formats.message.header import header_end, iter_field_ranges
from mailstead.foundation.config.sections.message import MessageSettings
from mailstead.foundation.config.settings import Settings
from support.corpus import corpus_messages
from support.installation import Installation, installation
from support.smtp_dialogue import dialogue, smtp

_CHUNK = 65536


def stuffed(message: bytes) -> bytes:
    return (b"\r\n" + message).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"


def canonical(message: bytes) -> bytes:
    """With CR LF at every line's end, as the wire of DATA needs it."""
    text = re.sub(rb"\r\n|\r|\n", b"\r\n", message)
    return text if text.endswith(b"\r\n") or not text else text + b"\r\n"


def without_return_path(message: bytes) -> bytes:
    """Final delivery takes earlier ones away (RFC 5321 §4.4)."""
    return _without(message, {b"return-path"})


def _without(message: bytes, names: set[bytes]) -> bytes:
    header = message[: header_end(message, 0, len(message))]
    kept, position = [], 0
    for name, start, stop in iter_field_ranges(header):
        if name.lower() in names:
            kept.append(header[position:start])
            position = stop
    return b"".join([*kept, message[position:]])


async def last_message(made: Installation) -> bytes:
    mailbox = await made.mailbox("alice@example.test")
    folder = mailbox.folder("INBOX")
    [(_, message_id)] = next(
        iter(mailbox.rows(folder.id, [(folder.uidnext - 1, folder.uidnext - 1)], ("uid", "message_id")))
    )
    return mailbox.content(message_id).read()


async def test_the_corpus_by_lmtp_in_chunks(tmp_path: Path) -> None:
    """BDAT carries any octets: nothing is normalised at all."""
    messages = list(corpus_messages(None))
    if not messages:
        pytest.skip("the shared corpus is not here")
    limits = Settings(message=MessageSettings(hops_limit=10_000))
    async with (
        installation(tmp_path, limits) as made,
        smtp(made) as opened,
        dialogue(opened.role("lmtp"), address="127.0.0.1") as talk,
    ):
        await talk.say(b"LHLO client.example\r\n")
        for name, message in messages:
            await talk.say(b"MAIL FROM:<> BODY=BINARYMIME\r\nRCPT TO:<alice@example.test>\r\n")
            for start in range(0, len(message), _CHUNK):
                piece = message[start : start + _CHUNK]
                assert (await talk.say(b"BDAT %d\r\n%b" % (len(piece), piece))).startswith(b"250 "), name
            assert (await talk.say(b"BDAT 0 LAST\r\n")).startswith(b"250 "), name
            stored = await last_message(made)
            assert stored.endswith(without_return_path(message)), name
            _check_front(stored, without_return_path(message), name)


def _check_front(stored: bytes, message: bytes, name: str) -> None:
    front = stored[: len(stored) - len(message)]
    assert re.fullmatch(
        rb"Return-Path: <>\r\nDelivered-To: alice@example\.test\r\nReceived: from (?:[^\r\n]|\r\n\t)*\r\n", front
    ), (name, front)


async def test_the_corpus_by_lmtp_data(tmp_path: Path) -> None:
    messages = list(corpus_messages(None))
    if not messages:
        pytest.skip("the shared corpus is not here")
    limits = Settings(message=MessageSettings(hops_limit=10_000))
    async with (
        installation(tmp_path, limits) as made,
        smtp(made) as opened,
        dialogue(opened.role("lmtp"), address="127.0.0.1") as talk,
    ):
        await talk.say(b"LHLO client.example\r\n")
        for name, message in messages:
            sent = canonical(message)
            await talk.say(b"MAIL FROM:<>\r\nRCPT TO:<alice@example.test>\r\nDATA\r\n")
            wire = stuffed(sent)
            answers = b"".join([await talk.say(wire[start : start + _CHUNK]) for start in range(0, len(wire), _CHUNK)])
            assert answers.startswith(b"250 "), (name, answers)
            assert (await last_message(made)).endswith(without_return_path(sent)), name


async def test_the_corpus_by_submission(tmp_path: Path) -> None:
    """With the author's own From: what submission adds and takes out apart, it is the same message."""
    messages = list(corpus_messages(None))
    if not messages:
        pytest.skip("the shared corpus is not here")
    limits = Settings(message=MessageSettings(hops_limit=10_000))
    async with (
        installation(tmp_path, limits) as made,
        smtp(made) as opened,
        dialogue(opened.role("submission"), tls=True) as talk,
    ):
        password = made.passwords["alice@example.test"]
        plain = base64.b64encode(f"\0alice@example.test\0{password}".encode())
        await talk.say(b"EHLO client.example\r\nAUTH PLAIN " + plain + b"\r\n")
        for name, message in messages:
            own = b"From: alice@example.test\r\n" + _without(canonical(message), {b"from", b"sender"})
            await talk.say(b"MAIL FROM:<alice@example.test>\r\nRCPT TO:<alice@example.test>\r\nDATA\r\n")
            answers = await talk.say(stuffed(own))
            if b"5.7.1" in answers:  # a damaged header with further authors
                continue
            assert answers.startswith(b"250 "), (name, answers)
            stored = await last_message(made)
            expected = without_return_path(_without(own, {b"bcc"}))
            # a message of nothing but a header gets its empty line
            assert stored.endswith((expected, expected + b"\r\n")), name


@given(st.binary(max_size=3000))
def test_stuffing_in_this_test_is_the_standard_s(message: bytes) -> None:
    for line in stuffed(canonical(message)).split(b"\r\n")[:-2]:
        assert not line.startswith(b".") or line.startswith(b"..")
