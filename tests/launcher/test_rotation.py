"""What a log file is while others append to it: bounded, in its place, its space free when it is deleted."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from launcher import journal, rotation
from launcher.rotation import Limits, Rotation

from .conftest import wait_for

MIB = 1 << 20


@pytest.fixture
def said() -> list[str]:
    """What a rotation complained of."""
    return []


@pytest.fixture
def small(tmp_path: Path, said: list[str]) -> Rotation:
    """Of one file, server.log, of 10 kB at most."""
    return Rotation([tmp_path / "server.log"], Limits(10_000, keep=3), said.append)


@contextlib.contextmanager
def child_writing(path: Path, code: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process whose standard output appends to ``path``."""
    with rotation.open_append(path) as output:
        child = subprocess.Popen([sys.executable, "-c", code], stdout=output, stdin=subprocess.PIPE)
    try:
        yield child
    finally:
        child.kill()
        child.communicate(timeout=60)


def look(rotated: Rotation) -> None:
    """As if a second had passed."""
    rotated._due = 0.0
    rotated.check()


def everything(path: Path) -> list[str]:
    """The lines of a log and of its old files, oldest first; not of a copy that is being made."""
    old = sorted(path.parent.glob(f"{path.name}.[0-9]*"), key=lambda item: -int(item.suffix[1:]))
    return "".join(item.read_text("utf-8", "replace") for item in [*old, path]).splitlines()


@pytest.mark.fault(76)
def test_a_file_is_put_aside_under_a_process_that_writes_to_it(
    tmp_path: Path, small: Rotation, said: list[str]
) -> None:
    log = tmp_path / "server.log"
    # a line in one system call: print() makes two where the environment asks for unbuffered output
    code = "import os, time\nfor n in range(400): os.write(1, b'%099d\\n' % n); time.sleep(0.002)\ninput()"
    with child_writing(log, code) as child:
        inode = log.stat().st_ino
        wait_for(
            "all is written",
            lambda: look(small) or any(line.endswith("399") for line in everything(log)),
        )
        assert Path(f"/proc/{child.pid}/fd/1").stat().st_ino == inode == log.stat().st_ino
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["server.log", "server.log.1", "server.log.2", "server.log.3"]
    seen = [int(line) for line in everything(log)]
    assert seen == sorted(set(seen)) and len(seen) >= 396, "a line between copy and emptying may be lost"
    assert all(path.stat().st_size < 20_000 for path in tmp_path.iterdir()) and not said


def test_a_flood_between_two_looks_leaves_its_end(tmp_path: Path, small: Rotation) -> None:
    log = tmp_path / "server.log"
    log.write_bytes(b"".join(b"%09d\n" % number for number in range(100_000)))
    small.check()
    old = (tmp_path / "server.log.1").read_text()
    assert log.stat().st_size == 0 and old.endswith("000099999\n") and len(old) < 20_100
    assert old.startswith("... 980000 bytes left out ...\n")


def test_a_look_comes_at_most_once_a_second(tmp_path: Path, small: Rotation) -> None:
    small.check()
    (tmp_path / "server.log").write_bytes(b"x" * 20_000)
    small.check()
    assert len(list(tmp_path.iterdir())) == 1
    look(small)
    assert len(list(tmp_path.iterdir())) == 2


def test_age_and_number_of_old_files(tmp_path: Path, said: list[str]) -> None:
    log = tmp_path / "server.log"
    week_ago = time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(time.time() - 8 * 86_400))
    log.write_text(f"server 12\n{week_ago} INFO old\n")
    for number in (1, 2, 7):
        (tmp_path / f"server.log.{number}").write_text(f"{number}\n")
    os.utime(tmp_path / "server.log.2", (time.time() - 9 * 86_400,) * 2)
    (tmp_path / "server.log.gz").write_text("somebody else's")
    Rotation([log], Limits(10_000, keep=3), said.append).check()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "server.log", "server.log.1", "server.log.2", "server.log.gz",
    ]  # fmt: skip
    assert week_ago in (tmp_path / "server.log.1").read_text() and log.read_text() == "" and not said
    assert (tmp_path / "server.log.2").read_text() == "1\n"


@pytest.mark.fault(75)
def test_the_space_of_a_deleted_file_is_freed_while_it_is_written_to(tmp_path: Path, small: Rotation) -> None:
    log = tmp_path / "server.log"
    code = "import sys\nfor n in range(10**6): sys.stdin.readline(); print('x' * 999, flush=True)"
    with child_writing(log, code) as child:
        assert child.stdin
        look(small)
        for path in (log, log):
            path.unlink()
            child.stdin.write(b"\n" * 20)
            child.stdin.flush()
            size = Path(f"/proc/{child.pid}/fd/1").stat
            wait_for("it writes to the deleted file", lambda size=size: size().st_size >= 10_000)
            look(small)
            wait_for("it is emptied", lambda size=size: look(small) or size().st_size == 0)
            log.write_text("made by somebody\n")
            look(small)


@pytest.mark.fault(74)
def test_where_no_copy_fits_the_file_is_cut_all_the_same(
    tmp_path: Path, small: Rotation, said: list[str]
) -> None:
    log = tmp_path / "server.log"
    (tmp_path / "server.log.copy").symlink_to("/dev/full")  # O_NOFOLLOW refuses it
    log.write_bytes(b"first\n" + b"x" * 3 * MIB + b"last\n")
    look(small)
    text = log.read_bytes()
    assert text.startswith(b"first") and text.endswith(b"last\n") and len(text) <= MIB
    assert len(said) == 1 and "server.log" in said[0]


@pytest.mark.fault(77)
@pytest.mark.parametrize("kind", ["folder", "pipe", "device"])
def test_what_is_no_file_is_complained_of_once(
    tmp_path: Path, small: Rotation, said: list[str], kind: str
) -> None:
    path = tmp_path / "server.log"
    {"folder": path.mkdir, "pipe": lambda: os.mkfifo(path), "device": lambda: path.symlink_to("/dev/full")}[
        kind
    ]()
    with rotation.open_append(path) as output:
        assert output.writable()
        for _ in range(3):
            look(small)
    assert len(said) == (kind != "device")


@pytest.mark.fault(80)
def test_an_attempt_leaves_its_beginning_and_its_end(tmp_path: Path, said: list[str]) -> None:
    log = tmp_path / "server.log"
    log.write_text("earlier\n")
    rotated = Rotation([log], Limits(50 * MIB), said.append)
    for attempt in range(3):
        start = log.stat().st_size
        with log.open("ab") as file:
            file.write(b"cause %d\n" % attempt + b"x" * 20 * MIB + b"\nend %d\n" % attempt)
        rotated.cut(start)
        assert journal.tail(log, 1, start) == [f"end {attempt}"]
    text = log.read_bytes()
    assert text.startswith(b"earlier\n") and len(text) <= 3 * rotation.ATTEMPT + 8
    assert all(b"cause %d\n" % attempt in text for attempt in range(3)) and not said
