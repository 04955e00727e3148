"""What CalDAV asks of calendar objects: filters, data, busy times."""
