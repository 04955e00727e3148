"""Keys, slots, sealing."""
