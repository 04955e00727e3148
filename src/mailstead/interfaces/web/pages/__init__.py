"""One noun a file; each page is a template and the few lines that fill it."""
