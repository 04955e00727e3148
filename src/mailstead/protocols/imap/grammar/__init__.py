"""From bytes to frozen commands, without I/O (RFC 9051 §9); each production has its ABNF in its docstring."""
