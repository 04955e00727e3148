"""Web Push: browsers that are closed are told of new mail, through the push service that each browser names.

The service sees when and how much is sent, never what: messages are encrypted to the browser (RFC 8291), and the server
shows by a signature that it is the one that the browser subscribed to (RFC 8292).
"""
