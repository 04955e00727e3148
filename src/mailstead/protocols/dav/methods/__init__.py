"""HTTP methods, one each file."""
