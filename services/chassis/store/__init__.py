"""Where a service keeps what it knows."""
