"""Whether arriving mail is wanted: what is decided about connections, senders and messages, and why.

The order is that of the conversation; each step may end it, and what does not end it may count in the message's score:

1. the connection: deny lists, limits, talking before the greeting (visit.py, limits.py);
2. the recipient: lists of the server and of the recipient's domain, blocklists in DNS, the name that leads back to the
   client, its greeting, the sender's domain, greylisting (admission.py);
3. the message: attachments, other filters beside us, rules, what was learned, reputation (judge.py);
4. final delivery: what the mailbox has learned, and its owner's threshold (personal.py).

Invariants: what cannot be found out counts for nothing and loses no mail; whoever is on an allow list, or is on this
host, is only looked at for viruses and attachments; every refusal says why in words.
"""
