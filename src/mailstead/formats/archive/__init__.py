"""Archives of messages outside Mailstead: mbox in its dialects, and the names that Maildir gives to files."""
