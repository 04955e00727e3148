"""Cards."""

import pytest

from mailstead.formats.content_lines.component import ContentBounds
from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.vcard.card import read_card
from support.corpus import corpus_files

BOUNDS = ContentBounds()
CARD = (
    b"BEGIN:VCARD\r\nVERSION:4.0\r\nUID:urn:uuid:1\r\nFN:Doe\\, J\r\n"
    b"item1.EMAIL;TYPE=work:j@example.test\r\nEMAIL:k@example.test\r\nEND:VCARD\r\n"
)


def test_what_is_known_of_a_card() -> None:
    card = read_card(CARD, BOUNDS)
    assert (card.version, card.uid, card.name) == ("4.0", "urn:uuid:1", "Doe, J")
    assert card.emails == ("j@example.test", "k@example.test")


@pytest.mark.parametrize(
    "data",
    [
        CARD + CARD,
        CARD.replace(b"VCARD", b"VCALENDAR"),
        CARD.replace(b"VERSION:4.0", b"VERSION:2.1"),
        CARD.replace(b"UID:urn:uuid:1\r\n", b""),
        CARD.replace(b"FN:", b"NOTE:"),
        b"",
    ],
)
def test_what_is_no_card(data: bytes) -> None:
    with pytest.raises(ContentError):
        read_card(data, BOUNDS)


def test_corpus() -> None:
    files = corpus_files("vcard", ".vcf")
    if not files:
        pytest.skip("the corpus is not beside the checkout")
    for path in files:
        try:
            card = read_card(path.read_bytes(), BOUNDS)
        except ContentError:
            continue
        assert card.uid
