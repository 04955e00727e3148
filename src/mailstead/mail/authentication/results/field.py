"""The field's value (RFC 8601 §2.2).

    authres-payload = [CFWS] authserv-id [ CFWS authres-version ] ( no-result / 1*resinfo ) [CFWS]
    resinfo         = [CFWS] ";" methodspec [ CFWS reasonspec ] [ CFWS 1*propspec ]
    propspec        = ptype [CFWS] "." [CFWS] property [CFWS] "=" pvalue

Reading is lenient about the characters of values, and linear.
"""

import re

import msgspec

RESULTS_LIMIT = 200
_VALUE_LIMIT = 512
_FOLD = "\r\n\t"
_PIECE = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|\\.|[();]|[^"();\\]+|\\', re.DOTALL)
_IN_COMMENT = re.compile(r"\\.|[()]|[^()\\]+|\\", re.DOTALL)
_HEAD = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[^\s"=]+)\s*([0-9]*)\s*')
_METHOD = re.compile(r"\s*([A-Za-z0-9-]+)(?:\s*/\s*([0-9]+))?\s*=\s*([A-Za-z0-9-]+)(?=\s|\Z)")
_PAIR = re.compile(
    r'\s*(?:(reason)|([A-Za-z0-9-]+)\s*\.\s*([A-Za-z0-9_-]+))\s*=\s*("(?:[^"\\]|\\.)*"(?:@[^\s"]+)?|[^\s"]+|)(?=\s|\Z)',
    re.IGNORECASE,
)
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]+")
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\x80-\U0010ffff-]*@[A-Za-z0-9.\x80-\U0010ffff-]+")
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)


class ResultsSyntaxError(Exception):
    """The value is none of Authentication-Results; says why."""


class MethodResult(msgspec.Struct, frozen=True):
    """One method's result; `properties` by `ptype.property`; `comment` is for people and lost when read."""

    method: str
    result: str
    reason: str = ""
    properties: tuple[tuple[str, str], ...] = ()
    comment: str = ""

    def property(self, name: str) -> str:
        """The first value of `name` (`header.from`, say), "" without one."""
        return next((value for key, value in self.properties if key == name), "")


class AuthenticationResults(msgspec.Struct, frozen=True):
    """Who found out, and what."""

    identifier: str
    results: tuple[MethodResult, ...] = ()


def format_results(results: AuthenticationResults) -> str:
    """The value, folded; whatever the strings hold, it is one field."""
    if not results.results:
        return f"{_value(results.identifier)}; none"
    return f";{_FOLD}".join([_value(results.identifier), *map(_formatted, results.results)])


def _formatted(one: MethodResult) -> str:
    words = [f"{one.method}={one.result}"]
    if one.comment:
        words.append(f"({_comment(one.comment)})")
    if one.reason:
        words.append(f"reason={_quoted(one.reason)}")
    words += [f"{name}={_value(value)}" for name, value in one.properties]
    lines = [words[0]]
    for word in words[1:]:
        if len(lines[-1]) + len(word) > 76:
            lines.append(word)
        else:
            lines[-1] += f" {word}"
    return f"{_FOLD} ".join(lines)


def _value(text: str) -> str:
    text = _printable(text)
    return text if _TOKEN.fullmatch(text) or _ADDRESS.fullmatch(text) else _quoted(text)


def _quoted(text: str) -> str:
    escaped = _printable(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _comment(text: str) -> str:
    return re.sub(r"[()\\]", " ", _printable(text))


def _printable(text: str) -> str:
    return "".join([one if one.isprintable() else "?" for one in text[:_VALUE_LIMIT]])


def parse_results(value: bytes) -> AuthenticationResults:
    """What a field's value, with its folding, says. Raises ResultsSyntaxError."""
    pieces = _pieces(value.decode("utf-8", "replace"))
    identifier = _identifier(pieces[0])
    if len(pieces) > RESULTS_LIMIT:
        raise ResultsSyntaxError("too many results")
    results = [_result(piece) for piece in pieces[1:] if piece.strip()]
    if len(results) == 1 and results[0] is None:
        return AuthenticationResults(identifier)
    if None in results:
        raise ResultsSyntaxError("none beside results")
    return AuthenticationResults(identifier, tuple(one for one in results if one is not None))


def results_identifier(value: bytes) -> str:
    """The authserv-id alone. Raises ResultsSyntaxError."""
    return _identifier(_pieces(value.decode("utf-8", "replace"))[0])


def _pieces(text: str) -> list[str]:
    """The text between semicolons without its comments."""
    pieces: list[list[str]] = [[]]
    depth = 0
    position = 0
    while found := (_IN_COMMENT if depth else _PIECE).match(text, position):
        position = found.end()
        piece = found[0]
        if piece == "(":
            depth += 1
        elif piece == ")":
            if depth == 1:
                pieces[-1].append(" ")
            depth = max(depth - 1, 0)
        elif depth == 0 and piece == ";":
            pieces.append([])
        elif depth == 0:
            pieces[-1].append(piece)
    return ["".join(parts) for parts in pieces]


def _identifier(piece: str) -> str:
    head = _HEAD.fullmatch(piece)
    if head is None:
        raise ResultsSyntaxError("no authserv-id")
    return _unquoted(head[1])


def _result(piece: str) -> MethodResult | None:
    if piece.strip().lower() == "none":
        return None
    head = _METHOD.match(piece)
    if head is None:
        raise ResultsSyntaxError(f"{piece.strip()[:60]!r} is no result")
    reason = ""
    properties: list[tuple[str, str]] = []
    position = head.end()
    rest = piece.rstrip()
    while position < len(rest):
        pair = _PAIR.match(rest, position)
        if pair is None:
            raise ResultsSyntaxError(f"{rest[position : position + 60].strip()!r} is no property")
        value = _unquoted(pair[4])
        if pair[1]:
            reason = value
        else:
            properties.append((f"{pair[2].lower()}.{pair[3].lower()}", value))
        position = pair.end()
    return MethodResult(head[1].lower(), head[3].lower(), reason, tuple(properties))


def _unquoted(text: str) -> str:
    if not text.startswith('"') or not text.endswith('"') or len(text) < 2:
        return text
    return _QUOTED_PAIR.sub(r"\1", text[1:-1])
