"""Phrases of junk mail, in the subject and the first part of the text."""

import re

from mailstead.mail.screening.case import Case
from mailstead.mail.screening.rules.rule import Rule


class Phrases:
    """Phrases as a pattern for text in lower case; one of `words` (as View.words has them) is in each of them.

    The words tell at once that most messages have none: the pattern costs more than all other rules together.
    """

    def __init__(self, words: str, pattern: str) -> None:
        self._words = frozenset(words.split())
        self._pattern = re.compile(rf"\b(?:{pattern})")

    def count(self, case: Case) -> int:
        """How many different ones the message has."""
        if self._words.isdisjoint(case.view.word_set):
            return 0
        return len({found[0] for found in self._pattern.finditer(case.view.lowered)})


_MONEY = Phrases(
    "million millions billion",
    r"(?:million|billion)\s+(?:us\s+)?(?:dollars?|euros?|pounds?|usd|eur)\b|millions? (?:of )?(?:united states|u\.s\.)|"
    r"(?:usd|us\$)\s?[0-9][0-9.,]*\s?(?:m|million|billion)\b",
)
_ADVANCE_FEE = Phrases(
    "kin beneficiary inheritance barrister late unclaimed lottery won compensation atm draft western moneygram beloved dear "
    "confidential transfer diplomat consignment",
    r"(?:next of kin|beneficiary|inheritance|barrister|late (?:husband|father|client)|unclaimed|lottery|you have won|"
    r"compensation fund|atm (?:visa )?card|bank draft|western union|moneygram|dear (?:beloved|beneficiary|friend|winner)|"
    r"strictly confidential|transfer of (?:the )?(?:fund|sum)s?|diplomat|consignment box)\b",
)
_ACCOUNT_THREAT = Phrases(
    "verify confirm update validate reactivate re-activate account mailbox email e-mail unusual storage quota password",
    r"(?:(?:verify|confirm|update|validate|re-?activate) your (?:account|e-?mail|mailbox|password|identity|payment)|"
    r"(?:account|mailbox|e-?mail) (?:has been|is|will be|was) (?:suspended|limited|locked|disabled|closed|blocked)|"
    r"unusual (?:sign-?in|activity)|(?:mailbox|storage|quota) (?:is )?(?:almost )?(?:full|exceeded)|"
    r"password (?:will )?expires?)\b",
)
_COINS = Phrases("bitcoin bitcoins btc usdt", r"(?:bitcoins?|btc|usdt)\b")
_SECRETS = Phrases(
    "webcam camera masturbating masturbation malware recorded contacts",
    r"(?:webcam|camera|masturbat|malware|recorded|your contacts)",
)
_SALES = Phrases(
    "viagra cialis levitra v#agra c#alis cial#s c#al#s phentermine xanax valium tramadol oxycontin pharmacy penis enlarge "
    "enlargement enhancement weight replica rolex casino spins singles girls brides women forex guaranteed work "
    "prescription free risk-free risk-# act offer buy click order money earn bonus credit meds med cheap seo google risk",
    r"(?:viagra|cialis|levitra|v[1i!]agra|c[1i!]al[1i!]s|phentermine|xanax|valium|tramadol|oxycontin|online pharmacy|"
    r"penis|enlarge(?:ment)?|male enhancement|weight loss|lose weight|replica watch(?:es)?|rolex|casino|free spins|"
    r"hot (?:singles|girls)|russian (?:brides|women)|forex|guaranteed (?:profit|income|return)s?|work from home|"
    r"no prescription|100% free|risk[- ]free|act now|limited time offer|buy now|click (?:here|below)|order now|"
    r"make money|earn \$|cash bonus|no credit check|cheap meds?|seo services?|first page of google)",
)


def _is_blackmail(case: Case) -> bool:
    return bool(_COINS.count(case) and _SECRETS.count(case))


RULES = (
    Rule("MONEY", 1.2, "it speaks of millions", lambda case: _MONEY.count(case) >= 1),
    Rule("ADVANCE_FEE", 2.5, "it reads like an advance fee fraud", lambda case: _ADVANCE_FEE.count(case) >= 2),
    Rule("ACCOUNT_THREAT", 1.8, "it asks to confirm an account", lambda case: _ACCOUNT_THREAT.count(case) >= 1),
    Rule("BLACKMAIL", 3.5, "it reads like blackmail", _is_blackmail),
    Rule("SALES_PHRASE", 1.0, "it has a phrase of junk mail", lambda case: _SALES.count(case) >= 1),
    Rule("SALES_PHRASES", 2.0, "it has several phrases of junk mail", lambda case: _SALES.count(case) >= 3),
)
