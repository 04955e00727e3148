"""What people do: one function each with its actor, roles checked and an audit entry written."""
