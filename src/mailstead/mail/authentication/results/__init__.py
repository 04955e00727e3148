"""Authentication-Results (RFC 8601): what was found out about a message, written into its header and read from it.

`field` is the syntax, `compose` says our results in it, `forged` takes away what strangers wrote in our name.
"""
