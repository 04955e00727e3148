"""No text of a template is without its place in every catalog."""

from io import BytesIO

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from mailstead.interfaces.web import language
from mailstead.interfaces.web.templates import FOLDER as TEMPLATES


def test_catalogs_hold_every_text_of_the_templates() -> None:
    found = extract_from_dir(str(TEMPLATES), [("**.html", "jinja2")], {"**.html": {}})
    texts = {message[0] if isinstance(message, tuple) else message for _, _, message, _, _ in found}
    assert len(texts) > 50
    for path in language.FOLDER.glob("*/messages.po"):
        catalog = read_po(BytesIO(path.read_bytes()), locale=path.parent.name)
        known = {message.id[0] if isinstance(message.id, tuple | list) else message.id for message in catalog}
        assert texts <= known, f"run script/translations: {texts - known}"
