"""One step per batch: what is read, decided, committed and published."""
