"""Push messages as RFC 8291 and RFC 8292 have them."""

import base64

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from mailstead.foundation.errors import InvalidError
from mailstead.mail.push.encryption import PLAIN_LIMIT, encrypt, encrypt_with, point_of, read_point
from mailstead.mail.push.vapid import Vapid
from support.push_service import Browser, octets

# RFC 8291 §5 and its appendix A
AUTH = octets("BTBZMqHH6r4Tts7J_aSIgg")
SALT = octets("DGv6ra1nlYgDCS1FRnbzlw")
RECEIVER = octets("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4")
SENDER = octets("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")
BODY = octets(
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A"
    "_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def test_the_example_of_the_standard_comes_out() -> None:
    own = ec.derive_private_key(int.from_bytes(SENDER), ec.SECP256R1())
    assert encrypt_with(b"When I grow up, I want to be a watermelon", RECEIVER, AUTH, own, SALT) == BODY


@pytest.mark.parametrize("length", [0, 1, PLAIN_LIMIT])
def test_a_browser_reads_what_was_encrypted_to_it(length: int) -> None:
    browser = Browser()
    body = encrypt(b"x" * length, browser.key, browser.auth)
    assert len(body) <= 4096 + 86
    assert browser.decrypt(body) == b"x" * length


def test_what_is_no_key_or_too_long_is_refused() -> None:
    browser = Browser()
    for key in (b"", b"\x04" + bytes(64), browser.key[:-1], b"\x02" + browser.key[1:33]):
        with pytest.raises(InvalidError):
            encrypt(b"x", key, browser.auth)
    with pytest.raises(InvalidError):
        encrypt(b"x" * (PLAIN_LIMIT + 1), browser.key, browser.auth)


def test_a_message_is_signed_by_the_key_that_browsers_subscribed_to() -> None:
    vapid = Vapid(b"s" * 32, "postmaster@mail.example.test")
    scheme, _, rest = vapid.authorization("https://push.example.net:8443/p/abc", 1000.0).partition(" ")
    token, _, key = rest.removeprefix("t=").partition(", k=")
    assert (scheme, key) == ("vapid", vapid.public_key)
    header, claims, signature = token.split(".")
    assert msgspec.json.decode(octets(header)) == {"typ": "JWT", "alg": "ES256"}
    assert msgspec.json.decode(octets(claims)) == {
        "aud": "https://push.example.net:8443",
        "exp": 1000 + 12 * 3600,
        "sub": "mailto:postmaster@mail.example.test",
    }
    raw = octets(signature)
    der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    read_point(octets(key)).verify(der, f"{header}.{claims}".encode(), ec.ECDSA(SHA256()))
    assert Vapid(b"s" * 32, "x@y.test").public_key == vapid.public_key != Vapid(b"t" * 32, "x@y.test").public_key
    assert base64.urlsafe_b64decode(key + "=") == point_of(read_point(octets(key)))
