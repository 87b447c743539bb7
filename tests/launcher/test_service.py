"""systemd units: systemd itself reads them back, paths of any name survive, and nobody's file is overwritten."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from launcher import options, service, units
from launcher.errors import Failed, NotPermitted
from launcher.service import Scope

from .conftest import Launch

MANAGER = next(
    (path for path in ("/usr/lib/systemd/systemd", "/lib/systemd/systemd") if Path(path).exists()), ""
)
ODD = "家 a  b %n %% $HOME ${X} 'q' \"d\" back\\slash;#x"  # each of these means something in a unit
needs_verify = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze here")
needs_manager = pytest.mark.skipif(not MANAGER, reason="no systemd here")


@pytest.fixture
def odd_home(tmp_path: Path) -> Path:
    """A folder whose name systemd must not interpret."""
    home = tmp_path / ODD
    home.mkdir()
    return home


def _plan(home: Path, system: bool, *forwarded: str, **given: object) -> dict[str, service.Unit]:
    """The units by the end of their names."""
    settings = options.resolve({"home": str(home), **given}, forwarded, {})
    found = service.plan(settings, Scope(system, root=str(home.parent / "root")))
    return {unit.path.name.removeprefix(service.PREFIX): unit for unit in found}


def _write(found: dict[str, service.Unit]) -> list[str]:
    return [str(path) for path in service.install(list(found.values()), force=False)]


@needs_verify
@pytest.mark.fault(84)
@pytest.mark.parametrize("scope", ["system", "user"])
def test_systemd_finds_no_fault_in_the_units(odd_home: Path, scope: str, tmp_path: Path) -> None:
    paths = _write(_plan(odd_home, scope == "system", "--api-key", "a b\\c", port=80))
    assert len(paths) == 3
    run = tmp_path / "runtime"
    run.mkdir(mode=0o700)
    ran = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *paths], capture_output=True, text=True, timeout=60,
        env={**os.environ, "XDG_RUNTIME_DIR": str(run), "SYSTEMD_LOG_LEVEL": "warning"},
    )  # fmt: skip
    ours = [line for line in (ran.stdout + ran.stderr).splitlines() if service.PREFIX in line]
    assert ran.returncode == 0 and not ours, ran.stdout + ran.stderr


def _dump(folder: Path, unit: str) -> str:
    """What systemd has understood of a unit: the manager in test mode, which starts nothing."""
    drop: list[str] = []
    with tempfile.TemporaryDirectory() as run:
        shutil.copytree(folder, f"{run}/units")
        if os.geteuid() == 0:  # it refuses to test as root
            drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
            os.chown(run, 65534, 65534)
        places = {"HOME": run, "XDG_RUNTIME_DIR": run, "SYSTEMD_UNIT_PATH": f"{run}/units:"}
        ran = subprocess.run(
            [*drop, MANAGER, "--test", "--user", f"--unit={unit}"],
            capture_output=True,
            timeout=60,
            cwd="/",
            env={**places, "PATH": os.environ["PATH"]},
        )
    text = (ran.stdout + ran.stderr).decode("utf-8", "replace")
    start = text.find(f"-> Unit {unit}:")
    assert ran.returncode == 0 and start >= 0, text[-3000:]
    return text[start : text.find("-> Unit ", start + 5)]


@needs_manager
@pytest.mark.fault(84, 85)
def test_systemd_reads_back_every_path_as_it_is(odd_home: Path, tmp_path: Path) -> None:
    outside = tmp_path / "other disk"
    outside.mkdir()
    (odd_home / "cache_hub").symlink_to(outside)
    found = _plan(odd_home, True, "--api-key", "a b\\c")
    _write(found)
    dump = _dump(found[".service"].path.parent, f"{service.PREFIX}.service")
    values = re.findall(r"^\s*([\w ]+): (.*)$", dump, re.MULTILINE)
    assert ("WorkingDirectory", str(odd_home)) in values
    assert ("EnvironmentFile", f"-{odd_home}/tts.env") in values
    assert ("ReadWritePaths", f"{odd_home} {outside}") in values, dict(values)["ReadWritePaths"]
    assert ("Environment", f"XDG_CACHE_HOME={odd_home}/.cache") in values
    assert ("Description", f"Speech service default in {odd_home}") in values
    line, again = (value for key, value in values if key == "Command Line")
    assert " launcher restart --graceful --home " in again
    # systemd prints words as a shell would need them; $$ becomes $ only when the unit starts
    shown = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {line}"], capture_output=True, timeout=20, check=True
    )
    argv = [word.replace("$$", "$") for word in shown.stdout.decode().split("\0")[:-1]]
    assert argv[:5] == [sys.executable, "-P", "-m", "launcher", "run"]
    assert argv[5:] == ["--home", str(odd_home), "--name", "default", "--api-key", "a b\\c"]
    for key, value in {
        "Type": "notify",
        "NotifyAccess": "main",
        "KillMode": "mixed",
        "WatchdogSec": "1min",
    }.items():
        assert (key, value) in values


@needs_verify
def test_an_interpreter_with_an_odd_path_is_run_by_env(tmp_path: Path) -> None:
    program = tmp_path / 'it\'s $5 "x"' / "python"
    program.parent.mkdir()
    program.symlink_to(sys.executable)
    text = units.command([str(program), "-c", "print('$HOME')"])
    assert text.startswith("/usr/bin/env ")
    unit = tmp_path / "odd.service"
    unit.write_text(f"[Service]\nExecStart={text}\n")
    ran = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, timeout=60
    )
    assert "odd.service" not in ran.stdout + ran.stderr
    assert units.command(["/usr/bin/python", "a b"]) == '/usr/bin/python "a b"'


@pytest.mark.parametrize("name", ["line\nbreak", "tab\there", "end\\", "end ", "raw\udcff"])
def test_a_path_that_no_unit_can_hold_is_refused(tmp_path: Path, name: str) -> None:
    home = tmp_path / name
    home.mkdir()
    with pytest.raises(Failed, match="systemd unit"):
        _plan(home, True)


def test_no_directive_is_there_that_hides_the_gpu(tmp_path: Path) -> None:
    text = _plan(tmp_path, True)[".service"].text
    directives = {line.partition("=")[0] for line in text.splitlines() if not line.startswith("#")}
    assert {"NoNewPrivileges", "ProtectSystem", "ReadWritePaths", "RestrictNamespaces"} <= directives
    assert not directives & {
        "PrivateDevices", "DevicePolicy", "DeviceAllow", "ProtectClock", "MemoryDenyWriteExecute", "PrivateUsers",
    }  # fmt: skip
    assert "ProtectSystem" not in _plan(tmp_path, False)[".service"].text, "a user's manager may not confine"


def test_the_bounds_are_those_of_the_supervisor(tmp_path: Path) -> None:
    text = _plan(tmp_path, True, "--drain-timeout", "100")[".service"].text
    bound = int(re.search(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)[1])  # type: ignore[index]
    assert 116 < bound < 200, "drain, cancel, SIGTERM and SIGKILL must fit in"
    assert "RestartPreventExitStatus=2 4 5 6 78\n" in text and "--drain-timeout 100" in text
    assert "AmbientCapabilities" not in text and "User=" not in text


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_the_system_unit_runs_as_the_owner_of_the_home_folder(tmp_path: Path) -> None:
    os.chown(tmp_path, 65534, 65534)
    text = _plan(tmp_path, True, port=80)[".service"].text
    assert "\nUser=nobody\n" in text and "AmbientCapabilities=CAP_NET_BIND_SERVICE" in text


@needs_verify
@pytest.mark.parametrize(("port", "held"), [(7860, ""), (80, "CAP_NET_BIND_SERVICE")])
def test_systemd_finds_the_system_unit_confined(tmp_path: Path, port: int, held: str) -> None:
    if os.geteuid() == 0:
        os.chown(tmp_path, 12345, 12345)  # a service that runs as root cannot be confined
    text = _plan(tmp_path, True, port=port)[".service"].text
    assert f"\nCapabilityBoundingSet={held}\n" in text
    unit = tmp_path / "confined.service"
    unit.write_text(text)
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=30", str(unit)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stdout[-400:] + ran.stderr


# ---- the commands


@pytest.fixture
def systemctl(launch: Launch, tmp_path: Path) -> Path:
    """A systemctl that answers ``state`` and writes down what it was asked; returns its folder."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "systemctl"
    program.write_text(
        f'#!/bin/sh\necho "$*" >> "{folder}/asked"\n'
        f'case "$*" in *is-system-running) cat "{folder}/state" ;; *is-active*) cat "{folder}/active" ;; esac\n'
    )
    program.chmod(0o755)
    (folder / "state").write_text("running\n")
    (folder / "active").write_text("inactive\n")
    launch.environ = {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }
    return folder


def _asked(folder: Path) -> list[str]:
    path = folder / "asked"
    asked = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return asked


def test_install_show_and_uninstall(launch: Launch, systemctl: Path, tmp_path: Path) -> None:
    folder = tmp_path / "config" / "systemd" / "user"
    shown = launch.json("service", "show", "--user", "--host", "0.0.0.0")["units"]
    assert (
        [unit["state"] for unit in shown] == ["absent"] * 3 and not folder.exists() and not _asked(systemctl)
    )
    done = launch.json("service", "install", "--user", "--host", "0.0.0.0", "--max-waiting", "7")
    assert sorted(path.name for path in folder.iterdir()) == [
        "index-tts-ui-backup.service", "index-tts-ui-backup.timer", "index-tts-ui.service",
    ]  # fmt: skip
    assert _asked(systemctl) == ["--user is-system-running", "--user daemon-reload"] and done["reloaded"]
    assert done["next"] == "systemctl --user enable --now index-tts-ui.service index-tts-ui-backup.timer"
    text = (folder / "index-tts-ui.service").read_text()
    assert "--host 0.0.0.0 --max-waiting 7\n" in text and "default.target" in text
    backup = (folder / "index-tts-ui-backup.service").read_text()
    assert "launcher models backup " in backup and "/backups/cache_hub" in backup
    again = launch("service", "install", "--user", "--host", "0.0.0.0", "--max-waiting", "7")
    assert "as they should be" in again and not _asked(systemctl)
    assert launch.json("service", "show", "--user")["units"][0]["state"] == "other", "other options"
    (folder / "default.target.wants").mkdir()
    link = folder / "default.target.wants" / "index-tts-ui.service"
    link.symlink_to(folder / "index-tts-ui.service")
    (systemctl / "active").write_text("active\n")
    assert "disable --now index-tts-ui.service" in launch("service", "uninstall", "--user", code=1)
    assert link.is_symlink() and (folder / "index-tts-ui.service").exists()
    (systemctl / "active").write_text("inactive\n")
    assert len(launch.json("service", "uninstall", "--user")["removed"]) == 4
    assert "--user daemon-reload" in _asked(systemctl)
    assert [path.name for path in folder.iterdir()] == ["default.target.wants"] and not link.is_symlink()
    assert "no unit" in launch("service", "uninstall", "--user")


@pytest.mark.parametrize("answer", ["offline\n", ""])
def test_no_manager_that_answers_is_said_and_not_pressed(
    launch: Launch, systemctl: Path, answer: str
) -> None:
    (systemctl / "state").write_text(answer)
    out = launch("service", "install", "--user")
    assert "systemctl --user daemon-reload" in out and "written: " in out
    assert _asked(systemctl) == ["--user is-system-running"]


def test_a_unit_of_somebody_else_is_never_overwritten(
    launch: Launch, systemctl: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "config" / "systemd" / "user"
    folder.mkdir(parents=True)
    theirs = folder / "index-tts-ui-backup.service"
    theirs.write_text("[Service]\nExecStart=/bin/true\n")
    error = launch.json("service", "install", "--user", code=1)
    assert error["error"] == "unit_foreign" and str(theirs) in error["message"]
    assert [path.name for path in folder.iterdir()] == [theirs.name], "all or none"
    launch("service", "uninstall", "--user", code=1)
    assert "/bin/true" in theirs.read_text()
    launch("service", "install", "--user", "--force")
    assert "models backup" in theirs.read_text()


def test_a_unit_of_another_home_or_a_link_is_not_overwritten(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    _write(_plan(one, True))
    with pytest.raises(Failed):
        _write(_plan(two, True))
    named = _plan(two, True, name="two")
    assert named["-two.service"].path.name == "index-tts-ui-two.service" and len(_write(named)) == 3
    precious = tmp_path / "precious"
    precious.write_text("keep")
    unit = named["-two.service"]
    unit.path.unlink()
    unit.path.symlink_to(precious)
    with pytest.raises(Failed):
        service.install([unit], force=False)
    service.install([unit], force=True)
    assert (
        precious.read_text() == "keep" and unit.path.read_text() == unit.text and not unit.path.is_symlink()
    )


def test_a_folder_that_cannot_be_written_is_exit_4(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "etc").write_text("a file in its place")
    home = tmp_path / "home"
    home.mkdir()
    unit = _plan(home, True)[".service"]
    with pytest.raises(NotPermitted):
        service.install([replace(unit)], force=False)
