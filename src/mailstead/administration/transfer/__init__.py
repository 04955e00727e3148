"""Moving mail in and out of mailboxes: Maildir, mbox, single messages, other IMAP servers."""
