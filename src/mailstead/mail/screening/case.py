"""All that is known about a message when it is judged."""

from collections.abc import Sequence

import msgspec

from mailstead.mail.authentication.authenticate import Checks
from mailstead.mail.screening.hello import HelloOutcome
from mailstead.mail.screening.view import View
from mailstead.mail.screening.visit import ClientFacts


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """`checks` and the client's facts are empty where nobody asked. `now` in seconds since the epoch.

    `sender_problem` as Admission.sender_problem; `author_is_ours`: the author's domain is served here.
    """

    view: View
    address: str
    hello: str
    sender: str
    recipients: Sequence[str]
    now: float
    facts: ClientFacts
    hello_outcome: HelloOutcome = "other"
    asked: bool = False
    talked_early: bool = False
    sender_problem: str = ""
    author_is_ours: bool = False
    checks: Checks | None = None

    @property
    def author_domain(self) -> str:
        """The domain of From, lower case."""
        author = self.view.author
        return author.specification.rpartition("@")[2] if author is not None else ""

    @property
    def is_proven(self) -> bool:
        """Whether the author's domain is proven: DMARC passed, or SPF or DKIM did in the author's own name."""
        checks = self.checks
        if checks is None:
            return False
        if checks.dmarc is not None and checks.dmarc.result == "pass":
            return True
        domain = self.author_domain
        if any(one.vouches and one.domain == domain for one in checks.dkim or ()):
            return True
        return checks.spf is not None and checks.spf.result == "pass" and checks.spf.domain == domain and bool(domain)


class Finding(msgspec.Struct, frozen=True):
    """Points that something gives or takes: a name for the header, words for people."""

    name: str
    points: float
    words: str
