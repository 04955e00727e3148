"""What one IMAP session may know of its selected mailbox, kept from what the server says, and held to the rules of it.

RFC 9051 §2.3.1, §5.2, §7.4, §7.5 and RFC 7162 §3.1, §3.2.10.
"""

from dataclasses import dataclass, field

from support.imap_client import Response, Value, items, numbers

_NO_EXPUNGE = {"", "FETCH", "STORE", "SEARCH"}


@dataclass(eq=False)
class Slot:
    """One message of this session: what is not known yet is None."""

    uid: int | None = None
    flags: frozenset[str] | None = None
    modseq: int = 0
    told: int = 0  # how often its flags were told


@dataclass
class Ledger:
    """What all sessions together learn of one mailbox: uids are given once, and a modseq stands for one state."""

    made: dict[int, str] = field(default_factory=dict)  # uid -> where it came from
    gone: set[int] = field(default_factory=set)
    states: dict[tuple[int, int], frozenset[str]] = field(default_factory=dict)

    def make(self, uid: int, origin: str) -> None:
        assert uid not in self.made, f"uid {uid} was given twice: {self.made[uid]} and {origin}"
        self.made[uid] = origin

    def state(self, uid: int, modseq: int, flags: frozenset[str]) -> None:
        before = self.states.setdefault((uid, modseq), flags)
        assert before == flags, f"uid {uid} at modseq {modseq} has {sorted(before)} and {sorted(flags)}"


def flags_of(value: Value) -> frozenset[str]:
    """Without \\Recent, which is another one for every session; keywords in small letters."""
    assert isinstance(value, list)
    found = {flag.decode().lower() for flag in value if isinstance(flag, bytes)}
    return frozenset(found - {"\\recent"})


class SelectedView:
    """Feed every untagged response to `hear`; `command` is what runs, "" when nothing does."""

    def __init__(self, ledger: Ledger, *, qresync: bool) -> None:
        self.ledger = ledger
        self.qresync = qresync
        self.slots: list[Slot] = []
        self.command = ""
        self.highest = 0

    def hear(self, response: Response) -> None:
        match response.name:
            case "EXISTS":
                assert response.number is not None
                assert response.number >= len(self.slots), f"fewer messages without a word: {response.line!r}"
                self.slots += [Slot() for _ in range(response.number - len(self.slots))]
            case "EXPUNGE":
                assert not self.qresync, "EXPUNGE after ENABLE QRESYNC (RFC 7162 §3.2.10)"
                self._may_expunge()
                assert response.number is not None
                assert 1 <= response.number <= len(self.slots), response.line
                self._gone(self.slots.pop(response.number - 1))
            case "VANISHED":
                self._vanished(response)
            case "FETCH":
                self._fetched(response)
            case "STATUS" if "HIGHESTMODSEQ" in items(response):
                highest = int(_text(items(response)["HIGHESTMODSEQ"]))
                assert highest >= self.highest, "HIGHESTMODSEQ went back"
                self.highest = highest

    def _may_expunge(self) -> None:
        assert self.command not in _NO_EXPUNGE, f"a removal is told while {self.command or 'nothing'} runs"

    def _gone(self, slot: Slot) -> None:
        if slot.uid is not None:
            self.ledger.gone.add(slot.uid)

    def _vanished(self, response: Response) -> None:
        assert self.qresync, response.line
        earlier = isinstance(response.values[0], list)
        if not earlier:
            self._may_expunge()
        for uid in numbers(_text(response.values[-1])):
            found = next((slot for slot in self.slots if slot.uid == uid), None)
            if found is None:
                if earlier:
                    continue  # the client may never have known of it (RFC 7162 §3.2.10.1)
                found = self._unknown_for(uid)
            self.slots.remove(found)
            self.ledger.gone.add(uid)

    def _unknown_for(self, uid: int) -> Slot:
        """A slot that may be the one of `uid`: all between the same neighbours are alike to the client."""
        found = None
        for slot in self.slots:
            if slot.uid is None:
                found = found or slot
            elif slot.uid < uid:
                found = None
            else:
                break
        assert found is not None, f"uid {uid} vanished and was never there"
        return found

    def _fetched(self, response: Response) -> None:
        assert response.number is not None
        assert 1 <= response.number <= len(self.slots), response.line
        slot, data = self.slots[response.number - 1], items(response)
        if "UID" in data:
            self._identify(response.number - 1, int(_text(data["UID"])))
        else:
            assert not self.qresync, f"without UID: {response.line!r} (RFC 7162 §3.2.4)"
            assert not self.command.startswith("UID "), f"without UID: {response.line!r} (RFC 9051 §6.4.9)"
        if "MODSEQ" in data:
            listed = data["MODSEQ"]
            assert isinstance(listed, list)
            modseq = int(_text(listed[0]))
            assert modseq >= slot.modseq, f"modseq went back: {response.line!r}"
            slot.modseq = modseq
            self.highest = max(self.highest, modseq)
        if "FLAGS" in data:
            slot.flags = flags_of(data["FLAGS"])
            slot.told += 1
            if slot.uid is not None and "MODSEQ" in data:
                self.ledger.state(slot.uid, slot.modseq, slot.flags)

    def _identify(self, place: int, uid: int) -> None:
        slot = self.slots[place]
        assert slot.uid in (None, uid), f"message {place + 1} was uid {slot.uid} and is {uid}"
        slot.uid = uid
        before = max((other.uid for other in self.slots[:place] if other.uid is not None), default=0)
        after = min((other.uid for other in self.slots[place + 1 :] if other.uid is not None), default=1 << 32)
        assert before < uid < after, f"uids do not ascend: {before}, {uid}, {after}"


def _text(value: Value) -> str:
    assert isinstance(value, bytes), value
    return value.decode()
