"""Sending policy: who may send, how much, to whom not, when, and what refusals mean.

`policy` is asked at submission; `limits`, `proof`, `suppression` and `undo` are its parts. `replies` knows what the
big providers' codes mean, `aftermath` acts on what an attempt came to. Mail that was accepted is never judged again.
"""
