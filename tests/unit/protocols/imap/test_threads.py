"""Threads by subject and by references."""

from hypothesis import given
from hypothesis import strategies as st

from mailstead.protocols.imap.threads import by_references, ordered_subject, thread_list
from mailstead.stores.mailbox.search.ancestry import Threaded


def message(
    uid: int, identifier: str = "", ancestors: str = "", subject: str = "", date: int | None = None
) -> Threaded:
    base = subject.removeprefix("re: ")
    return Threaded(uid, identifier, tuple(ancestors.split()), subject, base, uid if date is None else date)


def references(*messages: Threaded) -> bytes:
    return thread_list(by_references(messages), lambda uid: uid)


def test_answers_stand_below_what_they_answer() -> None:
    assert references(message(1, "a"), message(2, "b", "a"), message(3, "c", "a b")) == b"(1 2 3)"
    assert references(message(1, "a"), message(2, "b", "a"), message(3, "c", "a")) == b"(1 (2)(3))"
    assert (
        references(message(1, "a"), message(2, "b", "a"), message(3, "c", "a"), message(4, "d", "c")) == b"(1 (2)(3 4))"
    )


def test_a_message_that_is_not_there_holds_its_answers_together() -> None:
    assert references(message(1, "a", "x"), message(2, "b", "x")) == b"((1)(2))"
    assert references(message(1, "a", "x")) == b"(1)"
    assert references(message(1, "a"), message(2, "b", "a x"), message(3, "c", "a x")) == b"(1 (2)(3))"


def test_order_is_by_date_and_not_by_arrival() -> None:
    assert references(message(1, "b", "a", date=5), message(2, "a", date=1), message(3, "c", date=0)) == b"(3)(2 1)"


def test_loops_and_doubles_do_no_harm() -> None:
    assert references(message(1, "a", "b"), message(2, "b", "a")) in (b"(1 2)", b"(2 1)")
    assert references(message(1, "a"), message(2, "a"), message(3, "c", "a")) == b"(1 3)(2)"
    assert references(message(1, "a", "a")) == b"(1)"


def test_threads_of_one_subject_are_one() -> None:
    assert references(message(1, "a", subject="lunch"), message(2, "b", subject="re: lunch")) == b"(1 2)"
    assert references(message(1, "a", subject="lunch"), message(2, "b", subject="lunch")) == b"((1)(2))"
    assert references(message(1, "a", subject="re: lunch"), message(2, "b", subject="lunch")) == b"(2 1)"
    assert references(message(1, "a"), message(2, "b")) == b"(1)(2)"
    dummies = (
        message(1, "a", "x", "s"),
        message(2, "b", "x", "s"),
        message(3, "c", "y", "s"),
        message(4, "d", "y", "s"),
    )
    assert references(*dummies) == b"((1)(2)(3)(4))"


def test_ordered_subject() -> None:
    messages = [message(1, subject="b"), message(2, subject="a"), message(3, subject="b"), message(4, subject="re: b")]
    assert thread_list(ordered_subject(messages), lambda uid: uid) == b"(1 (3)(4))(2)"


def test_a_deep_thread_needs_no_recursion() -> None:
    chain = [message(uid, f"m{uid}", f"m{uid - 1}") for uid in range(1, 5001)]
    assert references(*chain) == b"(%b)" % b" ".join(b"%d" % uid for uid in range(1, 5001))


names = st.sampled_from("abcdefg")


@given(
    st.lists(
        st.tuples(names, st.lists(names, max_size=4), st.sampled_from(["", "x", "re: x", "y"]), st.integers(0, 3)),
        max_size=12,
    )
)
def test_every_message_stands_in_one_thread(made: list[tuple[str, list[str], str, int]]) -> None:
    messages = [
        message(uid, name, " ".join(ancestors), subject, date)
        for uid, (name, ancestors, subject, date) in enumerate(made, 1)
    ]
    for text in (references(*messages), thread_list(ordered_subject(messages), lambda uid: uid)):
        numbers = text.replace(b"(", b" ").replace(b")", b" ").split()
        assert sorted(map(int, numbers)) == [one.uid for one in messages]
        assert text.count(b"(") == text.count(b")")
