"""One instance = a home folder and a name: where its files are."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from .errors import NotPermitted


@dataclass(frozen=True, slots=True)
class Instance:
    """Paths of one instance; ``home`` is absolute. The default name uses run/ and logs/ themselves."""

    home: Path
    name: str = "default"

    @property
    def key(self) -> str:
        """Tells this instance from all others on the machine; goes into the marker."""
        return hashlib.sha256(os.fsencode(self.home) + b"\0" + self.name.encode()).hexdigest()[:16]

    @property
    def run(self) -> Path:
        """State, pid file and locks."""
        return self.home / "run" if self.name == "default" else self.home / "run" / self.name

    @property
    def logs(self) -> Path:
        """Log files."""
        return self.home / "logs" if self.name == "default" else self.home / "logs" / self.name

    @property
    def state(self) -> Path:
        """What the supervisor says of itself."""
        return self.run / "state.json"

    @property
    def pidfile(self) -> Path:
        """The server's pid for other tools; never trusted alone."""
        return self.run / "server.pid"

    @property
    def lock(self) -> Path:
        """Held by supervisor, server and workers for life; never unlinked."""
        return self.run / "lock"

    @property
    def command_lock(self) -> Path:
        """Held by start, stop and restart while they change something."""
        return self.run / "command.lock"

    @property
    def server_log(self) -> Path:
        """What the server prints."""
        return self.logs / "server.log"

    @property
    def launcher_log(self) -> Path:
        """What the supervisor did."""
        return self.logs / "launcher.log"

    @property
    def cache_hub(self) -> Path:
        """Models."""
        return self.home / "cache_hub"

    @property
    def has_keys(self) -> bool:
        """Whether the server asks for a key (see ``index_tts_ui.auth.keys``)."""
        return (self.home / "keys.json").exists()

    def prepare(self) -> None:
        """Make run/ (0700) and logs/ and see that they can be written.

        Raises:
            NotPermitted: names the folder.
        """
        for folder, mode in ((self.run, 0o700), (self.logs, 0o755)):
            try:
                if folder.parent != self.home:  # parents=True would make it with the umask's mode
                    folder.parent.mkdir(mode=mode, parents=True, exist_ok=True)
                folder.mkdir(mode=mode, parents=True, exist_ok=True)
                probe = folder / f".write-test.{os.getpid()}"
                probe.touch()
                probe.unlink()
            except OSError as error:
                raise NotPermitted("cannot_write", path=folder, reason=error.strerror) from error
