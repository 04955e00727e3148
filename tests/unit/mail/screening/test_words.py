"""Words of a text: the quick way for ASCII finds what the pattern for all other text finds."""

from hypothesis import given
from hypothesis import strategies as st

from mailstead.mail.screening.view import words_of

ASCII = st.text(st.characters(max_codepoint=127), max_size=200)
BEYOND = "\N{EURO SIGN}"  # makes a text of its own kind, and is a word too short to count


@given(ASCII)
def test_ascii_is_cut_as_everything_else(text: str) -> None:
    assert words_of(text) == words_of(f"{text} {BEYOND}")


@given(ASCII, st.integers(30, 130))
def test_long_words_are_cut_alike(text: str, length: int) -> None:
    text = f"{text} {'x' * length} {text}"
    assert words_of(text) == words_of(f"{text} {BEYOND}")


def test_numbers_are_all_alike() -> None:
    assert words_of("Order 12345 for $100, ticket-7 and room #12 (c3po)") == [
        "order",
        "for",
        "ticket-#",
        "and",
        "room",
        "c#po",
    ]
