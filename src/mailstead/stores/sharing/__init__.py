"""Who else sees calendars and address books: accounts here, and everybody who has a link; and calendars of elsewhere.

The rows are the truth: each request looks at them, so that what is revoked is revoked at once.
"""
