"""People whom an account knows: those in its address books, and those it wrote to lately."""

from mailstead.formats.content_lines.component import ContentBounds
from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.message.envelope_shown import Person, read_envelope
from mailstead.formats.vcard.card import read_card
from mailstead.interfaces.reading.listing import as_ranges
from mailstead.stores.mailbox.mailbox import Mailbox

_SENT_LOOKED_AT = 500
_CARDS_LOOKED_AT = 5000
_FOUND = 8


def acquaintances(mailbox: Mailbox, wanted: str, bounds: ContentBounds) -> list[Person]:
    """The best few whose name or address has `wanted` at the start of a word; cards come first. Runs on a thread."""
    wanted = wanted.strip().casefold()
    if not wanted:
        return []
    found: dict[str, Person] = {}
    for person in [*_cards(mailbox, bounds), *_written_to(mailbox)]:
        key = person.address.casefold()
        if key not in found and _fits(person, wanted):
            found[key] = person
            if len(found) == _FOUND:
                break
    return list(found.values())


def _fits(person: Person, wanted: str) -> bool:
    words = (*person.name.casefold().split(), person.address.casefold(), person.address.casefold().rpartition("@")[2])
    return any(word.startswith(wanted) for word in words) or person.name.casefold().startswith(wanted)


def _cards(mailbox: Mailbox, bounds: ContentBounds) -> list[Person]:
    found: list[Person] = []
    for collection in mailbox.dav.collections("addressbook"):
        rows = mailbox.dav.objects(collection.id)[:_CARDS_LOOKED_AT]
        for octets in mailbox.dav.read([row.id for row in rows]).values():
            try:
                card = read_card(octets, bounds)
            except ContentError:
                continue
            found += [Person(card.name, address) for address in card.emails]
    return found


def _written_to(mailbox: Mailbox) -> list[Person]:
    sent = next((folder for folder in mailbox.folders() if folder.special_use == "\\Sent"), None)
    if sent is None:
        return []
    counts: dict[Person, int] = {}
    first = max(sent.uidnext - _SENT_LOOKED_AT, 1)
    for rows in mailbox.rows(sent.id, as_ranges(range(first, sent.uidnext)), ("uid", "envelope")):
        for _, stored in rows:
            envelope = read_envelope(stored)
            for person in envelope.to + envelope.cc + envelope.bcc:
                counts[person] = counts.get(person, 0) + 1
    return sorted(counts, key=lambda person: -counts[person])
