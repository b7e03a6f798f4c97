"""Every promise, broken on purpose: the proof that the proof can fail."""
