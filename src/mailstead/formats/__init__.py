"""Pure formats: bytes in, objects out."""
