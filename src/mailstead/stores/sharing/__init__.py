"""Who else sees calendars and address books: other accounts here.

The rows are the truth: each request looks at them, so that what is revoked is revoked at once.
"""
