"""MTA-STS (RFC 8461) as a sender applies it: policies found, fetched over HTTPS, and kept for as long as they say.

`policy` is their text, `fetch` gets it, `discover` keeps and renews it. What a policy means for a connection stands in
`tls_policy`.
"""
