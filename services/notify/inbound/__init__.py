"""Mail that comes in: answers to invitations, and letters that came back."""
