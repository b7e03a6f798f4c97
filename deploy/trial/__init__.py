"""The proof: the pilot from end to end, faults on purpose, and an independent check."""
