"""One front, many engine replicas: the same service on several machines.

``dock`` is the front's port: a replica dials in, shows that it knows the token, and becomes a lane of the
scheduler like any worker of this machine. ``replica`` is the other end: it keeps a worker process and passes its
messages on. ``serving`` lets Ray Serve place, restart and count the replicas; sound does not go through Ray.
"""
