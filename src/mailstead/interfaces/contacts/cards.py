"""A card as a form: read from a vCard, and written into one with everything kept that the form does not know."""

import re
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime

import msgspec

from mailstead.formats.content_lines.component import ContentBounds
from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.content_lines.line import ContentLine, unescape
from mailstead.formats.content_lines.tree import Tree, read_tree
from mailstead.formats.content_lines.write import escape, text_line
from mailstead.foundation.errors import InvalidError
from mailstead.stores.mailbox.dav.records import Collection
from mailstead.stores.mailbox.dav.store import DavStore

_PARTS = re.compile(r"(?<!\\);")
_LISTED = re.compile(r"(?<!\\),")
_EMAIL = re.compile(r"[^\s@<>\"(),;:]{1,64}@[^\s@<>\"(),;:]{1,250}\Z")
_BATCH = 500
_MOST = 100


class CardForm(msgspec.Struct, frozen=True, kw_only=True):
    """What a person enters; `emails` and `phones` one a line, `groups` with commas between, `birthday` as 1990-04-01."""

    first: str = ""
    last: str = ""
    nickname: str = ""
    organization: str = ""
    emails: str = ""
    phones: str = ""
    birthday: str = ""
    address: str = ""
    url: str = ""
    groups: str = ""
    notes: str = ""


class CardShown(msgspec.Struct, frozen=True):
    """A card in a list; `book` is the key of its address book."""

    book: str
    name: str
    etag: str
    full_name: str
    organization: str
    emails: tuple[str, ...]
    phones: tuple[str, ...]
    groups: tuple[str, ...]
    can_write: bool

    @property
    def sort_key(self) -> str:
        """How it is listed."""
        return (self.full_name or (self.emails[0] if self.emails else "")).casefold()

    def matches(self, wanted: str) -> bool:
        """Whether a search (case-folded) finds it."""
        return any(wanted in one.casefold() for one in (self.full_name, self.organization, *self.emails, *self.phones))


def _lines(text: str) -> list[str]:
    return list(dict.fromkeys(one.strip() for one in text.splitlines() if one.strip()))


def _parts(value: str) -> list[str]:
    return [unescape(one).strip() for one in _PARTS.split(value)]


def _groups(tree: Tree) -> list[str]:
    found = [unescape(one).strip() for line in tree.all("CATEGORIES") for one in _LISTED.split(line.value)]
    return list(dict.fromkeys(one for one in found if one))


def form_of(tree: Tree) -> CardForm:
    """The form of a card."""
    parts = _parts(tree.value("N")) + [""] * 5
    if not parts[0] and not parts[1]:
        parts[1], _, parts[0] = tree.text("FN").rpartition(" ")
    address = tree.first("ADR")
    return CardForm(
        first=" ".join(one for one in (parts[1], parts[2]) if one),
        last=parts[0],
        nickname=tree.text("NICKNAME"),
        organization=", ".join(one for one in _parts(tree.value("ORG")) if one),
        emails="\n".join(line.text.strip() for line in tree.all("EMAIL")),
        phones="\n".join(_phone(line) for line in tree.all("TEL")),
        birthday=_birthday(tree.value("BDAY")),
        address="" if address is None else "\n".join(one for one in _parts(address.value) if one),
        url=tree.text("URL"),
        groups=", ".join(_groups(tree)),
        notes=tree.text("NOTE"),
    )


def _phone(line: ContentLine) -> str:
    return line.text.strip().removeprefix("tel:")


def _birthday(value: str) -> str:
    digits = value.strip().partition("T")[0].replace("-", "")
    if len(digits) != 8 or not digits.isascii() or not digits.isdigit():
        return ""
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"


def new_card(form: CardForm) -> tuple[str, bytes]:
    """UID and octets of a new card. Raises InvalidError."""
    uid = str(uuid.uuid4())
    tree = Tree("VCARD")
    tree.add(ContentLine("VERSION", "3.0"), ContentLine("UID", uid))
    fill(tree, form)
    return uid, tree.octets()


def fill(tree: Tree, form: CardForm) -> None:
    """Write a form into a card: only what differs from what the card says. Raises InvalidError."""
    before = form_of(tree)
    emails = _lines(form.emails)
    for one in emails:
        if not _EMAIL.match(one):
            raise InvalidError(f"{one[:100]} is no address")
    full = " ".join(" ".join((form.first, form.last)).split())
    full = full or form.organization.strip() or form.nickname.strip() or (emails[0] if emails else "")
    if not full:
        raise InvalidError("A contact has a name or an address")
    if tree.first("FN") is None or (form.first, form.last) != (before.first, before.last):
        tree.set(text_line("FN", full))
        tree.set(ContentLine("N", f"{escape(form.last.strip())};{escape(form.first.strip())};;;"))
    for name, text, was in (
        ("NICKNAME", form.nickname, before.nickname),
        ("ORG", form.organization, before.organization),
        ("URL", form.url, before.url),
        ("NOTE", form.notes.replace("\r\n", "\n"), before.notes),
    ):
        if text.strip() != was:
            tree.remove(name)
            if text.strip():
                tree.add(text_line(name, text.strip()))
    _set_many(tree, "EMAIL", emails)
    _set_many(tree, "TEL", _lines(form.phones))
    _set_birthday(tree, form.birthday, before.birthday)
    if form.address.replace("\r\n", "\n").strip() != before.address:
        tree.remove("ADR")
        if form.address.strip():
            street = escape(", ".join(_lines(form.address)))
            tree.add(ContentLine("ADR", f";;{street};;;;"))
    groups = [one.strip() for one in form.groups.split(",") if one.strip()]
    if groups != _groups(tree):
        tree.remove("CATEGORIES")
        if groups:
            tree.add(ContentLine("CATEGORIES", ",".join(escape(one) for one in dict.fromkeys(groups))))
    tree.set(ContentLine("REV", f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"))


def _set_many(tree: Tree, name: str, values: list[str]) -> None:
    """Lines that stay keep what they say of themselves."""
    have: set[str] = set()

    def kept(line: ContentLine) -> ContentLine | None:
        value = _phone(line)
        if value not in values:
            return None
        have.add(value)
        return line

    tree.replace(name, kept)
    tree.add(*(text_line(name, one) for one in values[:_MOST] if one not in have))


def _set_birthday(tree: Tree, text: str, before: str) -> None:
    if text == before:
        return
    tree.remove("BDAY")
    if not text:
        return
    try:
        tree.add(ContentLine("BDAY", f"{date.fromisoformat(text):%Y-%m-%d}"))
    except ValueError:
        raise InvalidError("That is no date") from None


def list_cards(
    dav: DavStore, record: Collection, book: str, bounds: ContentBounds, *, can_write: bool
) -> list[CardShown]:
    """All cards of an address book; what cannot be read is left out. Called on a thread."""
    rows = dav.objects(record.id)
    found: list[CardShown] = []
    for start in range(0, len(rows), _BATCH):
        batch = {row.id: row for row in rows[start : start + _BATCH]}
        for identifier, data in dav.read(list(batch)).items():
            row = batch[identifier]
            try:
                tree = read_tree(data, bounds)
            except ContentError:
                continue
            found.append(
                CardShown(
                    book,
                    row.name,
                    row.etag,
                    " ".join(tree.text("FN").split()),
                    ", ".join(one for one in _parts(tree.value("ORG")) if one),
                    tuple(line.text.strip() for line in tree.all("EMAIL")),
                    tuple(_phone(line) for line in tree.all("TEL")),
                    tuple(_groups(tree)),
                    can_write,
                )
            )
    return sorted(found, key=lambda one: one.sort_key)


def duplicates(cards: Sequence[CardShown]) -> list[list[CardShown]]:
    """Cards of one book that share an address, or a name of two words; each group in the order of the list."""
    groups: list[list[CardShown]] = []
    by_mark: dict[tuple[str, str], list[CardShown]] = {}
    for card in (one for one in cards if one.can_write):
        marks = [(card.book, one.casefold()) for one in card.emails]
        if " " in card.full_name:
            marks.append((card.book, card.full_name.casefold()))
        found = [group for mark in marks if (group := by_mark.get(mark)) is not None]
        group = found[0] if found else []
        if not found:
            groups.append(group)
        for other in found[1:]:
            if other is not group:
                group += other
                groups = [one for one in groups if one is not other]
                by_mark = {mark: group if one is other else one for mark, one in by_mark.items()}
        group.append(card)
        by_mark |= dict.fromkeys(marks, group)
    return [group for group in groups if len(group) > 1]


def merged(cards: Iterable[bytes], bounds: ContentBounds) -> bytes:
    """The first card with what the others know besides. Raises ContentError, InvalidError."""
    trees = [read_tree(one, bounds) for one in cards]
    if not trees:
        raise InvalidError("There is nothing to be merged")
    first, *others = trees
    forms = [form_of(one) for one in others]
    form = form_of(first)
    for other in forms:
        joined = {name: getattr(form, name) or getattr(other, name) for name in CardForm.__struct_fields__}
        for name, between in (("emails", "\n"), ("phones", "\n"), ("groups", ",")):
            values = f"{getattr(form, name)}{between}{getattr(other, name)}".split(between)
            joined[name] = between.join(dict.fromkeys(one.strip() for one in values if one.strip()))
        if form.notes and other.notes and other.notes not in form.notes:
            joined["notes"] = f"{form.notes}\n\n{other.notes}"
        form = CardForm(**joined)
    fill(first, form)
    photo = next((line for tree in others for line in tree.all("PHOTO")), None)
    if photo is not None and first.first("PHOTO") is None:
        first.add(photo)
    return first.octets()
