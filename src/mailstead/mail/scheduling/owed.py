"""Messages that a change owes: what is kept of them with the change, and how the object hears what became of them."""

import msgspec

from mailstead.formats.content_lines.component import ContentBounds
from mailstead.foundation.identifiers import new_ulid
from mailstead.mail.scheduling.delivery import PENDING
from mailstead.mail.scheduling.message import ItipMessage
from mailstead.mail.scheduling.organizer import with_status
from mailstead.mail.scheduling.storing import to_store
from mailstead.stores.mailbox.dav.records import NewObject, PreconditionFailedError
from mailstead.stores.mailbox.dav.store import DavStore

_ATTEMPTS = 8


class Debt(msgspec.Struct, frozen=True):
    """Messages of one change; `name` is the changed object in its collection, empty when it is gone.

    `tells` is the property whose SCHEDULE-STATUS says what became of them: ATTENDEE or ORGANIZER.
    """

    messages: tuple[ItipMessage, ...]
    user_id: str
    service: str
    collection_id: int
    name: str
    tells: str


def record_of(debt: Debt, now: float) -> NewObject:
    """What is kept in the mailbox."""
    identifier = new_ulid(now)
    return NewObject(identifier, identifier, "", msgspec.json.encode(debt))


def read_debt(data: bytes) -> Debt:
    """What record_of wrote."""
    return msgspec.json.decode(data, type=Debt)


def settle(dav: DavStore, record: str, debt: Debt, statuses: dict[str, str], now: float, bounds: ContentBounds) -> None:
    """The messages are sent: the record goes, the object says what became of them where it says that they are pending.

    Runs on a mailbox thread. An object that was changed meanwhile keeps what it was changed to. Raises ContentError,
    PreconditionFailedError when that goes on and on.
    """
    for _ in range(_ATTEMPTS):
        row = dav.find(debt.collection_id, debt.name) if debt.name else None
        data = None if row is None else dav.read([row.id]).get(row.id)
        if row is None or data is None:
            break
        told = with_status(data, statuses, debt.tells, bounds, instead_of=PENDING)
        if told == data:
            break
        try:
            new = to_store(row.name, told, bounds, row.schedule_tag)
            dav.put(debt.collection_id, new, now, if_match=row.etag, settles=(record,))
        except PreconditionFailedError:
            continue
        return
    dav.settle((record,), now)
