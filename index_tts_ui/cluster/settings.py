"""``cluster.toml``: how many replicas there are to be, where, and on which ports. Everything has a default."""

from __future__ import annotations

import re
import socket
import tomllib
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ..errors import BadConfig

FILE = "cluster.toml"
_PORTS = re.compile(r"(\d{1,5})-(\d{1,5})")
_ADDRESS = re.compile(r"[A-Za-z0-9_.:-]{1,253}")
_NAME = re.compile(r"[A-Za-z0-9./:_@-]{0,255}")


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """``head``: this cluster's first machine, by the address that the others use; "" is found out. Ports are the
    head's, but for ``node_port``, ``object_port`` and ``worker_ports``, which each machine has."""

    head: str = ""
    cluster_port: int = 7861  # where replicas join the front
    ray_port: int = 6379  # where machines join Ray
    node_port: int = 6380
    object_port: int = 6381
    worker_ports: str = "20000-20999"
    min_replicas: int = 1
    max_replicas: int = 1
    gpus: float = 1.0  # of each replica; 0: it speaks on the CPU
    cpus: float = 1.0
    segments_per_replica: int = 0  # in queue and running, at which one more is wanted; 0: max_batch_size
    upscale_seconds: float = 10.0  # for which that must last
    downscale_seconds: float = 300.0  # without need, after which one goes
    image: str = ""  # Kubernetes
    namespace: str = "default"
    storage_gb: int = 30
    storage_class: str = ""

    @property
    def worker_range(self) -> tuple[int, int]:
        """First and last port of Ray's workers."""
        low, _, high = self.worker_ports.partition("-")
        return int(low), int(high)

    @property
    def address(self) -> str:
        """The head's; without one in the file, that of this machine on its network."""
        return self.head or outward_address()

    @property
    def front(self) -> str:
        """Where replicas find the front."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{host}:{self.cluster_port}"

    def to_json(self) -> dict[str, Any]:
        """For the launcher."""
        return {**asdict(self), "address": self.address, "front": self.front}


def outward_address() -> str:
    """The address of this machine's way out; nothing is sent (connect of a datagram socket only picks a route)."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))  # RFC 5737: nobody's
            return str(probe.getsockname()[0])
    except OSError:
        return "127.0.0.1"


def load(home: Path) -> ClusterSettings:
    """From ``home``. Raises BadConfig: names the setting and what is wrong."""
    path = home / FILE
    try:
        given = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return ClusterSettings()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadConfig("bad_config", name=str(path), reason=f"cannot be read: {error}") from error
    return checked(given, path)


def checked(given: dict[str, Any], path: Path) -> ClusterSettings:
    """The settings of a file. Raises BadConfig."""
    known = {item.name: type(item.default) for item in fields(ClusterSettings)}
    for name, value in given.items():
        if name not in known:
            raise _bad(name, path, f"is not a setting of a cluster: {', '.join(known)}")
        fits = isinstance(value, known[name]) or (known[name] is float and isinstance(value, int))
        if not fits or isinstance(value, bool):
            raise _bad(name, path, f"{value!r} is not a {known[name].__name__}")
    made = ClusterSettings(**given)
    for name, reason in _faults(made):
        raise _bad(name, path, reason)
    return made


def _faults(made: ClusterSettings) -> list[tuple[str, str]]:
    found = []
    ports = [made.cluster_port, made.ray_port, made.node_port, made.object_port]
    for name in ("cluster_port", "ray_port", "node_port", "object_port"):
        port = getattr(made, name)
        if not 0 < port < 65536 or ports.count(port) > 1:
            found.append((name, f"{port} is not a port of its own, 1 to 65535"))
    match = _PORTS.fullmatch(made.worker_ports)
    if not match or not 0 < int(match[1]) < int(match[2]) < 65536:
        found.append(("worker_ports", f"'{made.worker_ports}' is not like 20000-20999"))
    elif any(int(match[1]) <= port <= int(match[2]) for port in ports):
        found.append(("worker_ports", "has another port in it"))
    if not 1 <= made.min_replicas <= made.max_replicas:
        found.append(("max_replicas", "needs 1 <= min_replicas <= max_replicas"))
    for name in (
        "gpus",
        "cpus",
        "segments_per_replica",
        "upscale_seconds",
        "downscale_seconds",
        "storage_gb",
    ):
        if getattr(made, name) < 0:
            found.append((name, "is below 0"))
    if made.head and not _ADDRESS.fullmatch(made.head):
        found.append(("head", f"'{made.head}' is not an address"))
    names = ("image", "namespace", "storage_class")
    found += [(name, "has other characters") for name in names if not _NAME.fullmatch(getattr(made, name))]
    return found


def _bad(name: str, path: Path, reason: str) -> BadConfig:
    return BadConfig("bad_config", name=f"{name} in {path}", reason=reason)
