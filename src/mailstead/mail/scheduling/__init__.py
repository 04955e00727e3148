"""Scheduling (RFC 5546, RFC 6638 §3, RFC 6047): who is told what when an event with attendees changes, and what a message does.

`organizer`, `attendee` and `receiving` decide on octets alone: the object before and after, or a message and the stored
object, give the object to store and the messages to send. They know neither a store nor a network. `delivery` carries
the messages: into the calendars of people here, as mail to everybody else.

Invariants: nobody is told of instances that they are not invited to; a message never carries alarms or the states of
delivery; a message that is older than what is stored changes nothing; what the engine does not change keeps its octets.
"""
