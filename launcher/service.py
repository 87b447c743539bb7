"""``tts-launch service``: systemd units for one instance, written, shown and removed."""

from __future__ import annotations

import math
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import units
from .children import run_all
from .errors import Failed, NotPermitted
from .lock import read_text
from .options import Settings
from .policy import Policy
from .state import write_atomic

PREFIX = "index-tts-ui"
MARK = "# Written by tts-launch service install for "  # and the home folder; only such files are overwritten
BACKUPS = "backups/cache_hub"  # in the home folder
ABSENT, SAME, OTHER, FOREIGN = "absent", "same", "other", "foreign"
_ANSWERS = ("running", "degraded", "starting", "initializing", "maintenance", "stopping")  # is-system-running
_SECONDS = 5.0  # for one question to systemctl
_LIMIT = 1 << 16  # bytes of a unit that are worth reading


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit file."""

    path: Path
    text: str

    @property
    def state(self) -> str:
        """BACKUPS = "backups/cache_hub"  # in the home folder
        ABSENT, SAME, OTHER (ours, with other content) or FOREIGN (not written by us for this home)."""
        if not os.path.lexists(self.path):
            return ABSENT
        there = read_text(self.path, _LIMIT)
        if there == self.text:
            return SAME
        return OTHER if there.partition("\n")[0] == self.text.partition("\n")[0] else FOREIGN


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose systemd: the machine's or this user's. ``root`` is put before the folder, as for an image."""

    system: bool
    root: str = ""

    @property
    def folder(self) -> Path:
        """Where units are."""
        if self.system:
            return Path(self.root + "/etc/systemd/system")
        config = os.environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser()
        return Path(f"{self.root}{config}/systemd/user")

    def systemctl(self, *words: str) -> list[str]:
        """A command line."""
        return ["systemctl", *([] if self.system else ["--user"]), *words]

    def answers(self) -> bool:
        """Whether systemctl is there and its manager answers."""
        if self.root or not shutil.which("systemctl"):
            return False
        (ended,) = run_all([self.systemctl("is-system-running")], _SECONDS)
        return ended.text.strip() in _ANSWERS

    def reload(self) -> bool:
        """daemon-reload where a manager answers; whether it was done."""
        return self.answers() and run_all([self.systemctl("daemon-reload")], 4 * _SECONDS)[0].code == 0

    def is_active(self, unit: str) -> bool:
        """Whether it runs now."""
        if not self.answers():
            return False
        (ended,) = run_all([self.systemctl("is-active", unit)], _SECONDS)
        return ended.text.strip() in ("active", "activating", "reloading", "deactivating")


def default_scope() -> bool:
    """True (system) for root."""
    return os.geteuid() == 0


def plan(settings: Settings, scope: Scope, backup_to: str = "") -> list[Unit]:
    """The units of this instance: service, backup service and its timer.

    ``backup_to``: where the models are copied to; default: backups/cache_hub in the home folder.

    Raises:
        Failed: a path that cannot be written in a unit.
    """
    instance = settings.instance
    name = PREFIX if instance.name == "default" else f"{PREFIX}-{instance.name}"
    python = [sys.executable, "-P", "-m", "launcher"]
    target = str(Path(backup_to).expanduser().resolve()) if backup_to else str(instance.home / BACKUPS)
    place = ["--home", str(instance.home), "--name", instance.name]
    facts = units.Facts(
        name=instance.name,
        home=str(instance.home),
        run=[*python, "run", *settings.typed()],
        reload=[*python, "restart", "--graceful", *place],
        backup=[*python, "models", "backup", target, *place],
        backup_to=target,
        writable=_writable(settings),
        user=units.owner(instance.home) if scope.system else "",
        system=scope.system,
        stop_seconds=_stop_seconds(settings),
        low_port=settings.port < 1024,
        modprobe=shutil.which("nvidia-modprobe", path="/usr/bin:/usr/sbin:/bin:/sbin") or "",
    )
    for text in [*facts.run, *facts.backup, *facts.writable]:
        if problem := units.unwritable(text):
            raise Failed("unit_path", path=text, character=problem)
    head = f"{MARK}{facts.home}\n"
    texts = {
        f"{name}.service": units.service(facts),
        f"{name}-backup.service": units.backup_service(facts),
        f"{name}-backup.timer": units.backup_timer(facts),
    }
    return [Unit(scope.folder / file, head + text) for file, text in texts.items()]


def _writable(settings: Settings) -> list[str]:
    """The home folder, and where links in it lead outside."""
    home = settings.instance.home
    folders = (home / name for name in ("cache_hub", "outputs", "logs", "run"))
    outside = {folder.resolve() for folder in folders if not folder.resolve().is_relative_to(home)}
    return [str(home), *sorted(str(folder) for folder in outside)]


def _stop_seconds(settings: Settings) -> int:
    """A stop with all its bounds, and some more: systemd kills only what the supervisor could not."""
    policy = Policy.load(os.environ)
    return math.ceil(settings.drain_timeout + policy.term + policy.kill + policy.orphans + 10) + 15


def install(found: Sequence[Unit], force: bool) -> list[Path]:
    """Write what is not there yet; returns the files that changed. All or none are refused.

    Raises:
        Failed: a file is there that this command did not write for this home.
        NotPermitted: the folder cannot be written.
    """
    for unit in found:
        if unit.state == FOREIGN and not force:
            raise Failed("unit_foreign", path=unit.path)
    changed = [unit for unit in found if unit.state != SAME]
    for unit in changed:
        try:
            unit.path.parent.mkdir(parents=True, exist_ok=True)
            if force and unit.path.is_symlink():
                unit.path.unlink()
            write_atomic(unit.path, unit.text.encode(), 0o644)
        except OSError as error:
            raise NotPermitted("cannot_write", path=unit.path, reason=error.strerror) from error
    return [unit.path for unit in changed]


def uninstall(found: Sequence[Unit], scope: Scope, force: bool) -> list[Path]:
    """Remove our units and the links that enable them; returns what was removed.

    Raises:
        Failed: one runs now, or was not written by this command for this home.
        NotPermitted: the folder cannot be written.
    """
    there = [unit for unit in found if unit.state != ABSENT]
    for unit in there:
        if unit.state == FOREIGN and not force:
            raise Failed("unit_foreign", path=unit.path)
    for unit in there:
        if not unit.path.name.endswith("-backup.service") and scope.is_active(unit.path.name):
            raise Failed("unit_active", unit=unit.path.name, command=stop_command(scope, unit.path.name))
    removed = [*(link for unit in there for link in _links(unit)), *(unit.path for unit in there)]
    for path in removed:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise NotPermitted("cannot_write", path=path, reason=error.strerror) from error
    return removed


def _links(unit: Unit) -> list[Path]:
    """Links in *.wants beside it, as ``systemctl enable`` makes them."""
    return [path for path in unit.path.parent.glob(f"*.wants/{unit.path.name}") if path.is_symlink()]


def stop_command(scope: Scope, unit: str) -> str:
    """What to type before an uninstall."""
    return " ".join([*_sudo(scope), *scope.systemctl("disable", "--now", unit)])


def enable_command(scope: Scope, found: Sequence[Unit]) -> str:
    """What to type after an install."""
    names = [unit.path.name for unit in found if not unit.path.name.endswith("-backup.service")]
    return " ".join([*_sudo(scope), *scope.systemctl("enable", "--now", *names)])


def reload_command(scope: Scope) -> str:
    """What to type where no manager answered."""
    return " ".join([*_sudo(scope), *scope.systemctl("daemon-reload")])


def _sudo(scope: Scope) -> list[str]:
    return ["sudo"] if scope.system and os.geteuid() != 0 else []
