"""The bus: publish/subscribe, counters and leases on memory, a unix socket, or Redis."""
