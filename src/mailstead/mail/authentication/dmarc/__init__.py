"""DMARC (RFC 7489): whether the author's domain stands behind a message, and what it asks for when it does not.

`record` reads policies, `organization` finds organizational domains by the public suffix list, `evaluate` judges. What
is then done with a message is its receiver's decision.
"""
