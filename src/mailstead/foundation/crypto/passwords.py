"""Secrets made for people: app passwords and recovery codes."""

import secrets

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that looks like something else
_APP_GROUPS, _APP_GROUP_SIZE = 6, 5  # 30 characters of 31: 148 bits
_RECOVERY_GROUPS, _RECOVERY_GROUP_SIZE = 8, 4  # 32 characters: 158 bits

_FACTOR_GROUPS, _FACTOR_GROUP_SIZE = 4, 4  # 16 characters: 79 bits


def new_app_password() -> str:
    """An app password of 148 bits in groups with hyphens."""
    return _grouped(_APP_GROUPS, _APP_GROUP_SIZE)


def new_recovery_code() -> str:
    """A recovery code of 158 bits: 8 groups of 4."""
    return _grouped(_RECOVERY_GROUPS, _RECOVERY_GROUP_SIZE)


def new_second_factor_code() -> str:
    """A code that stands in once for a lost phone: 79 bits in 4 groups of 4."""
    return _grouped(_FACTOR_GROUPS, _FACTOR_GROUP_SIZE)


def _grouped(groups: int, size: int) -> str:
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(size)) for _ in range(groups))


def has_app_password_form(text: str) -> bool:
    """Whether `text` could be an app password of ours: those are tried before a slow derivation."""
    groups = text.split("-")
    return len(groups) == _APP_GROUPS and all(
        len(group) == _APP_GROUP_SIZE and all(letter in _ALPHABET for letter in group) for group in groups
    )
