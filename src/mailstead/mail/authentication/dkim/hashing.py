"""What a signature covers, hashed: the body once for each way of hashing it, the header fields it names."""

import hashlib
from collections.abc import Iterable, Sequence

import msgspec

from mailstead.foundation.crypto.feeding import feed
from mailstead.mail.authentication.dkim.canonical import BODY, Canonicalization, relaxed_field
from mailstead.mail.authentication.dkim.signature import without_value
from mailstead.mail.authentication.message import CheckedMessage, Field


class BodyForm(msgspec.Struct, frozen=True):
    """How a body is hashed: its canonical form up to `length` octets, all of it with None."""

    canonicalization: Canonicalization
    length: int | None


class BodyHash(msgspec.Struct, frozen=True):
    """SHA-256 of a body in one form, and how many octets the whole canonical body has."""

    digest: bytes
    size: int


def hash_body(message: CheckedMessage, forms: Iterable[BodyForm]) -> dict[BodyForm, BodyHash]:
    """The hashes of `message`'s body: it is read once for each canonical form, and no form is hashed twice."""
    found: dict[BodyForm, BodyHash] = message.kept.setdefault("body", {})
    asked = dict.fromkeys(forms)
    wanted: dict[Canonicalization, list[BodyForm]] = {}
    for form in asked:
        if form not in found:
            wanted.setdefault(form.canonicalization, []).append(form)
    for canonicalization, its_forms in wanted.items():
        hashers = [(form, hashlib.sha256()) for form in its_forms]
        size = 0
        for chunk in BODY[canonicalization](message.body()):
            for form, hasher in hashers:
                if form.length is None or size + len(chunk) <= form.length:
                    feed(hasher, chunk)
                elif size < form.length:
                    feed(hasher, chunk[: form.length - size])
            size += len(chunk)
        found.update({form: BodyHash(hasher.digest(), size) for form, hasher in hashers})
    return {form: found[form] for form in asked}


class HeaderForms:
    """Canonical forms of a message's fields, each made once for however many signatures cover it."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self._fields = fields
        self._relaxed: dict[int, bytes] = {}
        self._by_name: dict[bytes, list[int]] = {}
        for position, field in enumerate(fields):
            self._by_name.setdefault(field.key, []).append(position)

    @classmethod
    def of(cls, message: CheckedMessage) -> "HeaderForms":
        """Those of `message`, the same ones whenever they are asked for."""
        found: HeaderForms = message.kept.setdefault("header", cls(message.fields))
        return found

    def covered(self, names: Iterable[bytes], canonicalization: Canonicalization, own: int) -> bytes:
        """The fields of `names`, each name taking the next one from below (RFC 6376 §5.4.2), never the one at `own`."""
        left: dict[bytes, list[int]] = {}
        pieces = []
        for name in names:
            positions = left.get(name)
            if positions is None:
                positions = left[name] = [one for one in self._by_name.get(name, ()) if one != own]
            if positions:
                pieces.append(self.form(positions.pop(), canonicalization))
        return b"".join(pieces)

    def form(self, position: int, canonicalization: Canonicalization) -> bytes:
        """The field at `position` with its line break."""
        field = self._fields[position]
        if canonicalization == "simple":
            return field.raw
        relaxed = self._relaxed.get(position)
        if relaxed is None:
            relaxed = self._relaxed[position] = relaxed_field(field.name, field.value) + b"\r\n"
        return relaxed

    def unsigned(self, position: int, canonicalization: Canonicalization) -> bytes:
        """The signature's own field: `b=` emptied, without its line break (RFC 6376 §3.7)."""
        field = self._fields[position]
        value = without_value(field.value)
        if canonicalization == "relaxed":
            return relaxed_field(field.name, value)
        return field.raw[: field.raw.index(b":") + 1] + value
