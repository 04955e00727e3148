"""Mailstead beside the servers people run today, the same work for each, in turn.

A case starts its servers in folders and on ports of their own, gives all of them the same messages (a fixed seed), does
one round that is not counted and then `Size.rounds` rounds of every contestant in turn (A B A B), so that a machine that
slows down slows all. Rows carry every round's figure; medians and their ratios are printed and held against the targets.
It is a benchmark: a target that is missed is said, nothing fails by it. What fails a run is a wrong answer: every
contestant's answers are compared before anything is timed.
"""
