"""What everybody calls by the same name: tools, and job families with what they ask for."""
