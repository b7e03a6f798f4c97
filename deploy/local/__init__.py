"""The embedded run's parts: broker, database and mail server as child processes, without Docker.

What always holds: a part listens on the loopback interface only, keeps its files under the
directory it was given, and is gone when the process that started it is gone, however it went.
"""
