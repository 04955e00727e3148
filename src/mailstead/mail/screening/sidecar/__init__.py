"""Other filters, each over its own protocol: rspamd (HTTP), SpamAssassin's spamd (SPAMC), ClamAV's clamd (INSTREAM)."""
