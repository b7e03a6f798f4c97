"""Everything that takes the programme from a checkout to a running system."""
