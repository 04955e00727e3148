"""Content lines, the common form of iCalendar and vCard (RFC 5545 §3.1, RFC 6350 §3.2): lines and components.

The reader is for looking into objects; what is stored and served are the octets that came, never what is read here.
"""
