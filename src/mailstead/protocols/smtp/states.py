"""What may follow what: the states of a session as a table (RFC 5321 §4.1.4).

              EHLO            MAIL           RCPT            DATA, final dot
    START ----------> READY -------> MAIL --------> RCPT --------------------> READY
                        ^              |              | BDAT                     ^
                        |   RSET, EHLO |              v        BDAT LAST         |
                        +--------------+----------- CHUNKS ----------------------+
                        |                             | a chunk was refused
                        +------ RSET, EHLO ------- FAILED

A command that fails leaves the state as it was. Verbs that are in no row are taken in every state and change nothing.
"""

from typing import Literal

State = Literal["START", "READY", "MAIL", "RCPT", "CHUNKS", "FAILED"]

_ALL: tuple[State, ...] = ("START", "READY", "MAIL", "RCPT", "CHUNKS", "FAILED")

TRANSITIONS: dict[str, dict[State, State]] = {
    "EHLO": dict.fromkeys(_ALL, "READY"),
    "HELO": dict.fromkeys(_ALL, "READY"),
    "LHLO": dict.fromkeys(_ALL, "READY"),
    "RSET": {
        "START": "START",
        "READY": "READY",
        "MAIL": "READY",
        "RCPT": "READY",
        "CHUNKS": "READY",
        "FAILED": "READY",
    },
    "STARTTLS": {"START": "START", "READY": "START"},
    "AUTH": {"READY": "READY"},
    "MAIL": {"READY": "MAIL"},
    "RCPT": {"MAIL": "RCPT", "RCPT": "RCPT"},
    "DATA": {"RCPT": "READY"},
    "BDAT": {"RCPT": "CHUNKS", "CHUNKS": "CHUNKS"},
}

WHY_NOT: dict[State, str] = {
    "START": "Say EHLO first",
    "READY": "Say MAIL first",
    "MAIL": "Say RCPT first, or no recipient was accepted",
    "RCPT": "A message has begun: send it, or say RSET",
    "CHUNKS": "A message has begun by BDAT: send its chunks, or say RSET",
    "FAILED": "The message failed: say RSET",
}
