"""Options of telling junk from good mail."""

from typing import Annotated

import msgspec

from mailstead.foundation.config.option import number, points, size, switch


class JunkSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Junk."""

    filter: Annotated[bool, switch("Give arriving mail points, and put what reaches the threshold into Junk")] = True
    threshold: Annotated[
        float, points("Points that make a message junk, where an alias has no threshold of its own")
    ] = 5.0
    refuse: Annotated[float, points("Points at which a message is refused; 0: never")] = 15.0
    classifier: Annotated[bool, switch("Let words that were learned count")] = True
    autolearn: Annotated[bool, switch("Learn from messages that the rules alone are sure about")] = True
    learn_from_moves: Annotated[
        bool,
        switch("What people move into and out of Junk teaches the server, too; locked mailboxes keep it to themselves"),
    ] = True
    text_limit: Annotated[int, size("Octets of a message's text that are read", least=1024)] = 128 * 1024
    features_limit: Annotated[int, number("Different words of one message that count", least=50, most=10_000)] = 400
    least_messages: Annotated[
        int, number("Messages of each kind that the server must have learned before words count", least=1)
    ] = 50
    mailbox_features: Annotated[int, number("Words that one mailbox remembers", least=1_000)] = 50_000
