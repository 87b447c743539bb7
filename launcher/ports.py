"""The listening socket: is the port free, whose is it, under which addresses can others reach it."""

from __future__ import annotations

import errno
import socket

from .errors import Failed, NotPermitted
from .messages import say

BACKLOG = 2048  # clients that connect while the server restarts wait here


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def bind(host: str, port: int, listen: bool = True) -> socket.socket:
    """A bound socket, never with SO_REUSEPORT (a second server would then share the port unseen).

    SO_REUSEADDR keeps the TIME_WAIT of a server that just ended from looking like a busy port.

    Raises:
        Failed: the port is taken (names the owner where it can be seen) or the address is not ours.
        NotPermitted: ports below 1024 are for root.
    """
    sock = socket.socket(_family(host), socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if host == "::":
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind((host, port))
        sock.listen(BACKLOG)
    except (OSError, UnicodeError) as error:
        sock.close()
        raise _explain(error, host, port) from error
    if not listen:
        sock.close()
    return sock


def check_free(host: str, port: int) -> None:
    """Raises what ``bind`` raises; leaves nothing behind."""
    bind(host, port, listen=False)


def _explain(error: OSError | UnicodeError, host: str, port: int) -> Failed | NotPermitted:
    code = getattr(error, "errno", None)
    if code == errno.EADDRINUSE:
        return Failed("port_in_use", port=port, owner=owner(port) or say("nobody_seen"))
    if code == errno.EACCES:
        return NotPermitted("port_denied", port=port)
    return Failed("bad_host", host=host, reason=getattr(error, "strerror", None) or str(error))


def owner(port: int) -> str:
    """Who listens on ``port``, in words; "" where the system does not show it."""
    import psutil

    try:
        for connection in psutil.net_connections("tcp"):
            if connection.laddr and connection.laddr.port == port and connection.status in ("LISTEN", "NONE"):
                return _describe(connection.pid)
    except (psutil.Error, OSError):
        pass
    return ""


def _describe(pid: int | None) -> str:
    import psutil

    if not pid:
        return ""
    try:
        process = psutil.Process(pid)
        return f"pid {pid}: {' '.join(process.cmdline())[:120] or process.name()}"
    except psutil.Error:
        return f"pid {pid}"


def url(host: str, port: int, https: bool = False) -> str:
    """An address that a browser on this machine can open."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(host, host)
    return f"http{'s' if https else ''}://{f'[{shown}]' if ':' in shown and not shown.startswith('[') else shown}:{port}"


def is_public(host: str) -> bool:
    """Whether other machines may reach this address."""
    return not (host.startswith("127.") or host in ("localhost", "::1"))


def lan_urls(host: str, port: int, https: bool = False) -> list[str]:
    """The addresses to share: one for each interface that is up, for a wildcard host."""
    if host not in ("0.0.0.0", "::"):
        return [url(host, port, https)] if is_public(host) else []
    import psutil

    try:
        up = {name for name, info in psutil.net_if_stats().items() if info.isup}
        addresses = psutil.net_if_addrs()
    except OSError:
        return []
    found = [
        item.address
        for name in sorted(addresses)
        if name in up
        for item in addresses[name]
        if item.family == socket.AF_INET and not item.address.startswith(("127.", "169.254."))
    ]
    return [url(address, port, https) for address in found]
