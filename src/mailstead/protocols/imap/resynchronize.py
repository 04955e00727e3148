"""What a client missed while it was away (RFC 7162 §3.2.5, §3.2.6)."""

import msgspec

from mailstead.protocols.imap.grammar.sequence import SequenceSet, intersect, to_ranges, without
from mailstead.protocols.imap.view import View
from mailstead.stores.mailbox.records import EntryRow, Ranges


class KnownState(msgspec.Struct, frozen=True):
    """What a client says it has: `uids` all it knows, `matches` numbers and the uids it believes they have."""

    uidvalidity: int
    modseq: int
    uids: SequenceSet | None = None
    matches: tuple[SequenceSet, SequenceSet] | None = None


def gone_since(view: View, modseq: int, wanted: Ranges, sure_to: int = 0) -> Ranges:
    """Which of the `wanted` uids left the folder after `modseq`.

    When the log does not reach back so far, all that are not there are told; uids up to `sure_to` are known to match.
    """
    last = view.uidnext - 1
    wanted = [(first, min(end, last)) for first, end in wanted if first <= last]
    if modseq >= view.mailbox.pruned_modseq(view.folder.id):
        return intersect(wanted, to_ranges(view.mailbox.expunged(view.folder.id, modseq)))
    wanted = intersect(wanted, [(sure_to + 1, last)]) if sure_to < last else []
    return without(wanted, to_ranges(view.uids))


def missed(view: View, known: KnownState) -> tuple[Ranges, list[EntryRow]]:
    """Uids that are gone and entries that changed, among those that the client knows."""
    last = view.uidnext - 1
    wanted: Ranges = known.uids.resolve(last) if known.uids is not None else [(1, last)] if last else []
    sure_to = matching_to(view, *known.matches) if known.matches is not None else 0
    gone = gone_since(view, known.modseq, wanted, sure_to)
    entries = view.mailbox.changes(view.folder.id, known.modseq).entries
    inside = view.uid_slices(wanted)
    changed = [entry for entry in entries if _is_inside(view.index(entry[0]), inside)]
    return gone, changed


def _is_inside(place: int, slices: list[tuple[int, int]]) -> bool:
    return any(low <= place < high for low, high in slices)


def matching_to(view: View, numbers: SequenceSet, uids: SequenceSet) -> int:
    """The highest uid of the pairs that are still so, 0 when none is: nothing up to it was removed (RFC 7162 §3.2.5.2).

    The pairs ascend together, and removals before a pair would have moved it: the first that does not match ends it.
    """
    best = 0
    count = len(view)
    for number, uid in zip(_each(numbers), _each(uids), strict=False):
        if number > count or view.uids[number - 1] != uid:
            break
        best = uid
    return best


def _each(wanted: SequenceSet) -> list[int]:
    """At most some thousand numbers of a set, ascending."""
    found: list[int] = []
    for first, last in wanted.resolve(0):
        found += range(max(first, 1), min(last, first + _PAIRS_MOST) + 1)
        if len(found) > _PAIRS_MOST:
            break
    return found[:_PAIRS_MOST]


_PAIRS_MOST = 10_000
