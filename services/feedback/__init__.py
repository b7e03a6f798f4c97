"""Feedback: asks both sides of every pair, and tells what they say without telling on anybody.

It measures each cohort in figures that are safe for small groups, and rules on its roll-out.
"""
