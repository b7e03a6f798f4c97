"""What generates files that are committed."""
