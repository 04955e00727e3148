"""SPF (RFC 7208): whether a host may send for a domain.

`record` reads what a domain publishes, `macro` its variables, `check` evaluates. The limits of RFC 7208 §4.6.4 hold for
one evaluation with all its includes and redirects together.
"""
