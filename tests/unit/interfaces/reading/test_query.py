import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstead.interfaces.reading.query import WORDS_LIMIT, read_query
from mailstead.stores.mailbox.flags import Flag
from mailstead.stores.mailbox.search import criteria as c

QUERIES: dict[str, c.Criterion] = {
    "anna": c.Text("anna"),
    '"two words"': c.Text("two words"),
    "from:anna": c.Field("from", "anna"),
    'subject:"a b"': c.Field("subject", "a b"),
    "is:unread": c.Not(c.FlagIs(Flag.SEEN)),
    "-is:starred": c.Not(c.FlagIs(Flag.FLAGGED)),
    "before:2026-01-02": c.Date("sent", before=1767312000),
    "after:2026-01-02": c.Date("sent", since=1767312000 + 86400),
    "larger:2m": c.Size(larger=2 * 1024 * 1024),
    "label:work": c.KeywordIs("work"),
    "before:yesterday": c.Text("before:yesterday"),
    "http://a.test": c.Text("http://a.test"),
    "is:odd": c.Text("is:odd"),
}


@pytest.mark.parametrize("text", QUERIES)
def test_operators_become_criteria(text: str) -> None:
    assert read_query(text) == c.And((QUERIES[text],))


def test_words_are_joined_and_nothing_is_nothing() -> None:
    assert read_query("from:a b") == c.And((c.Field("from", "a"), c.Text("b")))
    assert read_query("   ") is None
    assert read_query('""') is None


@given(st.text(max_size=600))
def test_any_text_is_a_bounded_query(text: str) -> None:
    found = read_query(text)
    assert found is None or (isinstance(found, c.And) and 1 <= len(found.criteria) <= WORDS_LIMIT)
