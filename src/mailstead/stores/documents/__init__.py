"""Documents: users, domains, the queue and whatever else is looked up by its fields.

One contract (interface.py), two engines: SQLite in DATA/documents.db for one host, MongoDB for more. What a document
may hold (value.py, document.py) and what a condition means (where.py) is decided before an engine is asked.

Invariants: a write that returned is on disk; one document changes in one step; two writers never both get the same
version of a document; an ended document is never read. Not done here: joins, transactions over several documents
(`insert_many` excepted), and orders over fields without an index.
"""
