"""TLS contexts, hot reload, local certificate authority."""
