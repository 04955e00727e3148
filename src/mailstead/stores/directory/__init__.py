"""Users, domains, aliases and credentials."""
