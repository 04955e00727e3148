"""The live properties, a file for each standard, and the table that joins them."""
