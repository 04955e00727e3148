"""ENVELOPE and BODYSTRUCTURE of the corpus beside Dovecot's; where they differ, this file says why."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailstead.formats.message.index import index_message
from support.corpus import CORPUS, corpus_messages
from support.dovecot_imap import PROGRAM, fetch_structures, parse_value
from support.structure_form import envelope_form, structure_form

NO_PARTS = "a multipart without a part: its text is shown as text, Dovecot shows one empty part"
BASE64_MESSAGE = "a message/rfc822 under base64, which RFC 2046 §5.2.1 forbids: an attachment, Dovecot an empty message"
INNER_END = "the line break before an outer delimiter belongs to the delimiter (RFC 2046 §5.1.1), Dovecot counts it"
SAME_BOUNDARY = "parts within each other with one boundary, or one that begins like the other: the outer one ends them"
EMPTY_LAST = "what follows the closing delimiter is no part; Dovecot takes long or odd closing delimiters for openings"
LAST_FIELD = "a field that stands twice: the first counts, with Dovecot the last"
BAD_TYPE = "a Content-Type that is none: text/plain (RFC 2045 §5.2), Dovecot leaves it empty"
UNQUOTED = "an unquoted value with spaces is taken whole, Dovecot takes its first word"
CONTINUED = "RFC 2231 continuations are given as they stand, Dovecot joins them"
BROKEN_ADDRESS = "no address by any grammar: what a reader would make of it"
ROUTE = "an old route is left out (RFC 9051 §7.5.2 lets it be NIL), and so is an address that is not there"

DIFFERENCES = {
    "sample 2": INNER_END,
    "flanker/broken-ctype": BAD_TYPE,
    "flanker/enclosed-": INNER_END,
    "flanker/enclosed-global": "message/global is looked into (RFC 6532 §3.7)",
    "flanker/false-multipart": NO_PARTS,
    "flanker/mailformed-headers": NO_PARTS,
    "flanker/torture-part": INNER_END,
    "mail-auth/001": BROKEN_ADDRESS,
    "mail-parser/001-6f": SAME_BOUNDARY,
    "mail-parser/001-e6": UNQUOTED,
    "mail-parser/002-f4": NO_PARTS,
    "mail-parser/003-20": SAME_BOUNDARY,
    "mail-parser/004-96": SAME_BOUNDARY,
    "mail-parser/005-68": SAME_BOUNDARY,
    "mail-parser/007-7c": SAME_BOUNDARY,
    "mail-parser/007-88": INNER_END,
    "mail-parser/008-47": BASE64_MESSAGE,
    "mail-parser/009-ba": BROKEN_ADDRESS,
    "mail-parser/013-ce": SAME_BOUNDARY,
    "mail-parser/015-98": INNER_END,
    "mail-parser/016-14": "boundaries of 80 octets and more are compared whole",
    "mail-parser/017-93": BAD_TYPE,
    "mail-parser/019-67": SAME_BOUNDARY,
    "mail-parser/022-c7": INNER_END,
    "mailauth/message2": LAST_FIELD,
    "mailauth/message4": LAST_FIELD,
    "mime4j/bad-newlines-multiple-parts-base64": BASE64_MESSAGE,
    "mime4j/badbound": NO_PARTS,
    "mime4j/base64encoded-rfc822message": BASE64_MESSAGE,
    "mime4j/double-semicolon": "an empty parameter is passed over, Dovecot stops there",
    "mime4j/ending-boundaries": NO_PARTS,
    "mime4j/missing-boundary": NO_PARTS,
    "mime4j/missing-inner-boundary": NO_PARTS,
    "mime4j/missing-inner-start-boundary": NO_PARTS,
    "mime4j/multi-2gifs-base64": BASE64_MESSAGE,
    "mime4j/multi-digest": BAD_TYPE,
    "mime4j/multipartnopart": NO_PARTS,
    "mime4j/very-long-boundary": EMPTY_LAST,
    "mime4j/very-very-long-boundary": EMPTY_LAST,
    "mime4j/weird-boundary": "spaces at a boundary's end do not count (RFC 2046 §5.1.1)",
    "nm-mailparser/nodemailer": CONTINUED,
    "ruby-mail/attachment_message_rfc822_inline_image": INNER_END,
    "ruby-mail/attachment_with_unquoted_name": UNQUOTED,
    "ruby-mail/bad_date_header2": NO_PARTS,
    "ruby-mail/content_transfer_encoding_with_semi_colo": "a semicolon after the encoding is passed over",
    "ruby-mail/empty_in_reply_to": NO_PARTS,
    "ruby-mail/encoding_madness": BROKEN_ADDRESS,
    "ruby-mail/example10": "all words before the angle are the name, Dovecot gives the first where a comment follows",
    "ruby-mail/example11": ROUTE,
    "ruby-mail/example13": BROKEN_ADDRESS,
    "ruby-mail/japanese_attachment_long_name": CONTINUED,
    "ruby-mail/missing_body": NO_PARTS,
    "ruby-mail/missing_content_disposition": "a disposition without a type is none",
    "ruby-mail/mix_caps_content_type": BROKEN_ADDRESS,
    "ruby-mail/multiple_invalid_content_dispositions": "the disposition is given as it stands",
    "ruby-mail/must_supply_encoding": NO_PARTS,
    "ruby-mail/raw_email4": EMPTY_LAST,
    "ruby-mail/raw_email_bad_time": EMPTY_LAST,
    "ruby-mail/raw_email_multiple_from": BROKEN_ADDRESS,
    "ruby-mail/raw_email_with_at_display_name": BROKEN_ADDRESS,
    "ruby-mail/raw_email_with_binary_encoded": f"{EMPTY_LAST}; {LAST_FIELD}",
    "ruby-mail/raw_email_with_illegal_boundary": EMPTY_LAST,
    "ruby-mail/raw_email_with_multipart_mixed_quoted_bo": LAST_FIELD,
    "ruby-mail/weird_to_header": ROUTE,
}


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that another user may enter."""
    made = Path(tempfile.mkdtemp(prefix="dovecot-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


SAMPLES = (
    b"From: Ann (a comment) <ann@example.test>\r\nTo: friends: b@c.test, <d@e.test>;, :f@g.test;\r\nSubject: \r\n\r\n",
    b"From: ann@example.test (Ann Example)\r\nContent-Type: text/plain (plain); charset=utf-8 (yes)\r\n\r\nx\r\n",
    b"Content-Type: multipart/mixed (a; b); boundary=x\r\n\r\n--x\r\n\r\none\r\n--x\r\nContent-Type: message/rfc822\r\n\r\n"
    b"Subject: inner\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y\r\n\r\ntwo\r\nlines\r\n--y--\r\n--x--\r\n",
)


def test_structures_are_dovecots_but_for_named_differences(folder: Path) -> None:
    if not PROGRAM.exists():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("dovecot-imapd is not installed")
    named = [(f"sample {number}", raw) for number, raw in enumerate(SAMPLES)]
    named += [(name, re.sub(rb"\r?\n", b"\r\n", raw)) for name, raw in corpus_messages(1000)]
    theirs = fetch_structures(folder, [raw for _, raw in named])
    different = []
    for (name, raw), (envelope, structure) in zip(named, theirs, strict=True):
        index = index_message(raw)
        same = envelope_form(parse_value(index.envelope)[0]) == envelope_form(envelope)
        if not (same and structure_form(parse_value(index.bodystructure)[0]) == structure_form(structure)):
            different.append(name)
    assert [name for name in different if not name.startswith(tuple(DIFFERENCES))] == []
    if CORPUS.exists():
        assert [start for start in DIFFERENCES if not any(name.startswith(start) for name in different)] == []
