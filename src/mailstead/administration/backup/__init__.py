"""Backups: a consistent copy of everything that must survive, kept by restic; verified, restored whole or in part."""
