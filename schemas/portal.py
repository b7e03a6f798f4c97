"""What is asked of the portal, and what happens there: nothing of its own.

It decides nothing about the programme. It has a journal like every service, of what it learned.
"""
