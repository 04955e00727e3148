"""Organizational domains (RFC 7489 §3.2) by the public suffix list that its package carries."""

from functools import lru_cache

from publicsuffixlist import PublicSuffixList


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()  # reading takes some 50 ms: once, when first asked


@lru_cache(maxsize=4096)
def organizational_domain(domain: str) -> str:
    """The domain that was registered, for a domain in lower-case A-labels; a public suffix is its own."""
    found: str | None = _suffixes().privatesuffix(domain)
    return found or domain


def public_suffix(domain: str) -> str:
    """The public suffix that `domain` is in."""
    found: str | None = _suffixes().publicsuffix(domain)
    return found or domain


def aligned(one: str, other: str, *, strict: bool) -> bool:
    """Whether two domains in lower-case A-labels belong together (RFC 7489 §3.1)."""
    return one == other or (not strict and organizational_domain(one) == organizational_domain(other))
