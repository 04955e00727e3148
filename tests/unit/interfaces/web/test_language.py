from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from mailstead.interfaces.web.language import FOLDER, Languages


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*/messages.po")), ids=lambda path: path.parent.name)
def test_every_language_is_complete(path: Path) -> None:
    with path.open("rb") as file:
        catalog = read_po(file, locale=path.parent.name)
    lacking = [message.id for message in catalog if message.id and (not message.string or not all(message.string))]
    assert not lacking


def test_a_browser_s_wishes_are_weighed() -> None:
    languages = Languages()
    wishes = {
        "ru": "ru",
        "ru-RU,ru;q=0.9,en;q=0.8": "ru",
        "en;q=0.1, ru;q=0.5": "ru",
        "ru;q=0": "en",
        "xx, *;q=0.5": "en",
        "": "en",
        "ru;q=oops": "en",
    }
    assert {header: languages.accepted(header).code for header in wishes} == wishes


def test_russian_counts_in_three_forms() -> None:
    russian = Languages().of("ru")
    assert russian is not None
    one = "%(n)s remote picture was not loaded, so that the sender does not learn that you read this."
    many = "%(n)s remote pictures were not loaded, so that the sender does not learn that you read this."
    forms = [russian.ngettext(one, many, count).split(" ")[1] for count in (1, 2, 5, 11, 21, 22)]
    assert forms == ["внешняя", "внешние", "внешних", "внешних", "внешняя", "внешние"]
    assert russian.gettext("Inbox") == "Входящие"


def test_sizes_and_moments_are_written_as_the_language_does() -> None:
    languages = Languages()
    english, russian = languages.of("en"), languages.of("ru")
    assert english is not None
    assert russian is not None
    assert english.size(999) == "999 B"
    assert english.size(1536) == "1.5 KB"
    assert russian.size(1536) == "1,5 KB"
    now = 1795582800.0
    assert "2026" not in english.moment(now - 40 * 86400, now)
    assert "2025" in english.moment(now - 400 * 86400, now)
