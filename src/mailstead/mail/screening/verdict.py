"""What was decided about a message, as it stands in its header: for us, for mail programs, for filter scripts.

    X-Mailstead-Verdict: junk; score=7.2; because=score; virus=clean
    X-Spam-Flag: YES
    X-Spam-Score: 7.2
    X-Spam-Status: Yes, score=7.2 required=5.0 tests=LINK_LIES=3,...

Only the mail exchanger writes these; fields of such names that arrive are renamed (X-Spam-*) or taken away.
"""

import re
from collections.abc import Sequence
from typing import Literal

import msgspec

from mailstead.formats.message.header import header_end, iter_field_ranges, iter_fields, unfold
from mailstead.mail.screening.case import Finding

VERDICT = b"x-mailstead-verdict"
_SPAM = b"x-spam-"
_RENAMED = b"X-Old-Spam-"
_LINE = 76
_TEST = re.compile(r"([A-Z0-9_]{1,60})=(-?[0-9.]{1,12})")
_DOMAINS = re.compile(r"[a-z0-9._-]+")

Because = Literal["", "score", "dmarc", "attachment", "virus", "blocklist"]
Virus = Literal["unchecked", "clean", "found"]
_BECAUSE: dict[str, Because] = {one: one for one in ("score", "dmarc", "attachment", "virus", "blocklist")}
_VIRUS: dict[str, Virus] = {"clean": "clean", "found": "found"}


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """`because` says what alone makes it junk, whatever its points are; "score" or "" leave it to them.

    `allowed` and `denied` are domains of recipients whose lists say so of the sender. `tests` have name and points.
    """

    junk: bool
    score: float
    because: Because = ""
    virus: Virus = "unchecked"
    allowed: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()
    tests: tuple[tuple[str, float], ...] = ()

    def is_junk_for(self, domain: str, threshold: float, *, filters: bool) -> bool:
        """Whether it is junk for a recipient of `domain` whose threshold this is, and who `filters` or does not."""
        if self.because == "virus":
            return True
        if domain in self.denied:
            return True
        if domain in self.allowed:
            return False
        if self.because in ("dmarc", "attachment", "blocklist"):
            return True
        return filters and self.score >= threshold


def verdict_fields(verdict: Verdict, required: float) -> bytes:
    """The fields."""
    parts = ["junk" if verdict.junk else "good", f"score={verdict.score:.1f}"]
    if verdict.because:
        parts.append(f"because={verdict.because}")
    if verdict.virus != "unchecked":
        parts.append(f"virus={verdict.virus}")
    parts += [f"allowed={domain}" for domain in sorted(verdict.allowed)]
    parts += [f"denied={domain}" for domain in sorted(verdict.denied)]
    status = [f"{'Yes' if verdict.junk else 'No'},", f"score={verdict.score:.1f}", f"required={required:.1f}"]
    tests = [f"{name}={points:g}" for name, points in verdict.tests] or ["none"]
    tests[0] = f"tests={tests[0]}"
    lines = [
        f"X-Mailstead-Verdict: {_folded([*(f'{part};' for part in parts[:-1]), parts[-1]])}",
        *(["X-Spam-Flag: YES"] if verdict.junk else []),
        f"X-Spam-Score: {verdict.score:.1f}",
        f"X-Spam-Status: {_folded([*status, *(f'{test},' for test in tests[:-1]), tests[-1]])}",
    ]
    return "".join(f"{line}\r\n" for line in lines).encode("ascii", "replace")


def _folded(words: Sequence[str]) -> str:
    lines = [""]
    for word in words:
        if lines[-1] and len(lines[-1]) + len(word) > _LINE - 20:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return "\r\n\t".join(lines)


def read_verdict(start: bytes) -> Verdict | None:
    """The verdict in the header that `start` begins with, None when nobody judged the message."""
    header = start[: header_end(start, 0, len(start))]
    if VERDICT not in header[:65536].lower():
        return None
    found = {
        name.lower(): unfold(value).decode("ascii", "replace") for name, value in reversed(list(iter_fields(header)))
    }
    value = found.get(VERDICT)
    if value is None:
        return None
    first, *rest = (part.strip() for part in value.split(";"))
    pairs = [part.partition("=") for part in rest]
    values = {name: text for name, _, text in pairs}
    status = found.get(b"x-spam-status", "")
    return Verdict(
        junk=first == "junk",
        score=_number(values.get("score", "")),
        because=_BECAUSE.get(values.get("because", ""), ""),
        virus=_VIRUS.get(values.get("virus", ""), "unchecked"),
        allowed=frozenset(text for name, _, text in pairs if name == "allowed" and _DOMAINS.fullmatch(text)),
        denied=frozenset(text for name, _, text in pairs if name == "denied" and _DOMAINS.fullmatch(text)),
        tests=tuple((name, _number(points)) for name, points in _TEST.findall(status.partition("tests=")[2])),
    )


def _number(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        return 0.0
    return found if -1e6 < found < 1e6 else 0.0


def without_claims(header: bytes) -> bytes:
    """`header` with what others say in our place renamed or taken away; the very same object when there is nothing."""
    return _replaced(header, keep=True)


def without_verdict(header: bytes) -> bytes:
    """`header`, which we judged, without what was decided: for a new verdict to be put in front."""
    return _replaced(header, keep=False)


def _replaced(header: bytes, *, keep: bool) -> bytes:
    lowered = header.lower()
    if _SPAM not in lowered and VERDICT not in lowered:
        return header
    kept, position = [], 0
    for name, start, end in iter_field_ranges(header):
        key = name.lower()
        if key != VERDICT and not key.startswith(_SPAM):
            continue
        kept.append(header[position:start])
        if keep and key != VERDICT:
            kept.append(_RENAMED + header[start + len(_SPAM) : end])
        position = end
    if not position:
        return header
    kept.append(header[position:])
    return b"".join(kept)


def tests_of(findings: Sequence[Finding]) -> tuple[tuple[str, float], ...]:
    """Names and points, the most points first."""
    return tuple((one.name, one.points) for one in sorted(findings, key=lambda one: -abs(one.points)))


def spam_score(verdict: Verdict, required: float) -> float:
    """From 0 (surely good) to 1 (surely junk), half of it at the threshold: for `spamtest` (RFC 5235 §3.1)."""
    if verdict.because == "virus":
        return 1.0
    share = verdict.score / (2 * required) if required > 0 else 1.0
    share = min(1.0, max(0.0, share))
    return max(share, 0.5) if verdict.junk else min(share, 0.49)
