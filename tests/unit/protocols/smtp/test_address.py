import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstead.protocols.smtp.address import address_literal, is_address_literal, is_domain, split_path

GOOD = [
    ("<a@b.example>", "a@b.example"),
    ("<a.b-c+d=e@b-c.example>", "a.b-c+d=e@b-c.example"),
    ("<!#$%&'*+-/=?^_`{|}~@b.example>", "!#$%&'*+-/=?^_`{|}~@b.example"),
    ('<"a b"@c.example>', '"a b"@c.example'),
    ('<"a\\"b\\\\"@c.example>', '"a\\"b\\\\"@c.example'),
    ('<""@c.example>', '""@c.example'),
    ("<a@localhost>", "a@localhost"),
    ("<a@[192.0.2.1]>", "a@[192.0.2.1]"),
    ("<a@[IPv6:::1]>", "a@[IPv6:::1]"),
    ("<a@[IPv6:2001:db8::192.0.2.1]>", "a@[IPv6:2001:db8::192.0.2.1]"),
    ("<a@[x400:c=us]>", "a@[x400:c=us]"),
    ("<@r.example:a@b.example>", "a@b.example"),
    ("<@r.example,@s.example:a@b.example>", "a@b.example"),
    ("<a@xn--bcher-kva.example>", "a@xn--bcher-kva.example"),
]
BAD = [
    "a@b", "<a@b", "<a>", "<@b>", "<a@>", "<.a@b>", "<a.@b>", "<a..b@c>", "<a@.b>", "<a@b.>", "<a@b..c>", "<a@-b>",
    "<a@b->", "<a@b_c>", "<a b@c>", '<"a"b@c>', '<"a@c>', "<a@[1.2.3]>", "<a@[1.2.3.256]>", "<a@[IPv6:1::2::3]>",
    "<a@[IPv6:fe80::1%eth0]>", "<a@[]>", "<a@b@c>", "<a,b@c>", "<(a)@b>", "<a@b(c)>", "<@r:@s:a@b>", "<a\t@b>",
    "<ü@b>", "<a@ü.example>", f"<{'a' * 65}@b>", f"<a@{'b' * 64}.example>", f"<a@{'b.' * 127}example>", "",
]  # fmt: skip


@pytest.mark.parametrize(("text", "mailbox"), GOOD)
def test_good_paths(text: str, mailbox: str) -> None:
    assert split_path(text + " REST=1", utf8=False) == (mailbox, " REST=1")
    assert split_path(text, utf8=True) == (mailbox, "")


@pytest.mark.parametrize("text", BAD)
def test_bad_paths(text: str) -> None:
    assert split_path(text, utf8=False) is None


@pytest.mark.parametrize("text", ["<ü@b>", "<a@ü.example>", '<"ü ü"@例え.テスト>', "<δοκιμή@παράδειγμα.δοκιμή>"])
def test_paths_beyond_ascii_with_smtputf8(text: str) -> None:
    assert split_path(text, utf8=True) == (text[1:-1], "")
    assert split_path(text, utf8=False) is None


@pytest.mark.parametrize("text", ["<\u0085@b>", "<a\u2028@b>", "<\u009f@b>", "<a@b\u2029c>"])
def test_control_characters_beyond_ascii_are_refused(text: str) -> None:
    assert split_path(text, utf8=True) is None


@given(st.text(max_size=80), st.booleans())
def test_any_text_is_answered(text: str, utf8: bool) -> None:
    for path in (text, f"<{text}>", f"<a@{text}>", f"<{text}@b>"):
        found = split_path(path, utf8=utf8)
        if found is not None:
            mailbox, rest = found
            assert path.endswith(f"{mailbox}>{rest}")
            assert utf8 or mailbox.isascii()
            assert not any(letter < " " or letter == "\x7f" for letter in mailbox)
    is_domain(text)
    is_address_literal(f"[{text}]")


@given(st.ip_addresses().map(str))
def test_every_address_has_a_literal(address: str) -> None:
    assert is_address_literal(address_literal(address))


def test_nested_repetition_costs_no_time() -> None:
    assert split_path("<" + "a." * 5000 + "@b>", utf8=False) is None
    assert split_path("<a@" + "b-" * 5000 + ">", utf8=False) is None
    assert split_path('<"' + "\\a" * 5000 + ">", utf8=False) is None
