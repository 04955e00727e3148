"""Protocol servers: sans-I/O cores and their sessions."""
