"""The socket host for line protocols."""
