"""The states of a session (RFC 9051 §3).

connect --> NOT_AUTHENTICATED --LOGIN, AUTHENTICATE--> AUTHENTICATED <--SELECT, EXAMINE / CLOSE, UNSELECT--> SELECTED
                  |                                          |                                               |
                  +---------------- LOGOUT, timeout, lost connection, fatal error ---------------> LOGOUT <--+
"""

from enum import Enum


class State(Enum):
    """Where a session is."""

    NOT_AUTHENTICATED = "not authenticated"
    AUTHENTICATED = "authenticated"
    SELECTED = "selected"
    LOGOUT = "logged out"


ANY = frozenset({State.NOT_AUTHENTICATED, State.AUTHENTICATED, State.SELECTED})
BEFORE_LOGIN = frozenset({State.NOT_AUTHENTICATED})
AFTER_LOGIN = frozenset({State.AUTHENTICATED, State.SELECTED})
WITH_MAILBOX = frozenset({State.SELECTED})
