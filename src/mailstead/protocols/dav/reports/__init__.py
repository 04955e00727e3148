"""Reports, one each file."""
