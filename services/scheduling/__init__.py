"""Scheduling: finds a time for every session of a pair, and follows each until it was held.

It keeps everybody's calendar free of clashes, and notices pairs that come to a standstill.
"""
