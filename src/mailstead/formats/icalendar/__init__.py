"""iCalendar (RFC 5545) as far as a server looks into it: what an object is, when it takes place, bounded in all it does.

Recurrence is worked out on wall clock times, which zones turn into instants (seconds since 1970 UTC) at the end: a
meeting at nine stays at nine when summer time begins.
"""
