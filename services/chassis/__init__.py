"""What every service stands on. Not one word of the programme's domain is in here."""
