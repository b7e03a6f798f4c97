"""Where the portal speaks with people: requests in, pages out, letters and commands sent."""
