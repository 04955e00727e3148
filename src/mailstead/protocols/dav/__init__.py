"""WebDAV, CalDAV and CardDAV without sockets: a request goes in, a response comes out, possibly as a stream.

What the server knows is declared in tables (`registry`): methods, properties, reports and POST handlers. A handler
gets an `Exchange`: the request, who asks, and the means to work on mailboxes. Paths lead to resources (`tree`), the
decision who may do what is one object's (`access`), and what happens around a change of an object is another's
(`hooks`). Objects are kept and served byte for byte; whatever is looked into is only read.
"""
