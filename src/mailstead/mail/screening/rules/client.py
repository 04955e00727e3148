"""What the client and its proofs of identity say."""

from mailstead.mail.screening.case import Case
from mailstead.mail.screening.reverse import looks_dynamic
from mailstead.mail.screening.rules.rule import Rule


def _spf(case: Case) -> str:
    checks = case.checks
    return checks.spf.result if checks is not None and checks.spf is not None else ""


def _dmarc(case: Case) -> str:
    checks = case.checks
    return checks.dmarc.result if checks is not None and checks.dmarc is not None else ""


def _nothing_passes(case: Case) -> bool:
    checks = case.checks
    if checks is None or not case.asked:
        return False
    return _spf(case) != "pass" and not any(one.vouches for one in checks.dkim or ())


def _signature_broken(case: Case) -> bool:
    checks = case.checks
    found = (checks.dkim or ()) if checks is not None else ()
    return bool(found) and all(one.result in ("fail", "permerror", "policy") for one in found)


def _more_than_signed(case: Case) -> bool:
    checks = case.checks
    return checks is not None and any(one.result == "pass" and one.unsigned_octets for one in checks.dkim or ())


RULES = (
    Rule("SPF_FAIL", 2.5, "the sender's domain does not let this client send", lambda case: _spf(case) == "fail"),
    Rule("SPF_SOFTFAIL", 1.0, "the sender's domain doubts this client", lambda case: _spf(case) == "softfail"),
    Rule("DKIM_BROKEN", 0.8, "no signature holds", _signature_broken),
    Rule("DKIM_MORE_THAN_SIGNED", 2.0, "text was added after what is signed", _more_than_signed),
    Rule(
        "DMARC_FAIL", 1.5, "the author is not proven, though its domain says how", lambda case: _dmarc(case) == "fail"
    ),
    Rule("DMARC_PASS", -0.5, "the author's domain is proven", lambda case: _dmarc(case) == "pass"),
    Rule("UNPROVEN", 0.7, "nothing proves who sends", _nothing_passes),
    Rule(
        "FORGED_LOCAL",
        3.5,
        "the author claims to be of here, unproven",
        lambda case: case.author_is_ours and case.asked and not case.is_proven,
    ),
    Rule("NO_REVERSE", 1.6, "the client has no host name", lambda case: case.facts.reverse.outcome == "none"),
    Rule(
        "REVERSE_UNCONFIRMED",
        0.9,
        "the client's host name does not lead back to it",
        lambda case: case.facts.reverse.outcome == "unconfirmed",
    ),
    Rule(
        "DYNAMIC_HOST",
        1.2,
        "the client looks like a home or a pool of addresses",
        lambda case: looks_dynamic(case.facts.reverse.name or case.facts.reverse.claimed, case.address),
    ),
    Rule("HELLO_OURS", 4.0, "the client greets with a name of ours", lambda case: case.hello_outcome == "ours"),
    Rule(
        "HELLO_NO_DOMAIN",
        1.0,
        "the client greets with no domain name",
        lambda case: case.hello_outcome in ("bare", "address"),
    ),
    Rule("TALKED_EARLY", 3.0, "the client talked before it was greeted", lambda case: case.talked_early),
    Rule(
        "SENDER_DOMAIN_MISSING",
        3.0,
        "the sender's domain does not exist",
        lambda case: case.sender_problem == "nxdomain",
    ),
    Rule("SENDER_DOMAIN_NO_MAIL", 3.0, "the sender's domain takes no mail", lambda case: case.sender_problem == "null"),
)
