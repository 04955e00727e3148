"""The durable outbound queue and its workers."""
