"""Errors are told in the reader's language, with their names and numbers; what nobody translated stays."""

import pytest

from mailstead.administration.aliases import UnknownNameError
from mailstead.foundation.errors import OverQuotaError
from mailstead.interfaces.web.language import Languages
from mailstead.interfaces.web.told import FORMS, TEXTS, told


@pytest.mark.parametrize(
    ("text", "russian"),
    [
        (OverQuotaError.public_text, "Ящик заполнен"),
        (UnknownNameError("domain", "x.test").public_text, "Домена x.test здесь нет"),
        ("At most 100 passwords", "Не более 100 паролей"),
        ("There is an alias {0}@x.test already", "Псевдоним {0}@x.test уже есть"),
        ("x: not an address", "x: это не адрес"),
        ("Nothing that is known", "Nothing that is known"),
        ("", ""),
    ],
)
def test_they_are_told_in_russian(text: str, russian: str) -> None:
    language = Languages().of("ru")
    assert language is not None
    assert told(language, text) == russian


def test_every_translation_keeps_its_places() -> None:
    language = Languages().of("ru")
    assert language is not None
    assert not [form for form in FORMS if language.gettext(form).count("{}") != form.count("{}")]
    assert not [text for text in TEXTS if language.gettext(text) == text]
