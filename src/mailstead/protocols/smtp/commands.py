"""Command lines as frozen structs, read strictly by the grammar of RFC 5321 §4.1.

    mail = "MAIL FROM:" reverse-path [SP parameters]        parameter = keyword [ "=" value ]
    rcpt = "RCPT TO:" forward-path [SP parameters]          bdat = "BDAT" SP size [ SP "LAST" ]

Tolerated beyond it: blanks at the end of a line (RFC 5321 §4.1.1), a blank after the colon.
"""

import re
from typing import Literal, NoReturn

import msgspec

from mailstead.foundation.errors import InvalidError
from mailstead.protocols.smtp.address import is_address_literal, split_path

Body = Literal["7BIT", "8BITMIME", "BINARYMIME"]
ALL_BODIES: dict[str, Body] = {"7BIT": "7BIT", "8BITMIME": "8BITMIME", "BINARYMIME": "BINARYMIME"}
PARAMETERS_LIMIT = 20
_SIZE_DIGITS = 20  # RFC 1870 §4
_ENVID_LIMIT = 100  # RFC 3461 §4.4
_ORCPT_LIMIT = 500  # RFC 3461 §4.2
_CHUNK_DIGITS = 18
_DATE_LIMIT = 40
_HOLD_FOR = re.compile(r"[1-9][0-9]{0,8}")  # RFC 4865 §3

_PARAMETER = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~\u0080-\U0010ffff]+))?")
_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*")
_ADDRESS_TYPE = re.compile(r"[A-Za-z0-9!#$%&'*+/?^_`{|}~.-]+")
_HELLO = re.compile(r"[A-Za-z0-9._-]+")
_NOTIFY = frozenset({"SUCCESS", "FAILURE", "DELAY"})


class CommandSyntaxError(InvalidError):
    """The line is not of the command's form; carries the reply."""

    smtp_code = 501
    enhanced_code = "5.5.4"
    public_text = "Syntax error in parameters"


class BadAddressError(CommandSyntaxError):
    """What is between the angle brackets is no path."""

    enhanced_code = "5.1.3"
    public_text = "Bad address syntax"


class BadSenderError(BadAddressError):
    """The same of a sender."""

    enhanced_code = "5.1.7"


class AsciiSenderError(CommandSyntaxError):
    """A sender beyond ASCII without SMTPUTF8 (RFC 6531 §3.5)."""

    smtp_code = 550
    enhanced_code = "5.6.7"
    public_text = "An address beyond ASCII needs SMTPUTF8"


class AsciiRecipientError(AsciiSenderError):
    """A recipient beyond ASCII without SMTPUTF8 (RFC 6531 §3.5)."""

    smtp_code = 553


class UnknownParameterError(CommandSyntaxError):
    """A parameter of no extension offered here (RFC 5321 §4.1.1.11)."""

    smtp_code = 555
    public_text = "Parameter not known"


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """MAIL FROM; `sender` is "" for the null path, `size` what the client declares, 0 when it does not.

    `hold_for` seconds or `hold_until` a date and time: not to be sent before (RFC 4865 §3).
    """

    sender: str
    size: int = 0
    body: Body = "7BIT"
    smtputf8: bool = False
    ret: Literal["", "FULL", "HDRS"] = ""
    envelope_id: str = ""
    hold_for: int = 0
    hold_until: str = ""
    require_tls: bool = False


class Rcpt(msgspec.Struct, frozen=True, kw_only=True):
    """RCPT TO; `recipient` may be `Postmaster` without a domain, `original` is ORCPT as given."""

    recipient: str
    notify: frozenset[str] = frozenset()
    original: str = ""


class Bdat(msgspec.Struct, frozen=True):
    """BDAT; `size` in octets."""

    size: int
    is_last: bool


def split_line(line: bytes) -> tuple[str, str]:
    """The verb in capitals and its argument. Raises CommandSyntaxError for what is no text."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        raise CommandSyntaxError("Not UTF-8") from None
    if not text.isprintable() and any((letter < " " and letter != "\t") or letter == "\x7f" for letter in text):
        raise CommandSyntaxError("Control characters")
    verb, _, argument = text.partition(" ")
    return verb.upper(), argument.strip(" \t")


def parse_hello(argument: str) -> str:
    """The client's name: a domain, or an address literal (RFC 5321 §4.1.1.1); a name with `_` is let pass."""
    name = argument.partition(" ")[0]
    if len(name) > 255 or not (_HELLO.fullmatch(name) or is_address_literal(name)):
        raise CommandSyntaxError("Syntax: a domain or an address literal follows the command")
    return name


def parse_mail(argument: str, bodies: frozenset[Body], *, holds: bool = False) -> Mail:
    """MAIL's argument; `bodies` are the values of BODY that are offered, `holds` says whether FUTURERELEASE is.

    Raises CommandSyntaxError.
    """
    rest = _after(argument, "FROM:")
    utf8 = " SMTPUTF8" in rest.upper()
    if not utf8 and not rest.isascii():
        raise AsciiSenderError
    if rest.startswith("<>"):
        sender, rest = "", rest[2:]
    else:
        found = split_path(rest, utf8=utf8)
        if found is None:
            raise BadSenderError
        sender, rest = found
    if not rest and sender.isascii():
        return Mail(sender=sender)
    mail = _with_mail_parameters(sender, _parameters(rest) if rest else {}, bodies)
    if (mail.hold_for or mail.hold_until) and not holds:
        _unknown("HOLDFOR" if mail.hold_for else "HOLDUNTIL")
    if not (mail.smtputf8 or sender.isascii()):
        raise AsciiSenderError
    return mail


def _with_mail_parameters(sender: str, parameters: dict[str, str | None], bodies: frozenset[Body]) -> Mail:
    size, smtputf8, envelope_id, require_tls = 0, False, "", False
    hold_for, hold_until = 0, ""
    body: Body = "7BIT"
    ret: Literal["", "FULL", "HDRS"] = ""
    for name, value in parameters.items():
        match name, value:
            case "SIZE", str() if value.isascii() and value.isdigit() and len(value) <= _SIZE_DIGITS:
                size = int(value)
            case "BODY", str() if ALL_BODIES.get(value.upper()) in bodies:
                body = ALL_BODIES[value.upper()]
            case "SMTPUTF8", None:
                smtputf8 = True
            case "RET", str() if value.upper() in ("FULL", "HDRS"):
                ret = "FULL" if value.upper() == "FULL" else "HDRS"
            case "ENVID", str() if len(value) <= _ENVID_LIMIT and _is_printable_xtext(value):
                envelope_id = decode_xtext(value)
            case "HOLDFOR", str() if _HOLD_FOR.fullmatch(value) and not hold_until:
                hold_for = int(value)
            case "HOLDUNTIL", str() if len(value) <= _DATE_LIMIT and not hold_for:
                hold_until = value
            case "REQUIRETLS", None:
                require_tls = True
            case "AUTH", str() if _XTEXT.fullmatch(value):
                continue  # of the right form, and not believed (RFC 4954 §5)
            case (
                ("SIZE" | "BODY" | "SMTPUTF8" | "RET" | "ENVID" | "AUTH" | "HOLDFOR" | "HOLDUNTIL" | "REQUIRETLS"),
                _,
            ):
                raise CommandSyntaxError(f"Bad value of {name}")
            case _:
                _unknown(name)
    return Mail(
        sender=sender,
        size=size,
        body=body,
        smtputf8=smtputf8,
        ret=ret,
        envelope_id=envelope_id,
        hold_for=hold_for,
        hold_until=hold_until,
        require_tls=require_tls,
    )


def parse_rcpt(argument: str, *, utf8: bool) -> Rcpt:
    """RCPT's argument; `utf8` when MAIL came with SMTPUTF8. Raises CommandSyntaxError."""
    rest = _after(argument, "TO:")
    if not utf8 and not rest.isascii():
        raise AsciiRecipientError
    if rest[:12].lower() == "<postmaster>":
        recipient, rest = "Postmaster", rest[12:]
    else:
        found = split_path(rest, utf8=utf8)
        if found is None:
            raise BadAddressError
        recipient, rest = found
    if not rest:
        return Rcpt(recipient=recipient)
    notify: frozenset[str] = frozenset()
    original = ""
    for name, value in _parameters(rest).items():
        match name, value:
            case "NOTIFY", str():
                notify = _notify(value)
            case "ORCPT", str() if len(value) <= _ORCPT_LIMIT and _is_original(value, utf8=utf8):
                original = value
            case "ORCPT", _:
                raise CommandSyntaxError("Bad value of ORCPT")
            case "NOTIFY", _:
                raise CommandSyntaxError("Bad value of NOTIFY")
            case _:
                _unknown(name)
    return Rcpt(recipient=recipient, notify=notify, original=original)


def parse_bdat(argument: str) -> Bdat:
    """Chunk size and whether it is the last (RFC 3030 §2). Raises CommandSyntaxError."""
    found = re.fullmatch(rf"([0-9]{{1,{_CHUNK_DIGITS}}})(?: +(LAST))?", argument, re.IGNORECASE)
    if found is None:
        raise CommandSyntaxError("Syntax: BDAT size [LAST]")
    return Bdat(int(found[1]), found[2] is not None)


def _after(argument: str, keyword: str) -> str:
    if argument[: len(keyword)].upper() != keyword:
        raise CommandSyntaxError(f"Syntax: {keyword}<address>")
    return argument[len(keyword) :].lstrip(" ")


def _parameters(rest: str) -> dict[str, str | None]:
    """Parameters by their keywords in capitals. Raises CommandSyntaxError when one comes twice (RFC 3461 §4.5)."""
    if rest[0] != " ":
        raise BadAddressError
    words = rest.split()
    if len(words) > PARAMETERS_LIMIT:
        raise CommandSyntaxError("Too many parameters")
    parameters: dict[str, str | None] = {}
    for word in words:
        found = _PARAMETER.fullmatch(word)
        if found is None:
            raise CommandSyntaxError
        name = found[1].upper()
        if name in parameters:
            raise CommandSyntaxError(f"{name} is given twice")
        parameters[name] = found[2]
    return parameters


def _unknown(name: str) -> NoReturn:
    raise UnknownParameterError(f"{name[:40]} is not known")


def _notify(value: str) -> frozenset[str]:
    """NEVER alone, or a list of the others (RFC 3461 §4.1)."""
    words = value.upper().split(",")
    found = frozenset(words)
    if found != {"NEVER"} and not found <= _NOTIFY:
        raise CommandSyntaxError("Bad value of NOTIFY")
    if found == {"NEVER"} and len(words) > 1:
        raise CommandSyntaxError("Bad value of NOTIFY")
    return found


def _is_original(value: str, *, utf8: bool) -> bool:
    """addr-type ";" xtext (RFC 3461 §4.2); with SMTPUTF8 also utf-8 addresses (RFC 6533 §3)."""
    kind, semicolon, text = value.partition(";")
    if not semicolon or not _ADDRESS_TYPE.fullmatch(kind):
        return False
    if kind.lower() == "utf-8":
        return utf8 or text.isascii()
    return _is_printable_xtext(text)


def _is_printable_xtext(value: str) -> bool:
    """xtext whose decoded form is printable ASCII, as reports need it (RFC 3461 §4.2, §4.4)."""
    return bool(_XTEXT.fullmatch(value)) and all(" " <= letter <= "~" for letter in decode_xtext(value))


def decode_xtext(text: str) -> str:
    """The text of xtext (RFC 3461 §4)."""
    return re.sub(r"\+([0-9A-F]{2})", lambda found: chr(int(found[1], 16)), text)
