"""Where delivered messages go: all folders of all messages of a delivery, in the caller's one transaction."""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

import apsw
import msgspec

from mailstead.formats.message.part import Octets
from mailstead.stores.mailbox.codec import Codec
from mailstead.stores.mailbox.folders import INBOX, filing_folder
from mailstead.stores.mailbox.messages import Prepared, add_entry, add_messages
from mailstead.stores.mailbox.records import Folder, NewMessage, Receipt


class Place(msgspec.Struct, frozen=True):
    """One folder that a message is filed into; see folders.filing_folder for `create` and `special_use`.

    Of several with the same `delivery_id` (not empty) the first is taken: a delivery may be tried again.
    """

    folder: str = INBOX
    flags: int = 0
    keywords: str = ""
    delivery_id: str = ""
    create: bool = False
    special_use: str = ""


class Filed(msgspec.Struct, frozen=True):
    """A message and all of its places; `internal_date` in seconds since the epoch."""

    raw: Octets
    places: tuple[Place, ...]
    internal_date: int

    @property
    def first(self) -> NewMessage:
        """The message as its first place has it."""
        return self.at(self.places[0])

    def at(self, place: Place) -> NewMessage:
        """The message as one place has it."""
        return NewMessage(self.raw, place.flags, place.keywords, self.internal_date, place.delivery_id)


def file_messages(
    connection: apsw.Connection,
    codec: Codec,
    filed: Sequence[Filed],
    prepared: Iterable[Prepared],
    prepare: Callable[[NewMessage], Prepared],
) -> list[list[Receipt]]:
    """Put each message into all of its places, one receipt for each; `prepared` are the `first` ones, in order.

    A message that lies in several folders is kept once. Inside a transaction.
    """
    found: dict[tuple[str, bool, str], Folder] = {}

    def folder_of(place: Place) -> Folder:
        key = (place.folder, place.create, place.special_use)
        if key not in found:
            found[key] = filing_folder(connection, place.folder, create=place.create, special_use=place.special_use)
        return found[key]

    receipts: list[list[Receipt]] = []
    first = zip((folder_of(one.places[0]) for one in filed), prepared, strict=True)
    for folder, run in groupby(first, key=lambda pair: pair[0]):
        taken = add_messages(connection, codec, folder.id, (one for _, one in run))
        receipts += ([Receipt(folder.name, one.uid, one.object_id, False)] for one in taken)
    for one, places in zip(filed, receipts, strict=True):
        for place in one.places[1:]:
            folder, message = folder_of(place), one.at(place)
            name = next((receipt.object_id for receipt in places if receipt.object_id), "")
            if name:
                again = add_entry(connection, folder.id, name, message)
            else:  # the other places have it from a delivery that was cut off
                (again,) = add_messages(connection, codec, folder.id, [prepare(message)])
            places.append(Receipt(folder.name, again.uid, again.object_id, False))
    return receipts
