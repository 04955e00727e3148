"""TLSA records (RFC 6698 §2.1) and whether a certificate matches one."""

import hashlib
import hmac
import re

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

TA, EE = 2, 3  # DANE-TA(2), DANE-EE(3): the usages of SMTP (RFC 7672 §3.1)
_FORM = re.compile(r"([0-9]{1,3}) ([0-9]{1,3}) ([0-9]{1,3}) ([0-9A-Fa-f ]+)")
_DIGEST_SIZES = {1: 32, 2: 64}


class TlsaRecord(msgspec.Struct, frozen=True):
    """One record that can be used: `usage` 2 or 3, `selector` 0 (certificate) or 1 (key), `matching` 0, 1 or 2."""

    usage: int
    selector: int
    matching: int
    data: bytes

    def matches(self, certificate: bytes) -> bool:
        """Whether a certificate in DER is the one meant; one that cannot be read matches nothing."""
        selected = certificate
        if self.selector == 1:
            try:
                loaded = x509.load_der_x509_certificate(certificate)
                selected = loaded.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            except ValueError:
                return False
        if self.matching == 1:
            selected = hashlib.sha256(selected).digest()
        elif self.matching == 2:
            selected = hashlib.sha512(selected).digest()
        return hmac.compare_digest(selected, self.data)


def parse_tlsa(text: str) -> TlsaRecord | None:
    """The record in presentation form; None when it is of no use to SMTP (RFC 7672 §3.1.3, §3.1.4)."""
    found = _FORM.fullmatch(text.strip())
    if found is None:
        return None
    usage, selector, matching = int(found[1]), int(found[2]), int(found[3])
    digits = found[4].replace(" ", "")
    if usage not in (TA, EE) or selector not in (0, 1) or matching not in (0, 1, 2) or len(digits) % 2:
        return None
    data = bytes.fromhex(digits)
    return TlsaRecord(usage, selector, matching, data) if len(data) == _DIGEST_SIZES.get(matching, len(data)) else None
