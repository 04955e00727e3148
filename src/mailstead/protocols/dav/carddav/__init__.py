"""What CardDAV asks of cards: filters and data."""
