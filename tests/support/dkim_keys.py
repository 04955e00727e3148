"""Keys for tests, made once, and messages made at random from a seed."""

import random
from functools import cache

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mailstead.foundation.crypto.dkim_keys import NewKey, load_key, new_ed25519_key, new_rsa_key
from mailstead.mail.authentication.dkim.sign import SigningKey
from support.scripted_resolver import ScriptedResolver


@cache
def rsa_key(bits: int = 2048) -> NewKey:
    return new_rsa_key(bits)


@cache
def ed25519_key() -> NewKey:
    return new_ed25519_key()


def signing_key(new: NewKey, domain: str = "example.test", selector: str = "s1") -> SigningKey:
    return SigningKey(domain, selector, new.algorithm, load_key(new.private_key))


def pem(new: NewKey) -> bytes:
    key = load_key(new.private_key)
    assert isinstance(key, RSAPrivateKey)
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def published(*keys: SigningKey, records: tuple[NewKey, ...]) -> ScriptedResolver:
    return ScriptedResolver(
        {
            f"{key.selector}._domainkey.{key.domain}": {"TXT": new.public_record}
            for key, new in zip(keys, records, strict=True)
        }
    )


_WORDS = [b"alpha", b"beta ", b" gamma", b"\tdelta", b"  ", b"\xc3\xbc", b"=20", b".", b"--", b"x" * 90]


def generated_message(seed: int) -> tuple[bytes, bytes]:
    """Header with its empty line, and body: odd folding, odd spaces, empty lines, with or without a last line break."""
    rng = random.Random(seed)
    fields = [b"From: A <a@example.test>"]
    for name in (b"To", b"Subject", b"Date", b"X-Odd", b"Message-ID", b"MIME-Version", b"Subject"):
        if rng.random() < 0.7:
            space = rng.choice([b"", b" ", b"\t", b"  "])
            fold = rng.choice([b"", b"\r\n ", b"\r\n\t  "])
            words = b" ".join(rng.choice(_WORDS).strip() or b"w" for _ in range(rng.randrange(1, 5)))
            fields.append(name + b":" + space + words + fold + b" " + rng.choice([b"end", b"end ", b"a  b\t c"]))
    rng.shuffle(fields)
    lines = [b"".join(rng.choices(_WORDS, k=rng.randrange(5))) for _ in range(rng.randrange(8))]
    lines += [rng.choice([b"", b"", b" ", b"\t", b"last"]) for _ in range(rng.randrange(4))]
    body = b"\r\n".join(lines)
    # of white space on a last line without an end dkimpy and RFC 6376 §3.4.4 think differently
    body = body.rstrip(b" \t") if rng.random() < 0.3 else body + rng.choice([b"\r\n", b"\r\n\r\n"])
    return b"\r\n".join(fields) + b"\r\n\r\n", body
