"""CalDAV and CardDAV over HTTP: who asks, how much is taken, and answers that are sent as they are made."""
