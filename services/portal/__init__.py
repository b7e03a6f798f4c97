"""The portal: the pages on which people join, find their own things, and coordinate.

It decides nothing about the programme. Names meet pairs here and nowhere else.
"""
