"""Who is asking: keys, passwords, sessions, tokens, networks. No HTTP status is known here."""

from .caller import owner_of
from .networks import Networks

__all__ = ["Networks", "owner_of"]
