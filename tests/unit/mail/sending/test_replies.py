import pytest

from mailstead.mail.sending.replies import meaning_of, meanings

# words of real refusals, as providers publish them
SAID = [
    ("550 5.7.515 Access denied, sending domain does not meet the required level", "Microsoft (Outlook.com)", "authentication"),
    ("550 5.7.1 part of their network is on our block list (S3140)", "Microsoft (Outlook.com)", "reputation"),
    ("451 4.7.650 temporarily rate limited due to IP reputation (S775)", "Microsoft (Outlook.com)", "rate"),
    ("550 5.7.511 Access denied, banned sender[192.0.2.1].", "Microsoft 365", "reputation"),
    ("550 5.7.26 blocked because the sender is unauthenticated. gsmtp", "Google (Gmail)", "authentication"),
    ("421 4.7.28 Gmail has detected an unusual rate of unsolicited mail. gsmtp", "Google (Gmail)", "rate"),
    ("550 5.7.25 The IP address sending this message does not have a PTR record", "Google (Gmail)", "network"),
    ("550 5.7.1 Gmail has detected that this message is likely unsolicited mail. gsmtp", "Google (Gmail)", "reputation"),
    ("421 4.7.0 [TSS04] Messages temporarily deferred due to user complaints", "Yahoo", "rate"),
    ("554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", "Spamhaus", "reputation"),
    ("550 5.1.1 The email account that you tried to reach does not exist.", "", "recipient"),
    ("550 5.0.0 no such user here", "", "recipient"),
    ("452 4.2.2 mailbox full", "", "full"),
    ("450 4.2.0 Greylisted, try again later", "", "rate"),
    ("554 5.3.4 Message too large", "", "content"),
    ("550 5.7.1 refused", "", "policy"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "provider", "kind"), SAID, ids=[said[0][:24] for said in SAID])
def test_what_a_refusal_means(text: str, provider: str, kind: str) -> None:
    meaning = meaning_of(text)
    assert meaning is not None
    assert (meaning.provider, meaning.kind) == (provider, kind)


def test_of_unknown_words_nothing_is_said() -> None:
    assert meaning_of("451 4.3.0 later") is None


def test_every_entry_says_what_to_do_and_where_that_is_written() -> None:
    assert all(one.advice.endswith(".") and one.source for _, one in meanings())
