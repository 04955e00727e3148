"""Cards as forms: what the form does not know stays."""

import pytest
from msgspec.structs import replace

from mailstead.formats.content_lines.component import ContentBounds
from mailstead.formats.content_lines.tree import read_tree
from mailstead.foundation.errors import InvalidError
from mailstead.interfaces.contacts.cards import CardForm, CardShown, duplicates, fill, form_of, merged, new_card

BOUNDS = ContentBounds()
CARD = (
    b"BEGIN:VCARD\r\nVERSION:4.0\r\nUID:1\r\nFN:Fay Far\r\nN:Far;Fay;;Dr.;\r\nEMAIL;TYPE=work;PREF=1:fay@far.test\r\n"
    b"item1.EMAIL:fay@home.test\r\nitem1.X-ABLABEL:Home\r\nTEL;VALUE=uri:tel:+1-234\r\nCATEGORIES:Friends,Choir\\, alto\r\n"
    b"PHOTO:data:image/png;base64,AAAA\r\nBDAY:19900401\r\nEND:VCARD\r\n"
)
FORM = CardForm(
    first="Fay",
    last="Far",
    emails="fay@far.test\nfay@home.test",
    phones="+1-234",
    birthday="1990-04-01",
    groups="Friends, Choir, alto",
)


def test_a_card_is_read() -> None:
    assert form_of(read_tree(CARD, BOUNDS)) == FORM


def test_only_what_changed_is_written() -> None:
    tree = read_tree(CARD, BOUNDS)
    form = form_of(tree)
    fill(tree, replace(form, emails="fay@far.test\nnew@far.test", notes="Sings", groups="Friends"))
    octets = tree.octets()
    for kept in (b"N:Far;Fay;;Dr.;\r\n", b"EMAIL;TYPE=work;PREF=1:fay@far.test\r\n", b"PHOTO:", b"BDAY:19900401\r\n"):
        assert kept in octets
    assert b"fay@home.test" not in octets
    assert b"EMAIL:new@far.test\r\n" in octets
    assert b"NOTE:Sings\r\n" in octets
    assert b"CATEGORIES:Friends\r\n" in octets


def test_a_new_card_reads_as_it_was_entered() -> None:
    given = replace(FORM, groups="Friends, Choir", address="Street 1, Town", organization="Far; Ltd", nickname="F,F")
    uid, octets = new_card(given)
    tree = read_tree(octets, BOUNDS)
    assert tree.text("UID") == uid
    assert tree.text("FN") == "Fay Far"
    assert form_of(tree) == given


@pytest.mark.parametrize(
    "wrong", [CardForm(), CardForm(first="Fay", emails="nobody"), CardForm(first="Fay", birthday="1990-02-31")]
)
def test_forms_that_say_nothing(wrong: CardForm) -> None:
    with pytest.raises(InvalidError):
        new_card(wrong)


def card(name: str, full_name: str, *emails: str, book: str = "b") -> CardShown:
    return CardShown(book, name, "", full_name, "", emails, (), (), True)


def test_duplicates_share_an_address_or_a_whole_name() -> None:
    found = duplicates(
        [
            card("1", "Fay Far", "a@x.test"),
            card("2", "Fay", "A@x.test", "b@x.test"),
            card("3", "Max", "c@x.test"),
            card("4", "Max", "d@x.test"),
            card("5", "fay far", "b@x.test"),
            card("6", "Fay Far", book="other"),
        ]
    )
    assert [[one.name for one in group] for group in found] == [["1", "2", "5"]]


def test_merging_keeps_what_each_knows() -> None:
    _, other = new_card(
        CardForm(first="F.", emails="fay@new.test", phones="+1-234\n+9", organization="Far", notes="Tall")
    )
    tree = read_tree(merged([CARD, other], BOUNDS), BOUNDS)
    form = form_of(tree)
    assert form.first == "Fay"
    assert form.emails.split("\n") == ["fay@far.test", "fay@home.test", "fay@new.test"]
    assert form.phones.split("\n") == ["+1-234", "+9"]
    assert (form.organization, form.notes) == ("Far", "Tall")
    assert tree.text("UID") == "1"
