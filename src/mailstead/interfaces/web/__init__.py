"""The web: account, administration and webmail, rendered on the server, with small scripts where they help.

Every page works as a page of its own; scripts replace pieces of it. Nothing is loaded from elsewhere, nothing runs that
is not a file of ours (the policy in `headers.py` says so to the browser), and every form carries the session's token.
"""
