"""Rules of the form become scripts that compile and give the rules back, whatever their texts hold."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailstead.formats.sieve.bounds import Bounds
from mailstead.formats.sieve.compiler import compile_script
from mailstead.foundation.errors import InvalidError
from mailstead.interfaces.web.rules import RULES_LIMIT, Rule, read_rule, read_rules, write_rules

TEXT = st.text(st.characters(blacklist_categories=("C", "Zl", "Zp")), min_size=1, max_size=30).filter(str.strip)
RULES = st.builds(
    Rule,
    st.sampled_from(["from", "to", "subject", "list"]),
    st.sampled_from(["contains", "is"]),
    TEXT.filter(str.isprintable),
    st.sampled_from(["star", "read", "junk", "trash"]),
)


@settings(max_examples=60, deadline=None)
@given(rules=st.lists(RULES, max_size=5), folder=st.sampled_from(["Bills", 'A "quoted" one', "back\\slash"]))
def test_they_compile_and_come_back(rules: list[Rule], folder: str) -> None:
    rules = [*rules, Rule("from", "is", "a@b.test", "move", folder), Rule("to", "is", "x", "forward", "a@b.test")]
    script = write_rules(rules)
    compile_script(script, Bounds())
    assert read_rules(script) == rules


def test_scripts_of_people_are_none() -> None:
    assert read_rules(b'require "fileinto";\r\n') is None
    assert read_rules(b"# mailstead-rules: [{]\r\n") is None
    assert read_rules(b"") is None


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"field": "from", "match": "is", "value": "x", "action": "explode"},
        {"field": "from", "match": "is", "value": "x", "action": "move"},
        {"field": "from", "match": "is", "value": "x\ny", "action": "star"},
        {"field": "from", "match": "is", "value": "x" * 201, "action": "star"},
    ],
)
def test_incomplete_rules_are_refused(form: dict[str, str]) -> None:
    with pytest.raises(InvalidError):
        read_rule(form)


def test_there_are_at_most_so_many() -> None:
    with pytest.raises(InvalidError):
        write_rules([Rule("from", "is", "x", "star")] * (RULES_LIMIT + 1))
