"""Composition: each service wires floors together; runtime starts and stops them."""
