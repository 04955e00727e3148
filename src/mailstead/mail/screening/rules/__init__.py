"""Rules that tell junk without having learned anything: each a function of a case, its points, and words for people.

A function answers whether its rule holds. None raises on any message, and each takes time in proportion to what
Settings let be read.
"""

from mailstead.mail.screening.case import Case, Finding
from mailstead.mail.screening.rules import body, client, header, phrases
from mailstead.mail.screening.rules.rule import Rule

RULES: tuple[Rule, ...] = (*client.RULES, *header.RULES, *body.RULES, *phrases.RULES)


def findings(case: Case) -> list[Finding]:
    """What the rules say, those that hold."""
    return [Finding(rule.name, rule.points, rule.words) for rule in RULES if rule.holds(case)]
