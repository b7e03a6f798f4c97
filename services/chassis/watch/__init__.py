"""What a service tells of itself: measures, traces, logs."""
