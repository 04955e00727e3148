import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mailstead.foundation.clock import ManualClock
from mailstead.foundation.errors import MailsteadError
from mailstead.mail.routing.srs import (
    ExpiredReturnPathError,
    ForgedReturnPathError,
    Srs,
    UnforwardableSenderError,
    is_srs,
)
from mailstead.protocols.smtp.address import split_path

DAY = 86400.0
START = 1_700_000_000.0
ATOM = st.text("abcXYZ019!#$%&'*+/=?^_`{|}~-é", min_size=1, max_size=20)
LOCAL = st.one_of(
    st.lists(ATOM, min_size=1, max_size=3).map(".".join),
    st.text(" !#$%&'()*+,-./:;<=>?@[]^_`{|}~aZ09", max_size=20).filter(bool).map(lambda text: f'"{text}"'),
    st.sampled_from(['"a\\"b"', '"a\\\\b"', '"a b"', "SRS0", "srs0-x", "x=y=z", '"SRS0="']),
)
DOMAIN = st.one_of(
    st.lists(st.text("abcz019", min_size=1, max_size=12), min_size=1, max_size=4).map(".".join),
    st.sampled_from(["[192.0.2.1]", "[IPv6:2001:db8::1]", "xn--grn-ioa.test", "Mixed.Case.TEST"]),
)


def srs(clock: ManualClock | None = None, secret: bytes = b"secret", lifetime: float = 21 * DAY) -> Srs:
    return Srs(secret, lifetime, clock or ManualClock(START))


def normal(address: str) -> str:
    """An address with the quotes that it needs, and no others."""
    local, _, domain = address.rpartition("@")
    if local.startswith('"'):
        local = local[1:-1].replace('\\"', "\0").replace("\\\\", "\\").replace("\0", '"')
    return f"{local}@{domain}"


def test_the_form_that_others_know() -> None:
    made = srs().forward("bob@origin.test", "forward.test")
    assert made.startswith("SRS0=")
    assert made.endswith("=origin.test=bob@forward.test")
    assert len(made.split("=")[1]) == 8
    assert len(made.split("=")[2]) == 2
    again = srs(secret=b"other").forward(made, "second.test")
    assert again.startswith("SRS1=")
    assert again.endswith("=forward.test==" + made.removeprefix("SRS0=").removesuffix("@forward.test") + "@second.test")


@given(LOCAL, DOMAIN)
def test_what_was_made_is_read_back(local: str, domain: str) -> None:
    sender = f"{local}@{domain}"
    assume(not is_srs(sender))
    ours = srs()
    try:
        made = ours.forward(sender, "forward.test")
    except UnforwardableSenderError:
        assume(False)
    assert split_path(f"<{made}>", utf8=True) == (made, ""), "it is an address by the grammar"
    assert normal(ours.reverse(made)) == normal(sender)
    assert normal(ours.reverse(made.lower())).lower() == normal(sender).lower(), "however its letters are written"


@given(LOCAL, DOMAIN, st.integers(1, 4))
def test_through_any_number_of_forwarders_it_is_one_step_back_to_the_first(local: str, domain: str, count: int) -> None:
    sender = f"{local}@{domain}"
    assume(not is_srs(sender))
    hosts = [(srs(secret=b"%d" % number), f"f{number}.test") for number in range(count + 1)]
    address = sender
    for host, name in hosts:
        try:
            address = host.forward(address, name)
        except UnforwardableSenderError:
            assume(False)
    back = hosts[-1][0].reverse(address)
    assert back.endswith("@f0.test"), "not through the forwarders between"
    assert normal(hosts[0][0].reverse(back)) == normal(sender)


@given(st.text(max_size=80), st.sampled_from(["0", "1"]), st.sampled_from(["=", "+", "-"]))
def test_what_was_not_made_here_is_refused(text: str, kind: str, separator: str) -> None:
    for local in (f"SRS{kind}{separator}{text}", f'"srs{kind}{separator}{text}"'):
        with pytest.raises(MailsteadError):
            srs().reverse(f"{local}@forward.test")


@given(st.data())
def test_no_changed_letter_goes_unnoticed(data: st.DataObject) -> None:
    ours = srs()
    made = ours.forward("bob@origin.test", "forward.test").removesuffix("@forward.test")
    place = data.draw(st.integers(5, len(made) - 1))
    letter = data.draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz234567=-+."))
    assume(made[place].lower() != letter)
    with pytest.raises(MailsteadError):
        ours.reverse(f"{made[:place]}{letter}{made[place + 1 :]}@forward.test")


@pytest.mark.parametrize("start", [START, START + 31 * DAY, START + 1000 * DAY])
def test_it_expires_and_no_sooner(start: float) -> None:
    clock = ManualClock(start)
    ours = srs(clock)
    first = ours.forward("bob@origin.test", "forward.test")
    second = ours.forward("SRS0=aaaaaaaa=bb=origin.test=bob@other.test", "forward.test")
    clock.advance(21 * DAY)
    assert ours.reverse(first) == "bob@origin.test"
    assert ours.reverse(second) == "SRS0=aaaaaaaa=bb=origin.test=bob@other.test"
    clock.advance(DAY)
    with pytest.raises(ExpiredReturnPathError):
        ours.reverse(first)
    clock.advance(70 * DAY)
    with pytest.raises(ForgedReturnPathError):
        ours.reverse(second)
    clock.advance((1024 - 92) * DAY)
    with pytest.raises(ForgedReturnPathError):
        ours.reverse(first)  # its day comes again after 1024 days, its key does not


def test_the_keys_rotate_and_depend_on_the_secret() -> None:
    clock = ManualClock(START)
    first = srs(clock).forward("bob@origin.test", "f.test")
    with pytest.raises(ForgedReturnPathError):
        srs(clock, secret=b"other").reverse(first)
    clock.advance(1024 * DAY)
    later = srs(clock).forward("bob@origin.test", "f.test")
    assert first.split("=")[2] == later.split("=")[2], "the same day of the calendar of 1024 days"
    assert first != later


@pytest.mark.parametrize("sender", ["", "bob", "@origin.test", "bob@", "b" * 200 + "@" + "o" * 60 + ".test"])
def test_what_cannot_be_rewritten(sender: str) -> None:
    with pytest.raises(UnforwardableSenderError):
        srs().forward(sender, "forward.test")
