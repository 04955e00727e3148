"""SMTP and LMTP clients: sans-I/O core and connection."""
