"""The indexer beside the standard library's email package (policy compat32), where that one is right."""

import email
import email.message
import email.policy
from email.header import decode_header, make_header
from email.headerregistry import Address as MailAddress
from email.utils import getaddresses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailstead.formats.message.address import parse_addresses
from mailstead.formats.message.index import index_message
from mailstead.formats.message.part import Part
from mailstead.formats.message.section import decode_part, part_text
from support.corpus import corpus_messages

LETTERS = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp", "Co", "Cn"))
WORDS = st.text(LETTERS, min_size=1, max_size=40).map(lambda text: " ".join(text.split())).filter(bool)
LINES = st.lists(st.text(LETTERS, max_size=90), min_size=1, max_size=6).map(lambda lines: "\n".join(lines) + "\n")
LOCAL = st.from_regex(r"[a-z][a-z0-9]{0,9}(\.[a-z0-9]{1,5})?", fullmatch=True)
ADDRESS = st.builds(MailAddress, st.one_of(st.just(""), WORDS), LOCAL, st.just("example.test"))


@st.composite
def composed(draw: st.DrawFn) -> email.message.EmailMessage:
    """A message as the standard library writes it."""
    message = email.message.EmailMessage(policy=email.policy.SMTP)
    message["From"] = draw(ADDRESS)
    message["To"] = draw(ADDRESS)  # of several, its folding sometimes takes the comma into an encoded word
    message["Subject"] = draw(WORDS)
    encoding = draw(st.sampled_from(["base64", "quoted-printable", "8bit"]))
    message.set_content(draw(LINES), cte=encoding)
    if draw(st.booleans()):
        message.add_alternative(f"<p>{draw(WORDS)}</p>", subtype="html")
    for data, name in draw(st.lists(st.tuples(st.binary(max_size=200), WORDS), max_size=3)):
        message.add_attachment(data, maintype="application", subtype="x-thing", filename=name)
    return message


def leaves(message: email.message.Message) -> list[email.message.Message]:
    return [part for part in message.walk() if not part.is_multipart()]


def our_leaves(parts: tuple[Part, ...]) -> list[Part]:
    return [part for part in parts if not part.is_multipart]


@settings(max_examples=60, deadline=None)
@given(composed())
def test_what_it_composes_is_read_as_it_was_meant(message: email.message.EmailMessage) -> None:
    raw = message.as_bytes()
    message = email.message_from_bytes(raw, _class=email.message.EmailMessage, policy=email.policy.default)
    index = index_message(raw)
    assert index.subject == message["Subject"]
    assert [part.type for part in index.parts] == [part.get_content_type() for part in message.walk()]
    for ours, theirs in zip(our_leaves(index.parts), leaves(message), strict=True):
        assert decode_part(raw, ours) == theirs.get_payload(decode=True)
        assert ours.filename == (theirs.get_filename() or "")
        assert ours.charset == (theirs.get_content_charset() or "")
        if theirs.get_content_maintype() == "text":
            assert isinstance(theirs, email.message.EmailMessage)
            assert part_text(raw, ours).replace("\r\n", "\n") == theirs.get_content().replace("\r\n", "\n")
    recipients = email.message_from_bytes(raw)["To"].encode()
    # blanks aside: between two encoded words of a display name the standard library leaves one (RFC 2047 §6.2: none)
    shown = [
        (one.display_name.replace(" ", ""), one.specification)
        for one in parse_addresses(recipients.replace(b"\r\n", b""))
    ]
    assert shown == [(to.display_name.replace(" ", ""), to.addr_spec) for to in message["To"].addresses]


@pytest.mark.parametrize(
    "text",
    [
        "ann@example.test",
        "Ann <ann@example.test>",
        '"Ann, the first" <ann@example.test>, Bob <bob@example.test>',
        "ann@example.test (Ann)",
        "Ann (the first) <ann@example.test>",
        '"a b"@example.test',
        "ann@[192.0.2.1]",
        'Ann "the" First <ann@example.test>',
    ],
)
def test_addresses_are_read_alike(text: str) -> None:
    ours = [(one.display_name, one.specification.replace('"', "")) for one in parse_addresses(text.encode())]
    theirs = [(name.partition(" (the first)")[0], spec.replace('"', "")) for name, spec in getaddresses([text])]
    assert ours == theirs


UNLIKE = {
    "mail-parser/000-5a0aa09b.eml": "a delimiter after another: an empty part lies between, as Dovecot sees it too",
    "mime4j/2002_06_12_doublebound": "the same",
    "mime4j/double-bound": "the same",
    "mail-parser/003-2dc59425": "a comment in Content-Transfer-Encoding",
    "mime4j/twopart": "the same",
    "mime4j/intl": "white space between two encoded words is none (RFC 2047 §6.2)",
}


def is_defective(message: email.message.Message) -> bool:
    return any(part.defects for part in message.walk())


def test_well_formed_messages_of_the_corpus_have_the_same_parts() -> None:
    compared = 0
    different: list[object] = []
    for name, raw in corpus_messages(300):
        if name.startswith(tuple(UNLIKE)):
            continue
        message = email.message_from_bytes(raw)
        index = index_message(raw)
        kinds = [part.get_content_type() for part in message.walk()]
        if is_defective(message) or any(kind.startswith("message/") for kind in kinds):
            continue  # it looks into all of message/*, and loses the tree of what is broken
        if len(kinds) != len(index.parts):
            different.append((name, kinds, [part.type for part in index.parts]))
            continue
        for ours, theirs in zip(our_leaves(index.parts), leaves(message), strict=True):
            if theirs.get("content-transfer-encoding", "").lower() in ("base64", "x-uuencode", "x-uue", "uuencode"):
                continue  # what is broken is mended differently, and uuencode is no encoding of MIME
            if decode_part(raw, ours) != theirs.get_payload(decode=True):
                different.append((name, decode_part(raw, ours)[-80:], theirs.get_payload(decode=True)))
        compared += 1
    assert different == []
    assert compared > 300 or not list(corpus_messages(1))


def test_subjects_of_the_corpus_are_decoded_alike() -> None:
    different = []
    for name, raw in corpus_messages(300):
        subject = email.message_from_bytes(raw)["Subject"]
        if (
            name.startswith(tuple(UNLIKE))
            or not isinstance(subject, str)
            or not subject.isascii()
            or "=?" not in subject
        ):
            continue
        try:
            theirs = str(make_header(decode_header(" ".join(subject.split()))))
        except (UnicodeError, LookupError, email.errors.HeaderParseError):
            continue  # it gives up where we show what can be shown
        ours = " ".join(index_message(raw).subject.split())
        if ours != " ".join(theirs.split()):
            different.append((name, ours, theirs))
    assert different == []
