"""What a dead supervisor left is ended; what only looks like ours is listed; nobody else is touched.

Other people work on the same machine: nothing here ends by ``--all`` or ``--unmarked`` what a test did not start.
"""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from launcher import cli_tools, leftovers
from launcher.errors import Failed
from launcher.identity import MARKER, Identity, marker, me
from launcher.instance import Instance

from . import driver as stub
from .conftest import QUICK, Launch, finish, wait_for

driver, built_driver = stub.driver, stub.built_driver  # fixtures
SLEEP = "import time; time.sleep(300)"
Spawn = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    """Starts processes that are gone after the test."""
    children: list[subprocess.Popen[bytes]] = []

    def start(*argv: str | Path, **more: object) -> subprocess.Popen[bytes]:
        children.append(subprocess.Popen([str(part) for part in argv], **more))  # type: ignore[call-overload]
        return children[-1]

    yield start
    for child in children:
        child.kill()
        child.wait()


def _alive(*pids: int) -> list[int]:
    return [pid for pid in pids if Identity.of(pid)]


def _dead() -> Identity:
    """A supervisor that has ended."""
    identity = me()
    return Identity(identity.host, identity.boot, identity.pid, identity.ticks - 1)


def _orphaned(launch: Launch) -> list[int]:
    """Start, kill supervisor and server, return the pids of their family, one in a session of its own."""
    launch.behaviour = "family"
    server = launch.start()["pid"]
    family = wait_for("its family", lambda: len(pids := launch.processes() - {server}) == 2 and sorted(pids))
    os.kill(launch.status()["supervisor_pid"], signal.SIGKILL)
    wait_for("the server follows its supervisor", lambda: not _alive(server))
    return family


@pytest.mark.fault(21, 61)
def test_what_a_dead_supervisor_left_is_listed_then_ended(launch: Launch) -> None:
    left = _orphaned(launch)
    assert launch.json("kill-leftovers", "--dry-run")["ended"] == left and _alive(*left) == left
    assert "kill-leftovers" in launch("doctor", "--timeout", "20") and _alive(*left) == left
    assert launch.json("kill-leftovers")["ended"] == left and not _alive(*left)
    assert "Nothing was left" in launch("kill-leftovers")


def test_a_healthy_instance_is_not_touched(launch: Launch) -> None:
    launch.behaviour = "family"
    pid = launch.start("--drain-timeout", "0.2")["pid"]
    members = wait_for("its family", lambda: len(pids := launch.processes()) == 3 and sorted(pids))
    assert launch.json("kill-leftovers")["ended"] == []
    assert _alive(pid, *members) == [pid, *members]


def test_without_a_run_folder_none_is_made(launch: Launch) -> None:
    assert launch.json("kill-leftovers")["ended"] == [] and not list(launch.home.iterdir())


def test_all_ends_leftovers_of_every_instance_and_keeps_the_healthy(
    launch: Launch, tmp_path: Path, spawn: Spawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this process, so that ``keys`` can be confined to the test's own instances."""
    gone, healthy = Instance(tmp_path / "deleted"), Instance(tmp_path / "healthy")
    orphan = spawn(sys.executable, "-c", SLEEP, env={MARKER: marker(gone.key, _dead())})
    kept = spawn(sys.executable, "-c", SLEEP, env={MARKER: marker(healthy.key, me())})
    wait_for("both are seen", lambda: {gone.key, healthy.key} <= leftovers.keys())
    left = _orphaned(launch)
    everything = {item.pid for item in leftovers.everywhere(launch.instance)}
    assert {*left, orphan.pid} <= everything and kept.pid not in everything
    monkeypatch.setattr(leftovers, "keys", lambda: {gone.key, healthy.key})
    monkeypatch.setenv("TTS_LAUNCH_POLICY", f'{{"leftovers": {QUICK["leftovers"]}}}')
    found, survivors = leftovers.end(launch.instance, all_instances=True)
    assert {item.pid for item in found} == {*left, orphan.pid} and not survivors
    assert not _alive(orphan.pid, *left) and _alive(kept.pid)


def test_home_and_name_of_an_instance_are_read_from_its_processes(launch: Launch) -> None:
    launch.start("--name", "two")
    instance = Instance(launch.instance.home, "two")
    assert leftovers.place_of(instance.key) == instance
    assert leftovers.place_of("0" * 16) is None
    launch("stop", "--name", "two")


@pytest.mark.fault(59)
def test_the_command_spares_itself_and_the_shells_above_it(launch: Launch, spawn: Spawn) -> None:
    """All of them carry the marker of a dead supervisor, as in a shell that a leftover has opened."""
    mark = {MARKER: marker(launch.instance.key, _dead())}
    other = spawn(sys.executable, "-c", SLEEP, env=mark)
    wait_for("it carries the marker", lambda: other.pid in launch.processes())
    launch.environ = mark
    launch.prefix = ["bash", "-c", '"$@"; code=$?; echo "the shell lives"; exit $code', "_"]
    out = launch("kill-leftovers")
    assert f"ended pid {other.pid}" in out and "the shell lives" in out
    assert other.wait(timeout=10) < 0


@pytest.mark.fault(59)
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start a process of another user")
def test_processes_of_another_user_are_never_touched(launch: Launch, spawn: Spawn) -> None:
    """One with our marker, and one that looks like IndexTTS's page (a shell under Python's name)."""
    mark = {MARKER: marker(launch.instance.key, _dead())}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        (Path(folder) / "indextts").mkdir()
        page = Path(folder) / "webui.py"
        page.write_text("while sleep 0.5; do :; done\n")  # leaves nothing when the shell is killed
        theirs = spawn("/bin/sleep", "300", env=mark, user=65534)
        looks = spawn("python3", page, executable="/bin/sh", user=65534)
        ours = spawn("python3", page, executable="/bin/sh")
        told = wait_for(
            "the one of this user is listed",
            lambda: ours.pid in _foreign_pids(told := launch.json("kill-leftovers")) and told,
        )
    assert theirs.pid not in told["ended"] and looks.pid not in _foreign_pids(told)
    assert theirs.pid not in {item.pid for item in leftovers.of_key(launch.instance.key)}
    assert _alive(theirs.pid, looks.pid, ours.pid) == [theirs.pid, looks.pid, ours.pid]


def _foreign_pids(told: dict[str, Any]) -> list[int]:
    return [item["pid"] for item in told["foreign"]]


# ---- foreign


def _page(folder: Path, known: bool) -> Path:
    """A webui.py that runs; ``known``: beside IndexTTS's package."""
    (folder / "indextts").mkdir(parents=True) if known else folder.mkdir(parents=True)
    (folder / "webui.py").write_text(SLEEP)
    return folder / "webui.py"


@pytest.mark.fault(58)
def test_a_page_without_marker_is_listed_and_ended_only_on_request(
    launch: Launch, tmp_path: Path, spawn: Spawn
) -> None:
    page = _page(tmp_path / "some where", known=True)
    child = spawn(sys.executable, "-u", "webui.py", cwd=page.parent)
    wait_for("it runs", lambda: child.pid in {item.pid for item in leftovers.foreign()})
    (listed,) = [i for i in launch.json("kill-leftovers")["foreign"] if i["pid"] == child.pid]
    assert listed["sure"] and listed["folder"] == str(page.parent) and "webui.py" in listed["command"]
    assert "not touched" in launch("kill-leftovers") and _alive(child.pid)
    assert "--yes" in launch("kill-leftovers", "--unmarked", "--pid", str(child.pid), code=2), (
        "nobody can answer"
    )
    launch("kill-leftovers", "--pid", str(child.pid), code=2)
    assert launch.json("kill-leftovers", "--unmarked", "--pid", str(child.pid), "--dry-run")["ended"] == [
        child.pid
    ]
    assert _alive(child.pid)
    assert launch.json("kill-leftovers", "--unmarked", "--pid", str(child.pid), "--yes")["ended"] == [
        child.pid
    ]
    assert child.wait(timeout=10) == -signal.SIGTERM


@pytest.mark.fault(58)
@pytest.mark.parametrize(("answer", "code"), [(b"n\n", 130), (b"y\n", 0)])
def test_a_person_is_asked_first(
    launch: Launch, tmp_path: Path, spawn: Spawn, answer: bytes, code: int
) -> None:
    child = spawn(sys.executable, _page(tmp_path / "some where", known=False))
    wait_for("it runs", lambda: child.pid in {item.pid for item in leftovers.foreign()})
    ours, theirs = pty.openpty()
    try:
        asked = launch.spawn("kill-leftovers", "--unmarked", "--pid", str(child.pid), stdin=theirs)
        os.write(ours, answer)
        assert f"pid {child.pid}" in finish(asked, code)
    finally:
        os.close(ours)
        os.close(theirs)
    assert bool(_alive(child.pid)) == (code != 0)


@pytest.mark.fault(58)
def test_only_sure_ones_are_chosen_without_their_pid(tmp_path: Path, spawn: Spawn) -> None:
    """Judged, not ended: the list is that of the whole machine."""
    sure = spawn(sys.executable, _page(tmp_path / "a", known=True))
    maybe = spawn(sys.executable, _page(tmp_path / "b", known=False))
    found = wait_for(
        "both are seen",
        lambda: {sure.pid, maybe.pid} <= {item.pid for item in leftovers.foreign()} and leftovers.foreign(),
    )
    chosen = {item.pid for item in cli_tools._chosen(found, ())}
    assert sure.pid in chosen and maybe.pid not in chosen
    assert [item.pid for item in cli_tools._chosen(found, (maybe.pid,))] == [maybe.pid]
    with pytest.raises(Failed):
        cli_tools._chosen(found, (os.getpid(),))


def test_an_unrelated_process_cannot_be_named(launch: Launch, spawn: Spawn) -> None:
    child = spawn(sys.executable, "-c", SLEEP)
    launch("kill-leftovers", "--unmarked", "--yes", "--pid", str(child.pid), code=1)
    assert _alive(child.pid)


@pytest.mark.parametrize(("argv", "guess"), [
    (["/usr/bin/python3", "-m", "index_tts_ui", "--port", "1"], "sure"),
    (["python3.12", "-P", "-X", "dev", "-m", "index_tts_ui.worker"], "sure"),
    (["python", "-mindextts.cli"], "sure"),
    (["python", "-u", "/opt/index-tts/indextts/infer.py"], "sure"),
    (["/opt/venv/bin/python", "/opt/venv/bin/indextts", "say"], "sure"),
    (["python", "webui.py"], "maybe"),
    (["python", "-W", "ignore", "/x/webui.py", "--port", "7860"], "maybe"),
    (["python", "-m", "index_tts_ui.admin", "probe"], ""),
    (["python", "-m", "pytest", "webui.py"], ""),
    (["python", "-c", "print('index_tts_ui')", "webui.py"], ""),
    (["python", "server.py", "webui.py"], ""),
    (["vim", "webui.py"], ""),
    (["grep", "-r", "indextts", "."], ""),
    (["bash", "-c", "python -m index_tts_ui"], ""),
    (["python"], ""), (["python", "-"], ""), ([], ""),
])  # fmt: skip
def test_only_programs_that_python_runs_look_like_ours(argv: list[str], guess: str) -> None:
    assert leftovers.looks_like(argv, "/nowhere") == guess


def test_secrets_of_a_command_line_are_hidden() -> None:
    argv = ["x", "--api-key", "one", "--token=two", "--port", "7860", "--admin-password", "three"]
    assert leftovers.shown(argv) == "x --api-key *** --token=*** --port 7860 --admin-password ***"


# ---- GPU memory after an exit


@pytest.mark.fault(57)
def test_kill_leftovers_tells_what_the_driver_has_not_given_back(
    launch: Launch, driver: stub.StubDriver
) -> None:
    left = _orphaned(launch)
    launch.environ = driver.environ
    driver.says(f"process {left[0]} 4200000000", "process 1 5")
    out = launch("kill-leftovers")
    assert f"4200 MB are still held for pid {left[0]}" in out and not _alive(*left)
