"""Mail authentication; imports no store."""
