"""Imports and exports that people asked for: durable jobs, what became of them, and the files they work on."""
