"""POP3 (RFC 1939) with its extensions (RFC 2449, RFC 2595, RFC 3206, RFC 5034, RFC 6856).

A session has INBOX as it was at login; one session at a time per mailbox. Messages are removed only by QUIT, all in
one transaction, and come back by undelete like any expunged message.
"""
