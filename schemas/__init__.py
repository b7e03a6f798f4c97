"""The published language of the programme: commands, events, topics and their envelope.

Nothing in this package knows a broker, a database or a service. Whoever wants to speak
with the platform needs this package (or the generated `catalogue/`) and nothing else.
"""
