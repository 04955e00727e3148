"""Signed HTTP deliveries: what happened here is told to a URL that a user named.

A delivery is a POST of JSON, signed with the key of the domain it is about (`signature`). It goes to public addresses
only (`foundation.net.reach`), follows no redirect, and is retried from the outbound queue until the lifetime is over:
`message` makes the JSON of an arriving message; other rooms of the house queue their own.
"""
