"""Write locks (RFC 4918 §6): what protects a path, and what stands in the way of another lock."""

import apsw

from mailstead.foundation.errors import LimitExceededError
from mailstead.stores.mailbox.connection import select
from mailstead.stores.mailbox.dav.records import Lock

_COLUMNS = "token, path, is_deep, is_exclusive, owner, principal, expires_at"


def _lock(row: tuple[object, ...]) -> Lock:
    token, path, is_deep, is_exclusive, owner, principal, expires_at = row
    return Lock(token, path, bool(is_deep), bool(is_exclusive), owner, principal, expires_at)  # type: ignore[arg-type] # SQLite's columns


def _above(path: str) -> list[str]:
    """The path and those it is in."""
    segments = path.split("/")
    return ["/".join(segments[:count]) for count in range(1, len(segments) + 1)]


def covering(connection: apsw.Connection, path: str, now: float, *, is_member_change: bool = False) -> list[Lock]:
    """The locks that protect a path; with `is_member_change` also one on the collection it is to appear in or leave."""
    paths = _above(path)
    marks = ",".join("?" * len(paths))
    rows = select(
        connection, f"SELECT {_COLUMNS} FROM dav_lock WHERE path IN ({marks}) AND expires_at > ?", (*paths, int(now))
    )
    parent = paths[-2] if len(paths) > 1 else ""
    return [
        one for one in map(_lock, rows) if one.path == path or one.is_deep or (is_member_change and one.path == parent)
    ]


def all_locks(connection: apsw.Connection, now: float) -> list[Lock]:
    """Every lock of the mailbox."""
    return [
        _lock(row) for row in select(connection, f"SELECT {_COLUMNS} FROM dav_lock WHERE expires_at > ?", (int(now),))
    ]


def within(connection: apsw.Connection, path: str, now: float) -> list[Lock]:
    """The locks on a path or below it."""
    rows = select(
        connection,
        f"SELECT {_COLUMNS} FROM dav_lock WHERE (path = ? OR (path > ? AND path < ?)) AND expires_at > ?",
        (path, f"{path}/", f"{path}0", int(now)),  # 0 comes after the slash
    )
    return [_lock(row) for row in rows]


def add(connection: apsw.Connection, new: Lock, now: float, most: int) -> list[Lock]:
    """Keep a lock, or return those that stand in its way (RFC 4918 §6.2). Raises LimitExceededError."""
    connection.execute("DELETE FROM dav_lock WHERE expires_at <= ?", (int(now),))
    others = {one.token: one for one in covering(connection, new.path, now)}
    if new.is_deep:
        others |= {one.token: one for one in within(connection, new.path, now)}
    if found := [one for one in others.values() if new.is_exclusive or one.is_exclusive]:
        return found
    if select(connection, "SELECT count(*) FROM dav_lock")[0][0] >= most:
        raise LimitExceededError("There are as many locks as allowed")
    connection.execute(
        f"INSERT INTO dav_lock({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (new.token, new.path, new.is_deep, new.is_exclusive, new.owner, new.principal, new.expires_at),
    )
    return []


def refresh(connection: apsw.Connection, token: str, expires_at: int) -> None:
    """Let a lock last longer."""
    connection.execute("UPDATE dav_lock SET expires_at = ? WHERE token = ?", (expires_at, token))


def remove(connection: apsw.Connection, token: str) -> None:
    """Take a lock off."""
    connection.execute("DELETE FROM dav_lock WHERE token = ?", (token,))


def forget(connection: apsw.Connection, path: str) -> None:
    """Take off all locks on a path that goes away, and below it (RFC 4918 §9.6)."""
    connection.execute("DELETE FROM dav_lock WHERE path = ? OR (path > ? AND path < ?)", (path, f"{path}/", f"{path}0"))
