"""Sync tokens as clients see them (RFC 6578 §3.2): a URI of the collection's id and its token in the store."""

import re

from mailstead.stores.mailbox.dav.records import Collection

_FORM = re.compile(r"data:,(\d{1,18})-(\d{1,18})\Z", re.ASCII)


def sync_token(record: Collection, token: int | None = None) -> str:
    """The token of a collection as it is, or as it was at `token`."""
    return f"data:,{record.id}-{record.token if token is None else token}"


def parse_sync_token(text: str, record: Collection) -> int | None:
    """What the store calls the token; None when it is not one of this collection."""
    match = _FORM.match(text)
    return int(match[2]) if match is not None and int(match[1]) == record.id else None
