"""How locks are shown (RFC 4918 §15.8)."""

from mailstead.protocols.dav.exchange import Exchange
from mailstead.protocols.dav.xml.writer import escape
from mailstead.stores.mailbox.dav.records import Lock


def _root(href: str, path: str, lock: Lock) -> str:
    """The href of what the lock was made on, which `href` is or is in."""
    inner = path.count("/") - lock.path.count("/")
    return href if inner == 0 else href.rstrip("/").rsplit("/", inner)[0] + "/"


def active_lock(exchange: Exchange, lock: Lock, href: str, path: str) -> str:
    """DAV:activelock; `href` is the resource it was asked of, `path` its place among the locks.

    A token is shown to who made the lock alone.
    """
    scope = "exclusive" if lock.is_exclusive else "shared"
    token = f"<D:locktoken><D:href>{escape(lock.token)}</D:href></D:locktoken>"
    return (
        f"<D:activelock><D:lockscope><D:{scope}/></D:lockscope><D:locktype><D:write/></D:locktype>"
        f"<D:depth>{'infinity' if lock.is_deep else '0'}</D:depth>{lock.owner.decode()}"
        f"<D:timeout>Second-{max(lock.expires_at - int(exchange.now), 0)}</D:timeout>"
        f"{token if lock.principal == exchange.account.address else ''}"
        f"<D:lockroot><D:href>{escape(_root(href, path, lock))}</D:href></D:lockroot></D:activelock>"
    )
