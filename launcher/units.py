"""The text of systemd units, and how paths are written in them.

Three kinds of values: a command line (quoted, with escapes, ``%%`` and ``$$``), a list of words (the same without
``$$``) and a single path (the rest of the line as it is, ``%%``).
"""

from __future__ import annotations

import pwd
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 300  # while the model loads the supervisor asks for more (EXTEND_TIMEOUT_USEC)
WATCHDOG_SECONDS = 60  # the supervisor's loop turns every second
# Ends that no restart can mend: wrong arguments, not permitted, not installed, no model, wrong configuration.
_FINAL_CODES = "2 4 5 6 78"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the texts are made of. ``user``: "" for root's own or a user's manager."""

    name: str
    home: str
    run: Sequence[str]
    reload: Sequence[str]
    backup: Sequence[str]
    backup_to: str
    writable: Sequence[str]
    user: str
    system: bool
    stop_seconds: int
    low_port: bool
    modprobe: str


def owner(home: Path) -> str:
    """The account that owns ``home``; "" for root."""
    try:
        uid = home.stat().st_uid
        return pwd.getpwuid(uid).pw_name if uid else ""
    except KeyError:  # no name: systemd takes the number
        return str(uid)
    except OSError:
        return ""


def unwritable(text: str) -> str:
    """What in ``text`` no unit file can hold, as Python shows it; "" where all is well."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return ascii(text[error.start])
    bad = next((char for char in text if ord(char) < 32 or ord(char) == 127), "")
    return ascii(bad) if bad else ascii(text[-1]) if text.startswith("/") and text[-1] in "\\ " else ""


def command(argv: Sequence[str]) -> str:
    """A command line. The program's own path may hold neither ``$`` nor quotes: then env(1) runs it."""
    if set(argv[0]) & set("$\"'\\"):
        argv = ["/usr/bin/env", *argv]
    return " ".join(word(item.replace("$", "$$")) for item in argv)


def word(text: str) -> str:
    """One word of a list: a path, a NAME=value, a part of a command line."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return escaped if text and not set(text) & set(" \"'\\;#") else f'"{escaped}"'


def single_path(path: str) -> str:
    """A path that is the whole value."""
    return path.replace("%", "%%")


def title(facts: Facts) -> str:
    """One line of description."""
    return f"{facts.name} in {facts.home}".replace("%", "%%")


def service(facts: Facts) -> str:
    """The service. What it sets and why is said in the unit itself, for whoever reads it with systemctl cat."""
    network = "After=network-online.target\nWants=network-online.target\n" if facts.system else ""
    return f"""[Unit]
Description=Speech service {title(facts)}
{network}# Five failures within ten minutes, and systemd waits for a person.
StartLimitIntervalSec=600
StartLimitBurst=5

[Service]
Type=notify
NotifyAccess=main
ExecStart={command(facts.run)}
ExecReload={command(facts.reload)}
{_common(facts)}# For secrets and proxies, a NAME=value on each line.
EnvironmentFile=-{single_path(facts.home)}/tts.env
# The supervisor restarts its server itself; this is for the supervisor.
Restart=on-failure
RestartSec=10
RestartPreventExitStatus={_FINAL_CODES}
# A worker that the kernel ends for want of memory is replaced; the rest goes on.
OOMPolicy=continue
TimeoutStartSec={START_SECONDS}
# Longer than a stop with all its bounds (drain, cancel, SIGTERM, SIGKILL).
TimeoutStopSec={facts.stop_seconds}
KillMode=mixed
WatchdogSec={WATCHDOG_SECONDS}
LimitNOFILE=65536
# A hung server is asked for its stacks with SIGABRT; an image of its memory is of no use.
LimitCORE=0
{_hardening(facts) if facts.system else _for_user()}
[Install]
WantedBy={"multi-user" if facts.system else "default"}.target
"""


def _common(facts: Facts) -> str:
    user = f"User={facts.user}\n" if facts.user else ""
    return f"{user}WorkingDirectory={single_path(facts.home)}\nUMask=0027\n"


def _hardening(facts: Facts) -> str:
    cache = f"{facts.home}/.cache"
    caches = {
        "XDG_CACHE_HOME": cache,
        "CUDA_CACHE_PATH": f"{cache}/cuda",
        "TRITON_CACHE_DIR": f"{cache}/triton",
    }
    nodes = f"# Makes the GPU's device files, which the confined service may not.\nExecStartPre=-+{facts.modprobe} -u -c 0\n"
    return f"""
# Confinement that CUDA can live with. Not here, since each of them hides /dev/nvidia* or forbids the
# driver's code generation: PrivateDevices, DevicePolicy, ProtectClock (it implies a device list),
# MemoryDenyWriteExecute. Nor RemoveIPC: the account may be a person's.
{nodes if facts.modprobe else ""}NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths={" ".join(map(word, facts.writable))}
PrivateTmp=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectProc=invisible
KeyringMode=private
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
{_capabilities(facts)}# Caches that libraries would put into a home folder that is read-only now.
Environment={" ".join(word(f"{name}={place}") for name, place in caches.items())}
"""


def _capabilities(facts: Facts) -> str:
    """None; for a low port the one that it needs. Root keeps its own: files of others may be served."""
    if not facts.user:
        return ""
    low = "CAP_NET_BIND_SERVICE" if facts.low_port else ""
    return f"CapabilityBoundingSet={low}\n" + (f"AmbientCapabilities={low}\n" if low else "")


def _for_user() -> str:
    return """
# No confinement here: a user's manager needs user namespaces for it, which many systems forbid and in which
# nvidia-modprobe cannot make device files. A system unit (--system) is confined.
"""


def backup_service(facts: Facts) -> str:
    """One backup of the models."""
    places = " ".join(map(word, [*facts.writable, f"-{facts.backup_to}"]))  # -: it may not be there yet
    confined = f"NoNewPrivileges=yes\nProtectSystem=full\nReadWritePaths={places}\nPrivateTmp=yes\n"
    return f"""[Unit]
Description=Backup of the models of {title(facts)}

[Service]
Type=oneshot
ExecStart={command(facts.backup)}
{_common(facts)}# In the background: synthesis comes first.
Nice=19
IOSchedulingClass=idle
{confined if facts.system else ""}"""


def backup_timer(facts: Facts) -> str:
    """When the backup runs; a machine that was off catches up."""
    return f"""[Unit]
Description=Regular backup of the models of {title(facts)}

[Timer]
OnCalendar=weekly
RandomizedDelaySec=1h
Persistent=yes

[Install]
WantedBy=timers.target
"""
