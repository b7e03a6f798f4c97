"""A service's HTTP: commands in, projections out, pages behind links."""
