"""From a search as it was written to criteria of the store: message numbers, $ and ages put in."""

from mailstead.protocols.imap.errors import CommandError
from mailstead.protocols.imap.grammar.search import Age, All, Either, Messages, Node, Opposite, Recent
from mailstead.protocols.imap.view import View
from mailstead.stores.mailbox.search import criteria as c


def resolve(key: Node, view: View, now: float, *, uidonly: bool = False) -> c.Criterion:
    """The criterion in a view at a moment (epoch seconds). Raises CommandError for numbers where `uidonly`."""
    match key:
        case All(keys):
            return c.And(tuple(resolve(one, view, now, uidonly=uidonly) for one in keys))
        case Either(left, right):
            return c.Or(resolve(left, view, now, uidonly=uidonly), resolve(right, view, now, uidonly=uidonly))
        case Opposite(inner):
            return c.Not(resolve(inner, view, now, uidonly=uidonly))
        case Messages(wanted, by_uid):
            if uidonly and not by_uid and not wanted.saved:
                raise CommandError("Messages are named by uid only", "UIDREQUIRED")
            return c.UidIn(_uids(key, view))
        case Recent():
            return c.UidIn(view.recent_ranges)
        case Age(seconds, older):
            moment = int(now) - seconds
            return c.Date("internal", before=moment + 1) if older else c.Date("internal", since=moment)
        case _:
            return key


def _uids(key: Messages, view: View) -> list[tuple[int, int]]:
    if key.wanted.saved:
        return view.saved
    if key.by_uid:
        return key.wanted.resolve(view.uids[-1] if view.uids else 0)
    return view.uid_ranges(view.number_slices(key.wanted.resolve(len(view))))
