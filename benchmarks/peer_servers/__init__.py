"""What a user would put around an engine instead of this service, each as its own documentation advises.

Every one is ``python -m benchmarks.peer_servers.NAME SETTINGS`` and serves ``speaker.Speaker``: the very
engine that our worker steps.
"""
