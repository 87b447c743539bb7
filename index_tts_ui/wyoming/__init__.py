"""Wyoming, the protocol of Home Assistant's voice services, beside HTTP: the same service, the same queue.

See ``docs/wyoming.md``. The protocol is Rhasspy's; this is a server for its text-to-speech events.
"""

from .server import WyomingServer

__all__ = ["WyomingServer"]
