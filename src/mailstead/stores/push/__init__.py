"""Browsers that want to be told of new mail while they are closed."""
