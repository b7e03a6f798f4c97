"""The notify service: people's contacts, and one letter per fact and person."""
