import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstead.foundation.dns.names import InvalidNameError, ascii_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Example.TEST", "example.test"),
        ("example.test.", "example.test"),
        ("_dmarc.example.test", "_dmarc.example.test"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("почта\u3002рф", "xn--80a1acny.xn--p1ai"),
        ("a" * 63 + ".test", "a" * 63 + ".test"),
        ("1.2.0.192.in-addr.arpa", "1.2.0.192.in-addr.arpa"),
    ],
)
def test_names_are_written_as_they_are_asked(text: str, name: str) -> None:
    assert ascii_name(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "a..b",
        ".a",
        "a b.test",
        "a\\.b",
        "a\r\n.test",
        "a\x00.test",
        "a" * 64,
        "a." * 127 + "a",
        "ü" * 60,
        "\u2028",
    ],
)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(InvalidNameError):
        ascii_name(text)


@given(st.text(max_size=300))
def test_any_text_is_a_name_or_the_functions_own_error(text: str) -> None:
    try:
        name = ascii_name(text)
    except InvalidNameError:
        return
    assert name.isascii()
    assert len(name) <= 253
    assert ascii_name(name) == name
