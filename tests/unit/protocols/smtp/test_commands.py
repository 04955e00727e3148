import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstead.protocols.smtp.commands import (
    ALL_BODIES,
    Bdat,
    CommandSyntaxError,
    Mail,
    Rcpt,
    decode_xtext,
    parse_bdat,
    parse_hello,
    parse_mail,
    parse_rcpt,
    split_line,
)

BODIES = frozenset(ALL_BODIES.values())


def test_every_parameter_of_mail() -> None:
    line = "from:<a@b.example> size=12 BODY=8bitmime smtputf8 ret=hdrs ENVID=QQ+2B314159 AUTH=a+40b.example"
    assert parse_mail(line, BODIES) == Mail(
        sender="a@b.example", size=12, body="8BITMIME", smtputf8=True, ret="HDRS", envelope_id="QQ+314159"
    )
    assert parse_mail("FROM:<> AUTH=<>", BODIES) == Mail(sender="")


def test_every_parameter_of_rcpt() -> None:
    line = "TO:<a@b.example> NOTIFY=SUCCESS,failure,Delay ORCPT=rfc822;Bob+20B@old.example"
    assert parse_rcpt(line, utf8=False) == Rcpt(
        recipient="a@b.example",
        notify=frozenset({"SUCCESS", "FAILURE", "DELAY"}),
        original="rfc822;Bob+20B@old.example",
    )
    assert parse_rcpt("TO:<a@b.example> NOTIFY=NEVER", utf8=False).notify == {"NEVER"}
    assert parse_rcpt("to:<postmaster>", utf8=False).recipient == "Postmaster"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("FROM:<a@b> BODY=BINARYMIME", 501),
        ("FROM:<a@b> ENVID=" + "x" * 101, 501),
        ("FROM:<a@b> SIZE=" + "1" * 21, 501),
        ("FROM:<a@b> " + " ".join(f"X{n}" for n in range(21)), 501),
        ("FROM:<a@b> HOLDFOR=10", 555),
        ("FROM:<a@b> ü", 550),
        ("FROM:<ü@b> XSMTPUTF8", 550),
        ('FROM:<"ü SMTPUTF8"@b>', 550),
    ],
)
def test_mail_is_refused(line: str, code: int) -> None:
    with pytest.raises(CommandSyntaxError) as raised:
        parse_mail(line, frozenset({"7BIT", "8BITMIME"}))
    assert raised.value.smtp_code == code


def test_utf8_original_recipients_need_smtputf8() -> None:
    assert parse_rcpt("TO:<a@b> ORCPT=utf-8;ü@b", utf8=True).original == "utf-8;ü@b"
    with pytest.raises(CommandSyntaxError):
        parse_rcpt("TO:<a@b> ORCPT=utf-8;ü@b", utf8=False)


@pytest.mark.parametrize(
    ("text", "expected"), [("10", Bdat(10, False)), ("0 LAST", Bdat(0, True)), ("7  last", Bdat(7, True))]
)
def test_chunks(text: str, expected: Bdat) -> None:
    assert parse_bdat(text) == expected


@pytest.mark.parametrize("text", ["", "LAST", "-1", "1 FIRST", "1LAST", "١", "1" * 19, "1 LAST LAST", "+1", "1.0"])
def test_bad_chunks(text: str) -> None:
    with pytest.raises(CommandSyntaxError):
        parse_bdat(text)


@given(st.binary(max_size=300))
def test_any_line_is_a_command_or_a_syntax_error(line: bytes) -> None:
    codes = set()
    for parse in (
        parse_hello,
        lambda text: parse_mail(text, BODIES),
        lambda text: parse_mail("FROM:<a@b> " + text, BODIES),
        lambda text: parse_rcpt(text, utf8=True),
        lambda text: parse_rcpt("TO:<a@b> " + text, utf8=False),
        parse_bdat,
    ):
        try:
            _, argument = split_line(b"X " + line)
            parse(argument)
        except CommandSyntaxError as error:
            codes.add(error.smtp_code)
    assert codes <= {501, 550, 553, 555}


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40))
def test_xtext_round_trip(text: str) -> None:
    encoded = "".join(f"+{ord(letter):02X}" if letter in "+= " else letter for letter in text)
    assert decode_xtext(encoded) == text
