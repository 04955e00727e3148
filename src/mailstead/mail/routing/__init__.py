"""From a recipient address to its destinations."""
