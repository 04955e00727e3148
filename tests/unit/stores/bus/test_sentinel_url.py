import pytest

from mailstead.foundation.errors import InvalidError
from mailstead.stores.bus.redis.sentinel import parse_sentinel_url


def test_everything_that_a_url_may_say() -> None:
    url = parse_sentinel_url(
        "rediss+sentinel://me:p%40ss@one,[2001:db8::2]:26380/my%20mail/3"
        "?sentinel_username=w&sentinel_password=s%2Fx&ssl_ca_certs=%2Fca.pem"
    )
    assert url.sentinels == (("one", 26379), ("2001:db8::2", 26380))
    assert (url.name, url.database) == ("my mail", 3)
    assert url.server("10.0.0.1", 6379) == "rediss://me:p%40ss@10.0.0.1:6379/3?ssl_ca_certs=%2Fca.pem"
    assert url.sentinel("2001:db8::2", 26380) == "rediss://w:s%2Fx@[2001:db8::2]:26380?ssl_ca_certs=%2Fca.pem"


def test_the_least_that_it_says() -> None:
    url = parse_sentinel_url("redis+sentinel://one/mail")
    assert url.server("two", 1) == "redis://two:1/0"
    assert url.sentinel("one", 26379) == "redis://one:26379"


@pytest.mark.parametrize(
    "url",
    [
        "redis://one/mail",
        "redis+sentinel://one",
        "redis+sentinel:///mail",
        "redis+sentinel://:secret@one,/mail",
        "redis+sentinel://:secret@one:port/mail",
        "redis+sentinel://:secret@one/mail/x",
    ],
)
def test_what_is_none(url: str) -> None:
    with pytest.raises(InvalidError) as raised:
        parse_sentinel_url(url)
    assert "secret" not in str(raised.value)
