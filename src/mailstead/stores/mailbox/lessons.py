"""What a mailbox learns of junk: lessons that moves give, and how often its junk and good messages had each feature.

A move notes its lesson in its own transaction; what a message says is read and counted later. `learned` is what was
counted of a message, so that a lesson that is taken back takes back just that.
"""

import time
from collections.abc import Callable, Sequence

import apsw
import msgspec

from mailstead.stores.mailbox.connection import select

_LESSONS_OF_ONE_MOVE = 500
_CHUNK = 500
_NOT_TAUGHT = ("\\Trash", "\\Drafts", "\\Sent")
_JUNK = "\\Junk"
_BASELINE = 5


class Lesson(msgspec.Struct, frozen=True):
    """A message whose lesson waits: what it is to be (None: nothing any more), and what was learned of it before."""

    message_id: int
    junk: bool | None
    learned: bool | None


class Known(msgspec.Struct, frozen=True):
    """What a mailbox knows: counts in junk and good messages of the features that it has, and how many it learned.

    `seen` is how many features were looked for.
    """

    counts: tuple[tuple[int, int], ...]
    junk: int
    good: int
    seen: int


def _use(connection: apsw.Connection, folder_id: int) -> tuple[str, str]:
    rows = select(connection, "SELECT name, special_use FROM folder WHERE id = ?", (folder_id,))
    return rows[0] if rows else ("", "")


def note_move(connection: apsw.Connection, folder_id: int, target_id: int, uids: Sequence[int], *, moved: bool) -> bool:
    """Note what a move or copy of `uids` teaches, before it is made; whether it teaches anything.

    Into Junk: junk. Out of Junk to anywhere but Trash: good. From INBOX into a folder of one's own: good, when moved.
    Inside the transaction.
    """
    name, use = _use(connection, folder_id)
    _, target_use = _use(connection, target_id)
    if folder_id == target_id:
        return False
    if target_use == _JUNK:
        junk = True
    elif target_use not in _NOT_TAUGHT and (use == _JUNK or (moved and name == "INBOX")):
        junk = False
    else:
        return False
    connection.executemany(
        "INSERT INTO junk_lesson(message_id, wanted) SELECT message_id, ? FROM entry WHERE folder_id = ? AND uid = ?"
        " ON CONFLICT(message_id) DO UPDATE SET wanted = excluded.wanted",
        [(junk, folder_id, uid) for uid in uids[-_LESSONS_OF_ONE_MOVE:]],
    )
    return True


def waiting(connection: apsw.Connection, most: int) -> list[Lesson]:
    """Lessons that wait."""
    rows = select(
        connection,
        "SELECT message_id, wanted, learned FROM junk_lesson WHERE wanted IS NOT learned ORDER BY message_id LIMIT ?",
        (most,),
    )
    return [Lesson(row[0], _truth(row[1]), _truth(row[2])) for row in rows]


def _truth(value: int | None) -> bool | None:
    return None if value is None else bool(value)


def note_baseline(connection: apsw.Connection) -> bool:
    """While less good mail than junk was learned, the newest messages that were read and kept in INBOX are good.

    Inside a transaction; whether there is more to learn now.
    """
    totals = dict(select(connection, "SELECT name, value FROM counter WHERE name IN ('junk_learned', 'good_learned')"))
    waits = select(connection, "SELECT count(*) FROM junk_lesson WHERE wanted = 0 AND wanted IS NOT learned")[0][0]
    lacking = totals.get("junk_learned", 0) - totals.get("good_learned", 0) - waits
    if lacking <= 0:
        return False
    before = connection.total_changes()
    connection.execute(
        "INSERT INTO junk_lesson(message_id, wanted) SELECT e.message_id, 0 FROM entry e JOIN folder f ON"
        " f.id = e.folder_id WHERE f.name = 'INBOX' AND e.flags & 1 AND NOT e.flags & 8 AND NOT EXISTS"
        " (SELECT 1 FROM junk_lesson l WHERE l.message_id = e.message_id) ORDER BY e.uid DESC LIMIT ?"
        " ON CONFLICT DO NOTHING",
        (min(lacking, _BASELINE),),
    )
    return connection.total_changes() > before


def learn(connection: apsw.Connection, lesson: Lesson, features: Sequence[int], most: int) -> bool:
    """Count a message as its lesson says, and take back what was counted before; False when it is not as it was.

    At most `most` features are kept: those go first that were not met for the longest time. Inside a transaction.
    """
    changed = select(
        connection,
        "UPDATE junk_lesson SET learned = ?1 WHERE message_id = ?2 AND wanted IS ?1 AND learned IS ?3 RETURNING 1",
        (lesson.junk, lesson.message_id, lesson.learned),
    )
    if not changed:
        return False
    if lesson.learned is not None:
        _count(connection, features, lesson.learned, -1)
    if lesson.junk is not None:
        _count(connection, features, lesson.junk, 1)
    kept = select(connection, "SELECT count(*) FROM junk_feature")[0][0]
    if kept > most:
        connection.execute(
            "DELETE FROM junk_feature WHERE feature IN (SELECT feature FROM junk_feature ORDER BY met_at LIMIT ?)",
            (kept - most + most // 10,),
        )
    return True


def _count(connection: apsw.Connection, features: Sequence[int], junk: bool, step: int) -> None:
    column, counter = ("junk", "junk_learned") if junk else ("good", "good_learned")
    now = int(time.time())
    connection.executemany(
        f"INSERT INTO junk_feature(feature, {column}, met_at) VALUES (?1, max(?2, 0), ?3)"
        f" ON CONFLICT(feature) DO UPDATE SET {column} = max({column} + ?2, 0), met_at = ?3",
        [(feature, step, now) for feature in features],
    )
    connection.execute("UPDATE counter SET value = max(value + ?, 0) WHERE name = ?", (step, counter))


def learned_messages(connection: apsw.Connection) -> tuple[int, int]:
    """How many junk and good messages were learned."""
    totals = dict(select(connection, "SELECT name, value FROM counter WHERE name IN ('junk_learned', 'good_learned')"))
    return totals["junk_learned"], totals["good_learned"]


def known(connection: apsw.Connection, features: Callable[[], Sequence[int]]) -> Known:
    """What is known of a message's features, which are asked for only when anything was learned."""
    junk, good = learned_messages(connection)
    if not (junk or good):
        return Known((), 0, 0, 0)
    counts: list[tuple[int, int]] = []
    wanted = features()
    for start in range(0, len(wanted), _CHUNK):
        some = wanted[start : start + _CHUNK]
        places = ",".join("?" * len(some))
        counts += select(connection, f"SELECT junk, good FROM junk_feature WHERE feature IN ({places})", tuple(some))
    return Known(tuple(counts), junk, good, len(wanted))


def forget(connection: apsw.Connection) -> None:
    """Begin anew. Inside a transaction."""
    connection.execute("DELETE FROM junk_feature")
    connection.execute("DELETE FROM junk_lesson")
    connection.execute("UPDATE counter SET value = 0 WHERE name IN ('junk_learned', 'good_learned')")
