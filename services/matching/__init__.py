"""Matching: who volunteers, who asks, who is proposed to whom, and which pairs stand.

It owns people's place in the programme (not their names: notify has those) and the pairs.
"""
