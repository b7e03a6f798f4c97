"""The log that services read and write."""
