"""Those who publish DNS for us: Cloudflare, DigitalOcean, Amazon Route 53, and any server that takes RFC 2136 updates.

`provider` says what all of them do: tell the values of a name, add one, remove one. Neither touches other values of the
same name, and both may be repeated. `opening` makes one from MAILSTEAD_DNS_PUBLISH_URL.
"""
