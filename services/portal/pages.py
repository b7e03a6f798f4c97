"""The pages of the portal, and who may see which."""
