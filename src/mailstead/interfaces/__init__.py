"""Interfaces for people and programs over HTTP: the metrics and health endpoint."""
