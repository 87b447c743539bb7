"""An image built and run without a container engine: buildah builds it, unshare(1) and chroot(1) run it.

Where there is no registry of images, a stand-in for its base is made of Debian's packages by mmdebstrap; every step of
the Dockerfile is carried out. What runs is the process 1 of its own PID namespace, as the image's user, without any
capability, on a root that cannot be written; the network is the machine's.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from ..api.server import until
from .tools import DEPLOY, ROOT, passes, program

BASE = ROOT / "tests" / ".cache" / "deploy-base.tar"
PACKAGES = "python3,python3-venv,ca-certificates,passwd"
HOSTS = ("/etc/pip.conf", "/etc/ssl/certs/ca-certificates.crt")  # how this machine reaches its package index
BUILD_SECONDS = 600


class Builder:
    """buildah with a storage of its own."""

    def __init__(self, folder: Path) -> None:
        self._command = [
            program("buildah"),
            "--root",
            str(folder / "store"),
            "--runroot",
            str(folder / "run"),
        ]
        self._command += ["--storage-driver", "overlay"]

    def __call__(self, *words: str | Path) -> str:
        """What it prints, without the line's end."""
        return passes([*self._command, *words], BUILD_SECONDS).strip()

    def build(self) -> str:
        """The name of an image made by deploy/docker/Dockerfile."""
        if not BASE.exists():
            _make_base()
        base = self("from", "scratch")
        self("add", "--quiet", base, BASE, "/")
        self("commit", "--quiet", "--rm", base, "localhost/base")
        cache = passes(["pip", "cache", "dir"]).strip().splitlines()[-1]
        mounts = [f"{path}:{path}:ro" for path in HOSTS if Path(path).exists()]
        mounts += [f"{cache}:/root/.cache/pip"] if Path(cache).is_dir() else []
        options = [word for mount in mounts for word in ("--volume", mount)]
        options += ["--isolation", "chroot", "--format", "docker", "--build-arg", "BASE=localhost/base"]
        self("bud", *options, "--tag", "tts", "--file", DEPLOY / "docker" / "Dockerfile", ROOT)
        return "tts"

    def unpacked(self, image: str) -> tuple[Path, dict[str, Any]]:
        """Its files, and its configuration."""
        container = self("from", "--pull-never", image)
        about = json.loads(self("inspect", "--type", "image", image))
        return Path(self("mount", container)), about["Docker"]["config"]

    def clear(self) -> None:
        """Unmount and delete all."""
        self("rm", "--all")
        self("rmi", "--all", "--force")


def _make_base() -> None:
    BASE.parent.mkdir(parents=True, exist_ok=True)
    half = BASE.with_name(f"half-{os.getpid()}.tar")
    passes(
        [program("mmdebstrap"), "--quiet", "--variant=apt", f"--include={PACKAGES}", "bookworm", half], 600
    )
    half.rename(BASE)


@dataclass
class Container:
    """One run of an image."""

    root: Path
    config: dict[str, Any]
    data: Path
    environ: Mapping[str, str] = field(default_factory=dict)

    @property
    def _user(self) -> list[str]:
        user, group = self.config["User"].split(":")
        rights = ["--clear-groups", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]
        given = [f"{name}={value}" for name, value in self.environ.items()]
        return [
            "setpriv",
            f"--reuid={user}",
            f"--regid={group}",
            *rights,
            "env",
            "-i",
            *self.config["Env"],
            *given,
        ]

    def command(self, *words: str) -> list[str]:
        """The image's entry point with its own command, or with ``words``."""
        inside = [*self._user, *self.config["Entrypoint"], *(words or self.config["Cmd"])]
        root = shlex.quote(str(self.root))
        steps = [
            f"mount --bind {root} {root}",
            f"mount -o remount,ro,bind {root}",
            f"mount -t tmpfs tmpfs {root}/tmp",
            f"mount -t proc proc {root}/proc",
            f"mount --rbind /dev {root}/dev",
            f"mount --bind {shlex.quote(str(self.data))} {root}/data",
            f"exec chroot {root} sh -c 'cd /data; exec \"$@\"' - {shlex.join(inside)}",
        ]
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-ec", "\n".join(steps)]

    @contextlib.contextmanager
    def running(self, log: Path) -> Iterator[psutil.Process]:
        """Process 1, as the machine sees it."""
        with log.open("ab") as out:
            outside = subprocess.Popen(self.command(), stdout=out, stderr=subprocess.STDOUT)
        try:
            until(lambda: psutil.Process(outside.pid).children(), "it has a first process")
            yield psutil.Process(outside.pid).children()[0]
        finally:
            outside.kill()  # --kill-child: and all within
            outside.wait(30)

    def inside(self, first: psutil.Process, *words: str) -> subprocess.CompletedProcess[str]:
        """A command beside the others, as ``docker exec`` runs it."""
        enter = ["nsenter", "--target", str(first.pid), "--mount", "--pid", "--root", "--wd"]
        return subprocess.run([*enter, *self._user, *words], capture_output=True, text=True, timeout=60)
