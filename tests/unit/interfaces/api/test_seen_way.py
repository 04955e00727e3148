"""Nobody hears from the trace to whom else a message went."""

from mailstead.interfaces.api.seen_way import seen_by
from mailstead.stores.trace.entry import TraceEntry, Way

ALICE, BOB, CAROL, STRANGER = "alice@example.test", "bob@example.test", "carol@example.test", "s@foreign.test"


def entry(service: str, event: str, text: str, *keys: str, message_id: str = "") -> TraceEntry:
    return TraceEntry(
        trace_id="one", at=1.0, service=service, event=event, text=text, message_id=message_id, keys=("one", *keys)
    )


WRITTEN = Way(
    "one",
    (
        entry(
            "web",
            "received",
            f"9 octets written by {ALICE} for {BOB}, {CAROL}",
            "m@x",
            ALICE,
            BOB,
            CAROL,
            message_id="<m@x>",
        ),
        entry("storage", "delivered", f"put into INBOX of {BOB}", BOB),
        entry("storage", "delivered", f"put into INBOX of {CAROL}", CAROL),
        entry("web", "queued", f"waits in the queue as q for {BOB}, hidden@else.test", BOB, CAROL, "q"),
    ),
)
ARRIVED = Way(
    "one",
    (
        entry("mx", "received", f"9 octets from {STRANGER} at 192.0.2.1 (h) for {BOB}, {CAROL}", STRANGER, BOB, CAROL),
        entry("mx", "authenticated", f"SPF pass for {STRANGER}", STRANGER, BOB, CAROL),
        entry("storage", "delivered", f"put into INBOX of {BOB}", BOB),
    ),
)


def texts(way: Way | None) -> list[str]:
    assert way is not None
    return [entry.text for entry in way.entries]


def test_who_sent_it_sees_all() -> None:
    assert seen_by(WRITTEN, ALICE) is WRITTEN
    assert seen_by(WRITTEN, "Alice@Example.test") is WRITTEN


def test_a_recipient_sees_what_is_about_himself_and_nobody_else() -> None:
    assert texts(seen_by(WRITTEN, BOB)) == [
        f"9 octets written by {ALICE} for {BOB}, another address",
        f"put into INBOX of {BOB}",
        f"waits in the queue as q for {BOB}, another address",
    ]
    assert texts(seen_by(ARRIVED, CAROL)) == [
        f"9 octets from {STRANGER} at 192.0.2.1 (h) for another address, {CAROL}",
        f"SPF pass for {STRANGER}",
    ]


def test_others_see_nothing() -> None:
    assert seen_by(WRITTEN, "dave@example.test") is None


def test_an_envelope_sender_that_nobody_proved_gives_no_right_to_see_all() -> None:
    forged = Way(
        "one", (entry("mx", "received", f"9 octets from {ALICE} at h for {BOB}", ALICE, BOB), ARRIVED.entries[2])
    )
    assert texts(seen_by(forged, ALICE)) == [f"9 octets from {ALICE} at h for another address"]
    refused = Way(
        "one", (entry("submission", "refused", f"{BOB}, from {ALICE} at h: 550", BOB, ALICE), WRITTEN.entries[2])
    )
    assert texts(seen_by(refused, BOB)) == [f"{BOB}, from another address at h: 550"]
