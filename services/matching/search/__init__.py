"""The search for a round's pairs: which fit, how well, and which pairing is the best."""
