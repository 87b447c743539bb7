"""The image: linted, built step by step from a clean base, and run as an engine would run it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from ..api.server import free_port, until
from .container import Builder, Container
from .tools import DEPLOY, ROOT, own, passes, program, with_defaults

pytestmark = pytest.mark.slow
START_SECONDS = 120


def test_hadolint_finds_no_fault() -> None:
    passes([own("hadolint"), "--failure-threshold", "style", DEPLOY / "docker" / "Dockerfile"])


def test_shellcheck_finds_no_fault() -> None:
    passes([program("shellcheck"), DEPLOY / "docker" / "entrypoint.sh"])


@pytest.mark.parametrize("name", ["compose.yaml", "compose.cuda.yaml"])
def test_compose_files_are_what_the_specification_says(name: str, tmp_path: Path) -> None:
    text = with_defaults((DEPLOY / "docker" / name).read_text("utf-8"))
    (tmp_path / name).write_text(text, "utf-8")
    read = "import sys; from compose_spec import PyCompose; PyCompose.from_yaml(open(sys.argv[1]).read()).validate()"
    passes([own("python"), "-c", read, tmp_path / name])


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    """Built, and ready to run on an empty volume that is the image's user's."""
    if os.geteuid() != 0:
        pytest.skip("needs root: for chroot and mounts")
    mounts = ["unshare", "--mount", "--pid", "--fork", "mount", "-t", "tmpfs", "none", "/mnt"]
    if (tried := subprocess.run(mounts, capture_output=True, text=True, timeout=60)).returncode:
        pytest.skip(f"this machine lets not even root mount anything: {tried.stderr.strip()}")
    folder = tmp_path_factory.mktemp("image")
    builder = Builder(folder)
    root, config = builder.unpacked(builder.build())
    data = folder / "data"
    shutil.copytree(root / "data", data)
    for path in (data, data / "cache_hub"):
        os.chown(path, *map(int, config["User"].split(":")))
    yield Container(root, config, data)
    builder.clear()


def test_it_says_how_it_is_to_be_run(image: Container) -> None:
    assert image.config["User"] == "10001:10001"
    assert image.config["Healthcheck"]["Test"] == ["CMD", "tts-launch", "status", "--ready"]
    assert list(image.config["Volumes"]) == ["/data"] and list(image.config["ExposedPorts"]) == ["7860/tcp"]
    for name in ("tests", "docs", ".git", "cache_hub", "src"):  # what is no part of the service
        assert (
            not list((image.root / "opt" / "tts").rglob(f"site-packages/{name}"))
            and not (image.root / name).exists()
        )
    assert not list((image.root / "usr" / "bin").glob("*gcc*"))


def test_it_speaks_with_the_embedded_voice_and_ends_in_order(
    image: Container, kokoro_dir: Path, tmp_path: Path
) -> None:
    shutil.copytree(kokoro_dir, image.data / "cache_hub" / "kokoro", copy_function=shutil.copyfile)
    user = int(image.config["User"].split(":")[0])
    for path in (image.data / "cache_hub").rglob("*"):
        os.chown(path, user, user)
    port = free_port()
    image.environ = {"TTS_HOST": "127.0.0.1", "TTS_PORT": str(port)}
    with image.running(tmp_path / "log") as first:
        _wait_for(f"http://127.0.0.1:{port}", tmp_path / "log")
        healthy = image.inside(first, *image.config["Healthcheck"]["Test"][1:])
        assert healthy.returncode == 0, healthy.stdout + healthy.stderr
        body = {
            "model": "kokoro",
            "voice": "zf_xiaobei",
            "input": "你好，世界。Hello.",
            "response_format": "mp3",
        }
        sound = httpx.post(f"http://127.0.0.1:{port}/v1/audio/speech", json=body, timeout=60)
        assert sound.status_code == 200 and len(sound.content) > 5000
        assert httpx.get(f"http://127.0.0.1:{port}/", timeout=60).status_code == 200
        family = [first, *first.children(recursive=True)]
        assert len(family) >= 3 and {process.uids().real for process in family} == {user}
        first.send_signal(signal.SIGTERM)
        _, alive = psutil.wait_procs([first], 60)
        assert not alive
    owners = {path.lstat().st_uid for path in image.data.rglob("*")}
    assert owners == {user}


def test_after_a_crash_it_starts_again_on_the_same_volume(image: Container, tmp_path: Path) -> None:
    """Process numbers are the same in both lives: what the first left behind must not pass for the second."""
    port = free_port()
    image.environ = {"TTS_HOST": "127.0.0.1", "TTS_PORT": str(port), "TTS_ENGINE": "tone", "FETCH_MODELS": ""}
    for _ in range(2):
        with image.running(tmp_path / "log") as first:
            _wait_for(f"http://127.0.0.1:{port}", tmp_path / "log")
            first.kill()
            psutil.wait_procs([first], 30)


def _wait_for(url: str, log: Path) -> None:
    def ready() -> bool:
        try:
            return httpx.get(f"{url}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    try:
        until(ready, "the container is ready", START_SECONDS)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{log.read_text('utf-8', 'replace')}") from None
    assert ROOT.as_posix() not in log.read_text("utf-8", "replace"), "it ran something of the checkout"
