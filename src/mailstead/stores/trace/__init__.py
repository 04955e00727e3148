"""Every message's way, recorded and readable."""
