"""Internet messages: lenient offset indexer, composition, delivery reports."""
