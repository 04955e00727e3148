"""Deliveries of events to a domain's hooks: what waits, what was tried, what came of it.

An event is written down for each hook that wants it before anybody is asked to deliver it, under an id that the same
event always gets, so that a step that is repeated after a crash makes no second delivery.
"""
