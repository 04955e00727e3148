"""Archives: of messages outside Mailstead (mbox in its dialects, the names that Maildir gives to files), zip files that are
written, and the lists of RAR and 7z files."""
