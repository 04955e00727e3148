"""The schema of mailbox.db, as numbered migrations that go forward only, each in one transaction."""

import apsw

from mailstead.stores.mailbox.connection import select

_ONE = """
CREATE TABLE counter(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO counter VALUES ('modseq', 1), ('uidvalidity', 0), ('indexed', 0);
CREATE TABLE setting(name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE ingested(ulid TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE folder(
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, special_use TEXT NOT NULL DEFAULT '',
  uidvalidity INTEGER NOT NULL, uidnext INTEGER NOT NULL DEFAULT 1, highestmodseq INTEGER NOT NULL,
  recent_from INTEGER NOT NULL DEFAULT 1, pruned_modseq INTEGER NOT NULL DEFAULT 0,
  messages INTEGER NOT NULL DEFAULT 0, unseen INTEGER NOT NULL DEFAULT 0, deleted INTEGER NOT NULL DEFAULT 0,
  size INTEGER NOT NULL DEFAULT 0);
CREATE TABLE subscription(name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE message(
  id INTEGER PRIMARY KEY AUTOINCREMENT, size INTEGER NOT NULL, internal_date INTEGER NOT NULL, sent_at INTEGER,
  thread_id INTEGER NOT NULL, preview TEXT NOT NULL);
CREATE INDEX message_thread ON message(thread_id);
CREATE TABLE envelope(message_id INTEGER PRIMARY KEY, envelope BLOB NOT NULL);
CREATE TABLE structure(message_id INTEGER PRIMARY KEY, bodystructure BLOB NOT NULL, body BLOB NOT NULL);
CREATE TABLE content(message_id INTEGER PRIMARY KEY, parts BLOB NOT NULL, recipe BLOB NOT NULL);
CREATE TABLE field(
  message_id INTEGER PRIMARY KEY, from_text TEXT NOT NULL, to_text TEXT NOT NULL, cc_text TEXT NOT NULL,
  bcc_text TEXT NOT NULL, subject TEXT NOT NULL, base_subject TEXT NOT NULL, identifier TEXT NOT NULL);
CREATE TABLE entry(
  folder_id INTEGER NOT NULL, uid INTEGER NOT NULL, flags INTEGER NOT NULL, keywords TEXT NOT NULL,
  modseq INTEGER NOT NULL, message_id INTEGER NOT NULL, saved_at INTEGER NOT NULL,
  PRIMARY KEY(folder_id, uid)) WITHOUT ROWID;
CREATE INDEX entry_modseq ON entry(folder_id, modseq);
CREATE INDEX entry_message ON entry(message_id);
CREATE TABLE expunged(
  folder_id INTEGER NOT NULL, uid INTEGER NOT NULL, modseq INTEGER NOT NULL, message_id INTEGER NOT NULL,
  flags INTEGER NOT NULL, keywords TEXT NOT NULL, expunged_at INTEGER NOT NULL, moved INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY(folder_id, uid)) WITHOUT ROWID;
CREATE INDEX expunged_modseq ON expunged(folder_id, modseq);
CREATE INDEX expunged_at ON expunged(expunged_at);
CREATE INDEX expunged_message ON expunged(message_id);
CREATE TABLE blob(
  id INTEGER PRIMARY KEY AUTOINCREMENT, hash BLOB NOT NULL UNIQUE, size INTEGER NOT NULL, refs INTEGER NOT NULL);
CREATE TABLE chunk(id INTEGER PRIMARY KEY, encoding INTEGER NOT NULL, data BLOB NOT NULL);
CREATE TABLE thread_reference(reference TEXT PRIMARY KEY, thread_id INTEGER NOT NULL) WITHOUT ROWID;
CREATE VIRTUAL TABLE fts_header USING fts5(
  text, content='', contentless_delete=1, detail=none, tokenize='unicode61 remove_diacritics 0');
CREATE VIRTUAL TABLE fts_body USING fts5(
  text, content='', contentless_delete=1, detail=none, tokenize='unicode61 remove_diacritics 0');
CREATE VIRTUAL TABLE fts_header_term USING fts5vocab(fts_header, 'row');
CREATE VIRTUAL TABLE fts_body_term USING fts5vocab(fts_body, 'row');
CREATE TRIGGER entry_in AFTER INSERT ON entry BEGIN
  UPDATE folder SET messages = messages + 1, unseen = unseen + (NEW.flags & 1 = 0),
    deleted = deleted + (NEW.flags & 8 != 0), size = size +
    (SELECT size FROM message WHERE id = NEW.message_id), highestmodseq = max(highestmodseq, NEW.modseq),
    uidnext = max(uidnext, NEW.uid + 1) WHERE id = NEW.folder_id;
END;
CREATE TRIGGER entry_out AFTER DELETE ON entry BEGIN
  UPDATE folder SET messages = messages - 1, unseen = unseen - (OLD.flags & 1 = 0),
    deleted = deleted - (OLD.flags & 8 != 0), size = size -
    (SELECT size FROM message WHERE id = OLD.message_id) WHERE id = OLD.folder_id;
END;
CREATE TRIGGER entry_changed AFTER UPDATE OF flags ON entry BEGIN
  UPDATE folder SET unseen = unseen + (NEW.flags & 1 = 0) - (OLD.flags & 1 = 0),
    deleted = deleted + (NEW.flags & 8 != 0) - (OLD.flags & 8 != 0) WHERE id = NEW.folder_id;
END;
"""

_TWO = """
CREATE TABLE dictionary(id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, data BLOB NOT NULL, messages INTEGER NOT NULL);
CREATE TABLE imported(source TEXT NOT NULL, item TEXT NOT NULL, PRIMARY KEY(source, item)) WITHOUT ROWID;
CREATE TABLE metadata(
  folder_id INTEGER NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY(folder_id, name)) WITHOUT ROWID;
INSERT INTO counter VALUES ('compacted', 0);
INSERT INTO fts_header(fts_header) VALUES ('delete-all');
INSERT INTO fts_body(fts_body) VALUES ('delete-all');
UPDATE counter SET value = 0 WHERE name = 'indexed'; -- the index holds case-folded text from now on
"""

_THREE = """
DROP TRIGGER entry_changed; -- store_flags keeps the counts itself, once for all entries that it changes
CREATE TABLE ancestry(message_id INTEGER PRIMARY KEY, ancestors TEXT NOT NULL); -- for threads; filled as they are built
CREATE TABLE term(term TEXT PRIMARY KEY) WITHOUT ROWID; -- fts5vocab reads every posting to count it; this is the words alone
INSERT INTO term SELECT term FROM fts_header_term UNION SELECT term FROM fts_body_term;
DROP TABLE fts_header_term;
DROP TABLE fts_body_term;
"""

# Calendars and address books. `token` is the modseq of the last change of a collection, `made_at` that of its making,
# `pruned_at` the last one whose tombstone was dropped: an older sync token cannot be answered (RFC 6578 §3.2).
_FOUR = """
CREATE TABLE dav_collection(
  id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, name TEXT NOT NULL, components TEXT NOT NULL,
  token INTEGER NOT NULL, made_at INTEGER NOT NULL, pruned_at INTEGER NOT NULL, size INTEGER NOT NULL DEFAULT 0,
  objects INTEGER NOT NULL DEFAULT 0, UNIQUE(kind, name));
CREATE TABLE dav_property(
  collection_id INTEGER NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY(collection_id, name))
  WITHOUT ROWID;
CREATE TABLE dav_object(
  id INTEGER PRIMARY KEY AUTOINCREMENT, collection_id INTEGER NOT NULL, name TEXT NOT NULL, uid TEXT NOT NULL,
  component TEXT NOT NULL, etag TEXT NOT NULL, size INTEGER NOT NULL, token INTEGER NOT NULL,
  changed_at INTEGER NOT NULL, starts_at INTEGER NOT NULL, ends_at INTEGER NOT NULL,
  UNIQUE(collection_id, name), UNIQUE(collection_id, uid));
CREATE INDEX dav_object_time ON dav_object(collection_id, starts_at);
CREATE INDEX dav_object_token ON dav_object(collection_id, token);
CREATE TABLE dav_content(object_id INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE dav_tombstone(
  collection_id INTEGER NOT NULL, name TEXT NOT NULL, token INTEGER NOT NULL, deleted_at INTEGER NOT NULL,
  PRIMARY KEY(collection_id, name)) WITHOUT ROWID;
CREATE INDEX dav_tombstone_token ON dav_tombstone(collection_id, token);
"""

_FIVE = """
CREATE TABLE dav_object_property(
  object_id INTEGER NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY(object_id, name)) WITHOUT ROWID;
CREATE TABLE dav_lock(
  token TEXT PRIMARY KEY, path TEXT NOT NULL, is_deep INTEGER NOT NULL, is_exclusive INTEGER NOT NULL,
  owner BLOB NOT NULL, principal TEXT NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX dav_lock_path ON dav_lock(path);
"""

# RFC 6638 §3.2.10: what a client holds on to while others answer; empty for what nobody is invited to
_SIX = """
ALTER TABLE dav_object ADD COLUMN schedule_tag TEXT NOT NULL DEFAULT '';
CREATE INDEX dav_object_uid ON dav_object(uid);
"""

# What the mailbox learns of junk (lessons.py). `wanted` is what a message is to teach, `learned` what it did
_SEVEN = """
CREATE TABLE junk_lesson(message_id INTEGER PRIMARY KEY, wanted INTEGER, learned INTEGER);
CREATE INDEX junk_lesson_waiting ON junk_lesson(message_id) WHERE wanted IS NOT learned;
CREATE TABLE junk_feature(
  feature INTEGER PRIMARY KEY, junk INTEGER NOT NULL DEFAULT 0, good INTEGER NOT NULL DEFAULT 0,
  met_at INTEGER NOT NULL);
CREATE INDEX junk_feature_met ON junk_feature(met_at);
INSERT INTO counter VALUES ('junk_learned', 0), ('good_learned', 0);
CREATE TRIGGER message_gone AFTER DELETE ON message BEGIN
  DELETE FROM junk_lesson WHERE message_id = OLD.id;
END;
"""

# Messages that were put off (snoozed.py); a row whose entry is gone means nothing: uids do not come again
_EIGHT = """
CREATE TABLE snoozed(
  folder_id INTEGER NOT NULL, uid INTEGER NOT NULL, back_to INTEGER NOT NULL, wake_at INTEGER NOT NULL,
  PRIMARY KEY(folder_id, uid)) WITHOUT ROWID;
CREATE INDEX snoozed_wake ON snoozed(wake_at);
"""

MIGRATIONS: tuple[str, ...] = (_ONE, _TWO, _THREE, _FOUR, _FIVE, _SIX, _SEVEN, _EIGHT)
VERSION = len(MIGRATIONS)

# Name and special use of the folders of a new mailbox (RFC 6154 §2)
DEFAULT_FOLDERS = (
    ("INBOX", ""),
    ("Drafts", "\\Drafts"),
    ("Sent", "\\Sent"),
    ("Junk", "\\Junk"),
    ("Trash", "\\Trash"),
    ("Archive", "\\Archive"),
)


def schema_version(connection: apsw.Connection) -> int:
    """How many migrations the file has seen."""
    return int(select(connection, "PRAGMA user_version")[0][0])


def migrate(connection: apsw.Connection) -> bool:
    """Bring the file to VERSION; whether it was new. Each step is one transaction: a crash leaves a whole version."""
    new = False
    while True:
        connection.execute("BEGIN IMMEDIATE")
        try:
            version = schema_version(connection)
            if version >= VERSION:
                connection.execute("ROLLBACK")
                return new
            new = new or version == 0
            connection.execute(MIGRATIONS[version])
            connection.execute(f"PRAGMA user_version = {version + 1}")
            connection.execute("COMMIT")
        except BaseException:
            if not connection.get_autocommit():
                connection.execute("ROLLBACK")
            raise
