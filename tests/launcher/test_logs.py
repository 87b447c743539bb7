"""The launcher's logs: bounded while others write, followed through everything, never in the service's way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from index_tts_ui.config import Config
from launcher import journal, logs, options, rotation
from launcher.cli import LOGS
from launcher.journal import Journal
from launcher.rotation import Limits

from .conftest import SERVER, Launch, wait_for
from .test_rotation import MIB, everything

NOISY = Path(__file__).with_name("noisy.py")
HOSTILE = "a\nb\r\x1b[31mred\x1b[0m\x07\x85\u2028\u202e中文"


# the launcher's own


@pytest.mark.fault(74)
def test_the_journal_survives_a_full_disk_and_says_what_was_lost(tmp_path: Path) -> None:
    path = tmp_path / "launcher.log"
    path.symlink_to("/dev/full")
    write = Journal(path)
    write("one")
    write("two")
    path.unlink()
    write("three")
    lost, third = path.read_text().splitlines()
    assert "2 lines were lost" in lost and third.endswith("three")
    path.unlink()
    os.mkfifo(path)
    write("nobody reads")


@pytest.mark.fault(78)
@pytest.mark.parametrize("form", ["text", "json"])
def test_no_event_forges_a_line_of_the_journal(tmp_path: Path, form: str) -> None:
    path = tmp_path / "launcher.log"
    write = Journal(path, form=form)
    write(f"{HOSTILE}\n2026-01-01 forged" + "x" * 10_000)
    text = path.read_text("utf-8")
    assert text.count("\n") == 1 and text[:-1].isprintable() and len(text) < 3000 and "中文" in text
    assert form == "text" or json.loads(text)["message"].startswith("a\\nb")


def test_the_launcher_obeys_the_servers_log_settings(tmp_path: Path) -> None:
    defaults = Config()
    assert {name: getattr(defaults, name) for name in options.LOGS} == options.LOGS
    (tmp_path / "tts.toml").write_text('log_max_mb = 3\nlog_format = "json"\nlog_keep = 2\n')
    found = options.resolve({"home": str(tmp_path)}, ["--log-keep", "4"], {"TTS_LOG_DAYS": "0.5"})
    assert (found.log_max_mb, found.log_format, found.log_keep, found.log_days) == (3, "json", 4, 0.5)
    parsed = Config(**{name: getattr(found, name) for name in options.LOGS})
    assert parsed.log_format == "json"


# reading


@pytest.fixture
def followed(tmp_path: Path) -> logs.Follower:
    """Follows x.log, which has two lines."""
    path = tmp_path / "x.log"
    path.write_text("one\ntwo\n")
    return logs.Follower(path, at_end=True)


def append(path: Path, text: str) -> None:
    """As a server does."""
    with path.open("a") as file:
        file.write(text)


def test_following_loses_nothing_when_a_file_is_put_aside(followed: logs.Follower) -> None:
    path = followed.path
    assert followed.lines() == []
    append(path, "three\n")
    path.rename(path.with_name("x.log.1"))
    path.write_text("four, and longer than what was there before\n")
    assert followed.lines() == ["three", "four, and longer than what was there before"]
    append(path, "five\n")
    rotation.put_aside(path, Limits())  # copied and emptied
    append(path, "six\nsev")
    assert followed.lines() == ["five", "six"]
    append(path, "en\n")
    assert followed.lines() == ["seven"]


def test_following_an_emptied_deleted_or_recreated_file(followed: logs.Follower) -> None:
    path = followed.path
    os.truncate(path, 0)
    append(path, "three\n")
    assert followed.lines() == ["three"]
    path.unlink()
    assert followed.lines() == []
    path.write_text("xxxxx\nfour\n")  # perhaps with the same inode
    assert followed.lines() == ["xxxxx", "four"]


def test_following_a_huge_line_keeps_little_of_it(followed: logs.Follower) -> None:
    with followed.path.open("ab") as file:
        for _ in range(40):
            file.write(b"\xff\x1b[1m" + b"x" * MIB)
        file.write(b"\nnext\n")
    seen: list[str] = []
    for _ in range(5):
        seen += followed.lines()
        assert len(followed.rest) <= 2 * MIB
    assert len(seen) == 2 and len(seen[0]) <= 400 and seen[1] == "next"


def test_the_tail_goes_back_into_the_old_file_and_is_cut_at_lines_only(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    (tmp_path / "x.log.1").write_text("one\ntwo\n")
    path.write_text("three\x0b\x85\u2028four\n")
    assert logs.last(path, 2, path.stat().st_size) == ["two", "threefour"]
    assert logs.last(path, 1, path.stat().st_size) == ["threefour"]
    assert journal.tail(path, 9, start=5000) == ["one", "two", "threefour"]
    assert journal.tail(path, 9, start=3) == ["eefour"]


# the whole command


def test_logs_shows_the_files_that_are_asked_for(launch: Launch) -> None:
    assert tuple(logs.NAMES) == LOGS
    launch.start()
    (launch.instance.logs / "tts_access.log").write_text("GET /\n")
    assert launch("logs", "--file", "access") == "tts_access: GET /\n"
    both = launch("logs", "--file", "access", "--file", "launcher")
    assert "tts_access: " in both and "launcher: " in both and "server: " not in both
    assert launch.json("logs", "--file", "access") == {"file": "tts_access.log", "line": "GET /"}
    launch("logs", "--file", "error", code=7)
    assert "launcher" in launch("logs", "--file", "nonsense", code=2)


@pytest.mark.fault(77)
def test_a_log_folder_that_cannot_be_written_is_exit_4_before_anything_starts(launch: Launch) -> None:
    (launch.home / "logs").write_text("a file in its place")
    assert str(launch.home / "logs") in launch("start", code=4)
    assert not launch.processes() and not launch.instance.state.exists()


def noise(launch: Launch, lines: int, **environ: str) -> Callable[[], list[str]]:
    """Start a server that prints so many lines; returns what reads them all."""
    launch.environ = {"TTS_SERVER_COMMAND": f"{sys.executable} {NOISY} {lines} normal", **environ}
    launch.start()
    return lambda: [line for line in everything(launch.instance.server_log) if line.startswith("line ")]


@pytest.mark.fault(76)
def test_server_log_is_put_aside_while_the_server_writes_and_is_followed(launch: Launch) -> None:
    lines = noise(launch, 15_000, TTS_LOG_MAX_MB="1")
    log = launch.instance.server_log
    output = launch.home / "followed"
    with output.open("w") as file:
        reader = launch.spawn("logs", "-f", "-n", "100000", "--file", "server", "--json", stdout=file)
    try:
        wait_for("the last line", lambda: any("00014999" in line for line in lines()[-1:]), 60)
        wait_for("the last line is followed", lambda: "line 00014999" in output.read_text(), 60)
    finally:
        reader.send_signal(signal.SIGINT)
        reader.communicate(timeout=20)
    pid = launch.status()["server_pid"]
    assert Path(f"/proc/{pid}/fd/1").samefile(log), "the server writes to the file of that name"
    numbers = [int(line[5:13]) for line in lines()]
    assert numbers == sorted(set(numbers)) and len(numbers) > 14_900
    assert log.with_name("server.log.1").stat().st_size >= 100 * 1000
    entries = [json.loads(line)["line"] for line in output.read_text().splitlines()]
    shown = [int(line[5:13]) for line in entries if line.startswith("line ")]
    assert shown == sorted(set(shown)) and len(shown) > 10_000


@pytest.mark.fault(75)
def test_deleting_the_logs_of_a_running_instance_frees_their_space(launch: Launch) -> None:
    noise(launch, 100_000)
    pid = launch.status()["server_pid"]
    wait_for("it has printed", lambda: launch.instance.server_log.stat().st_size > 200_000)
    for path in launch.instance.logs.iterdir():
        path.unlink()
    sizes: list[int] = []

    def shrinks() -> bool:
        sizes.append(Path(f"/proc/{pid}/fd/1").stat().st_size)
        return len(sizes) > 1 and sizes[-1] < sizes[-2]

    wait_for("what goes into the deleted file is thrown away", shrinks)
    launch("stop")
    assert "STOPPING" in launch.log(), "the launcher's own log is there again"


@pytest.mark.fault(78)
def test_wild_output_of_a_server_is_shown_tame(launch: Launch) -> None:
    launch.behaviour = "spew"
    launch("start", code=1)
    shown = launch("logs") + launch("logs", "--json") + launch("status", code=None)
    assert "red" in shown and all(len(line) < 3000 for line in shown.splitlines())
    assert "\x1b" not in shown and shown.replace("\n", "").isprintable()


@pytest.mark.fault(79)
def test_the_server_writes_to_a_file_and_no_reader_can_break_it(launch: Launch) -> None:
    launch.start()
    pid = launch.status()["server_pid"]
    for fd in (1, 2):
        assert Path(f"/proc/{pid}/fd/{fd}").samefile(launch.instance.server_log)
    with launch.spawn("logs", "-f", stderr=subprocess.STDOUT) as reader:
        assert reader.stdout
        reader.stdout.readline()
        reader.stdout.close()
        append(launch.instance.server_log, "more\n")
        assert reader.wait(20) == 0
    assert launch.ask()["pid"] == pid


@pytest.mark.fault(80)
def test_a_rapid_crash_loop_does_not_fill_the_disk(launch: Launch) -> None:
    launch.instance.prepare()
    launch.instance.server_log.write_text("what was there before\n")
    flood = "echo the cause; head -c 30000000 /dev/zero | tr '\\\\0' x; echo; echo the end; exit 3"
    launch.environ = {"TTS_SERVER_COMMAND": f'sh -c "{flood}" sh'}
    said = launch("start", code=1)
    assert "the end" in said and "exit code 3" in said
    text = launch.instance.server_log.read_text()
    assert text.startswith("what was there before\n") and text.count("the cause") == 3
    total = sum(path.stat().st_size for path in launch.instance.logs.iterdir())
    assert total < 4 * MIB, [(path.name, path.stat().st_size) for path in launch.instance.logs.iterdir()]


@pytest.mark.slow
@pytest.mark.fault(74)
def test_a_full_log_disk_keeps_no_service_from_starting_running_and_stopping(launch: Launch) -> None:
    """The real server, every log on a full disk."""
    launch.instance.prepare()
    for name in logs.NAMES.values():
        (launch.instance.logs / name).symlink_to("/dev/full")
    launch.environ = {"TTS_SERVER_COMMAND": ""}
    started = launch.start()
    assert launch.json("status", "--ready")["server_pid"] == started["pid"]
    assert "Traceback" not in launch("stop")
    launch.gone()


def test_a_named_instance_keeps_its_logs_apart(launch: Launch) -> None:
    launch.environ = {"TTS_SERVER_COMMAND": f"{sys.executable} {SERVER} normal", "TTS_NAME": "second"}
    launch.start()
    try:
        assert (launch.home / "logs" / "second" / "server.log").exists()
        assert not (launch.home / "logs" / "server.log").exists()
        assert "server: " in launch("logs", "--file", "server")
    finally:
        launch("stop")
