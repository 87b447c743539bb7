"""A log file of the server: put aside, moved, emptied, deleted, full, or no file at all."""

from __future__ import annotations

import logging
import os
import resource
import signal
import time
from pathlib import Path

import pytest

from index_tts_ui.logs import files, lines
from index_tts_ui.logs.files import Limits, LogFile
from index_tts_ui.logs.lines import Line, as_json, as_text


@pytest.fixture
def complaints() -> list[str]:
    """What a file had to complain of."""
    return []


@pytest.fixture
def log(tmp_path: Path, complaints: list[str], monkeypatch: pytest.MonkeyPatch) -> LogFile:
    """A small log that looks at its name before each line."""
    monkeypatch.setattr(files, "LOOK_SECONDS", 0.0)
    return LogFile(tmp_path / "logs" / "x.log", Limits(1000, keep=3), as_text, complaints.append)


def everything(path: Path) -> str:
    """All that is in a log and in its old files, oldest first."""
    old = sorted(path.parent.glob(f"{path.name}.*"), key=lambda item: -int(item.suffix[1:]))
    return "".join(item.read_text("utf-8") for item in [*old, path])


def test_a_file_is_put_aside_at_its_size_and_so_many_are_kept(log: LogFile) -> None:
    for number in range(100):
        log.write([b"%03d " % number + b"x" * 95 + b"\n"])
    names = sorted(path.name for path in log.path.parent.iterdir())
    assert names == ["x.log", "x.log.1", "x.log.2", "x.log.3"]
    assert all(path.stat().st_size <= 1000 for path in log.path.parent.iterdir())
    assert [int(line[:3]) for line in everything(log.path).splitlines()] == list(range(60, 100))


def test_one_batch_fills_several_files(log: LogFile) -> None:
    log.write([b"%03d\n" % number for number in range(600)])
    assert everything(log.path).splitlines() == [f"{number:03}" for number in range(600)]


def test_a_smaller_number_of_old_files_is_obeyed(log: LogFile) -> None:
    log.write([b"a\n"])
    for number in (1, 2, 3, 4, 9):
        files.numbered(log.path, number).write_text("old\n")
    log.write([b"x" * 1000 + b"\n", b"b\n"])
    assert sorted(path.suffix for path in log.path.parent.iterdir()) == [".1", ".2", ".3", ".log"]


def test_a_file_is_put_aside_at_its_age_and_old_ones_are_deleted(log: LogFile) -> None:
    log.path.parent.mkdir()
    log.path.write_text(f"{lines.clock(time.time() - 8 * files.DAY)} INFO a a week ago\n")
    files.numbered(log.path, 1).write_text("older\n")
    os.utime(files.numbered(log.path, 1), (time.time() - 9 * files.DAY,) * 2)
    log.write([b"today\n"])
    assert log.path.read_text() == "today\n"
    assert (
        "a week ago" in files.numbered(log.path, 1).read_text() and len(list(log.path.parent.iterdir())) == 2
    )


def test_a_young_file_stays_across_a_restart(log: LogFile) -> None:
    log.path.parent.mkdir()
    log.path.write_text(as_json(Line(time.time() - 6 * files.DAY, logging.INFO, "a", "six days ago")))
    log.write([b"today\n"])
    assert len(log.path.read_text().splitlines()) == 2


@pytest.mark.fault(75)
@pytest.mark.parametrize("deleted", [True, False])
def test_a_file_that_was_moved_or_deleted_is_opened_again(log: LogFile, deleted: bool) -> None:
    log.write([b"one\n"])
    moved = log.path.parent.with_name("moved")
    log.path.unlink() if deleted else log.path.rename(moved)
    log.write([b"two\n"])
    assert log.path.read_text() == "two\n"
    assert deleted or moved.read_text() == "one\n"
    log.path.unlink()
    log.path.parent.rmdir()
    log.write([b"three\n"])
    assert log.path.read_text() == "three\n"


@pytest.mark.fault(75)
def test_an_emptied_file_has_no_hole(log: LogFile) -> None:
    log.write([b"x" * 500 + b"\n"])
    os.truncate(log.path, 0)
    log.write([b"two\n"])
    assert log.path.read_bytes() == b"two\n"


def test_two_processes_may_share_a_file(log: LogFile, complaints: list[str]) -> None:
    """The old and the new server of a restart: each line is there once, whoever puts the file aside."""
    other = LogFile(log.path, Limits(1000, keep=100), as_text, complaints.append)
    first = LogFile(log.path, Limits(1000, keep=100), as_text, complaints.append)
    for number in range(300):
        (first, other)[number % 2].write([b"%05d\n" % number])
    assert everything(log.path).splitlines() == [f"{number:05}" for number in range(300)]


@pytest.mark.fault(74)
def test_a_full_disk_is_said_once_and_writing_goes_on_when_there_is_space(
    log: LogFile, complaints: list[str]
) -> None:
    log.path.parent.mkdir()
    log.path.symlink_to("/dev/full")
    for _ in range(50):
        log.write([b"lost\n", b"lost\n"])
    assert len(complaints) == 1 and "No space left" in complaints[0] and str(log.path) in complaints[0]
    log.path.unlink()
    log.write([b"kept\n"])
    note, line = log.path.read_text().splitlines()
    assert "100 lines were lost: No space left" in note and line == "kept" and log.lost == 0


@pytest.mark.fault(74)
def test_a_disk_that_fills_within_a_line_leaves_no_torn_line(log: LogFile) -> None:
    log.write([b"whole\n"])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8, hard))  # the kernel takes two bytes more
    try:
        log.write([b"half\n"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    log.write([b"after\n"])
    text = log.path.read_text().splitlines()
    assert text[:2] == ["whole", "ha"] and "1 lines were lost" in text[2] and text[3] == "after"


@pytest.mark.fault(77)
@pytest.mark.parametrize("obstacle", ["fifo", "folder", "file for a folder"])
def test_what_cannot_be_a_log_is_complained_of_and_holds_nobody_up(
    log: LogFile, complaints: list[str], obstacle: str
) -> None:
    if obstacle == "file for a folder":
        log.path.parent.write_text("")
    else:
        log.path.parent.mkdir()
        os.mkfifo(log.path) if obstacle == "fifo" else log.path.mkdir()
    log.write([b"lost\n"])
    assert len(complaints) == 1 and log.lost == 1


def test_a_device_is_never_put_aside(log: LogFile, complaints: list[str]) -> None:
    log.path.parent.mkdir()
    log.path.symlink_to("/dev/null")
    log.write([b"x" * 900 + b"\n"] * 10)
    assert log.path.is_symlink() and len(list(log.path.parent.iterdir())) == 1 and not complaints
