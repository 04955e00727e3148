"""XML as DAV uses it: read within bounds and without entities, written as text."""
