"""The four services in one process, under one seed: everything that can go wrong, in any order."""
